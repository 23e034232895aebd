"""The version of the project, told to every service it asks."""

from typing import Final

VERSION: Final = "1.0.0"
"""As in pyproject.toml."""

USER_AGENT: Final = f"Hitmeter/{VERSION} (song popularity bot)"
