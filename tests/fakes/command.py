"""Code to run in a process of its own."""

from __future__ import annotations

import sys
import textwrap

from core.settings import ROOT


def command(code: str, *arguments: str) -> list[str]:
    """Make the command line that runs ``code``, whose first argument is the folder of the project."""
    return [sys.executable, "-c", textwrap.dedent(code), str(ROOT), *arguments]
