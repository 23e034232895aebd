"""Discord's own limits, as its API reference states them; lengths in characters."""

from __future__ import annotations

from typing import Final

CONTENT_MAX: Final = 2000
"""Text of a message."""

EMBED_TITLE_MAX: Final = 256
EMBED_DESCRIPTION_MAX: Final = 4096
EMBED_FIELDS_MAX: Final = 25
EMBED_FIELD_NAME_MAX: Final = 256
EMBED_FIELD_VALUE_MAX: Final = 1024
EMBED_FOOTER_MAX: Final = 2048

EMBED_TOTAL_MAX: Final = 6000
"""All texts of an embed together."""

ALT_TEXT_MAX: Final = 1024
"""Description of an attachment."""

BUTTON_LABEL_MAX: Final = 80
BUTTON_URL_MAX: Final = 512

OPTION_LABEL_MAX: Final = 100
"""Label of an option in a select."""

COMPLETIONS_MAX: Final = 25
"""Choices of an autocomplete."""

COMPLETION_MAX: Final = 100
"""Name and value of one choice of an autocomplete."""

MODAL_TITLE_MAX: Final = 45
"""Title of a modal."""
