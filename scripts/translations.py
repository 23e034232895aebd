"""Collect the sentences marked in the source and bring the catalogues of all languages up to date.

    python scripts/translations.py         # write core/locale/hitmeter.pot and every hitmeter.po
    python scripts/translations.py --check # say what is missing, and change nothing

Ends with 1 if --check finds a sentence that is not translated.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.language import DOMAIN, ENGLISH, FOLDER, LANGUAGES  # noqa: E402

TEMPLATE = FOLDER / f"{DOMAIN}.pot"

KEYWORDS = {
    "mark": None,
    "mark_plural": (1, 2),
    "mark_in": ((1, "c"), 2),
}
"""Functions of :mod:`core.language` whose arguments are sentences."""

COMMENT = "Translators:"
"""What a comment above a sentence begins with when it is meant for translators."""

_DATED = re.compile(rb'^"(?:POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team|Generated-By'
                    rb'|Report-Msgid-Bugs-To|Project-Id-Version): .*\n', re.MULTILINE)  # fmt: skip
"""Lines of a header that say nothing here, or change whenever it is written."""


def extracted() -> Catalog:
    """Collect what is marked in ``bot`` and ``core``, in the order of the files."""
    about = "# Sentences of Hitmeter. CONTRIBUTING.md says how to mend one."
    template = Catalog(domain=DOMAIN, header_comment=about, fuzzy=False)
    for package in ("bot", "core"):
        found = extract_from_dir(
            ROOT / package, [("**.py", "python")], keywords=KEYWORDS, comment_tags=(COMMENT,), strip_comment_tags=True
        )
        for name, _line, message, comments, context in sorted(found, key=lambda one: (one[0], one[1])):
            template.add(message, None, [(f"{package}/{name}", None)], auto_comments=comments, context=context)
    return template


def path_of(language: str) -> Path:
    """Return where the catalogue of a language lies."""
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def catalogue_of(language: str) -> Catalog:
    """Read the catalogue of a language; an empty one if there is none."""
    if not path_of(language).exists():
        return Catalog(locale=language, domain=DOMAIN, header_comment="#", fuzzy=False)
    with path_of(language).open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN)


def as_bytes(catalogue: Catalog) -> bytes:
    """Write a catalogue as a file, the same for the same sentences."""
    file = io.BytesIO()
    write_po(file, catalogue, width=100, ignore_obsolete=True, include_lineno=False)
    return _DATED.sub(b"", file.getvalue())


def missing(catalogue: Catalog) -> list[Message]:
    """List the sentences that a language lacks, or of which somebody was not sure."""
    return [message for message in catalogue if message.id and (message.fuzzy or not _is_said(message))]


def _is_said(message: Message) -> bool:
    said = message.string if isinstance(message.string, list | tuple) else (message.string,)
    return all(said)


def main(argv: list[str] | None = None) -> int:
    """Write all files, or check them."""
    parser = argparse.ArgumentParser(description="Bring the catalogues of all languages up to date.")
    parser.add_argument("--check", action="store_true", help="say what is not translated, and change nothing")
    options = parser.parse_args(argv)
    template = extracted()
    lacking = 0
    if not options.check:
        TEMPLATE.parent.mkdir(parents=True, exist_ok=True)
        TEMPLATE.write_bytes(as_bytes(template))
    for language in LANGUAGES:
        if language == ENGLISH:
            continue
        catalogue = catalogue_of(language)
        # A sentence that has changed is translated anew, rather than guessed from a like one.
        catalogue.update(template, no_fuzzy_matching=True)
        if not options.check:
            path_of(language).parent.mkdir(parents=True, exist_ok=True)
            path_of(language).write_bytes(as_bytes(catalogue))
        lacks = missing(catalogue)
        lacking += len(lacks)
        print(f"{language}: {len(catalogue) - len(lacks)} of {len(catalogue)} sentences")
        for message in lacks if options.check else ():
            print(f"    {message.id if isinstance(message.id, str) else message.id[0]}")
    return 1 if options.check and lacking else 0


if __name__ == "__main__":
    raise SystemExit(main())
