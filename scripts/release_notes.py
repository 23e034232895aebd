"""Prints what CHANGELOG.md says of one version; fails if it says nothing or the program calls itself otherwise.

python scripts/release_notes.py 1.0.0
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def notes_of(version: str, changelog: str) -> str | None:
    """Cut a version's notes out of the changelog; None if it has none."""
    # A version's part goes from its heading, "## 1.0.0 - 2026-12-01", to the next.
    parts = re.split(r"^## +(\S+).*\n", changelog, flags=re.MULTILINE)
    notes = dict(zip(parts[1::2], parts[2::2], strict=True)).get(version, "").strip()
    return notes or None


def main(arguments: Sequence[str] | None = None, *, root: Path = ROOT) -> int:
    """Print the notes and return the exit code: 0, or 1 with the reason on standard error."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if len(arguments) != 1:
        print("Name the version: python scripts/release_notes.py 1.0.0", file=sys.stderr)
        return 1
    (version,) = arguments
    project = (root / "pyproject.toml").read_text(encoding="utf-8")
    if f'\nversion = "{version}"\n' not in project:
        print(f"pyproject.toml names another version than {version}.", file=sys.stderr)
        return 1
    notes = notes_of(version, (root / "CHANGELOG.md").read_text(encoding="utf-8"))
    if notes is None:
        print(f"CHANGELOG.md says nothing of {version}.", file=sys.stderr)
        return 1
    print(notes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
