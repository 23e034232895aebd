"""The languages the bot speaks: whose turn it is, and every sentence in it.

English is the text in the source, marked by :func:`mark` and its kin; the others are gettext catalogues, written as
``locale/LANGUAGE/LC_MESSAGES/hitmeter.po`` and compiled in memory, so that there is nothing built to go stale. The
language is a context variable: tasks and ``asyncio.to_thread`` inherit it, executors and other processes are told it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Final

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

ENGLISH: Final = "en"

LANGUAGES: Final = (ENGLISH, "es", "pt_BR", "de", "fr", "hi", "ja")
"""As gettext and Babel write them."""

FOLDER: Final = Path(__file__).with_name("locale")
DOMAIN: Final = "hitmeter"

_LOCALES: Final = {ENGLISH: "en_GB"}
"""Whose rules for numbers and dates hold, where the language alone means another country's: 22 Nov 2026."""

_language: ContextVar[str] = ContextVar("language", default=ENGLISH)


def closest(tag: str | None) -> str:
    """Return the language for a tag as clients and environments give it: "pt-BR", "es-419", "de_AT.UTF-8", "C".

    Languages come without regard to the country, for want of more than one of each; English for all others.
    """
    spoken = (tag or "").replace("_", "-").partition("-")[0].partition(".")[0].casefold()
    return next((language for language in LANGUAGES if language.partition("_")[0] == spoken), ENGLISH)


def language() -> str:
    """Return the language that is spoken here, one of :data:`LANGUAGES`."""
    return _language.get()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak one of :data:`LANGUAGES` while the block runs."""
    token = _language.set(language)
    try:
        yield
    finally:
        _language.reset(token)


def mark(message: str) -> str:
    """Mark a constant as a sentence to be translated; it is said by :func:`say`."""
    return message


def mark_plural(one: str, many: str) -> tuple[str, str]:
    """Mark both English forms of a sentence about {n} things; they are said by :func:`say_plural`."""
    return one, many


def mark_in(context: str, message: str) -> str:
    """Mark a short text that means something else elsewhere; it is said by :func:`say_in`."""
    return message


def say(message: str, **values: object) -> str:
    """Say a marked sentence, its braces filled with ``values``; one that is not translated is said in English."""
    said = _catalogue(language()).gettext(message)
    return said.format(**values) if values else said


def say_plural(one: str, many: str, n: float, /, **values: object) -> str:
    """Say a marked sentence about ``n`` things; {n} is written out as a number unless ``values`` have it."""
    said = _catalogue(language()).ngettext(one, many, round(n))
    return said.format(**{"n": format_decimal(n, locale=locale()), **values})


def say_in(context: str, message: str) -> str:
    """Say a short text that was marked for a context."""
    return _catalogue(language()).pgettext(context, message)


def locale() -> Locale:
    """Return Babel's rules for numbers, dates and lists of the language spoken here."""
    return _locale(language())


def load() -> None:
    """Load all languages, a few tenths of a second, so that nobody waits for theirs when it is first spoken."""
    for one in LANGUAGES:
        _catalogue(one)
        _locale(one)


@cache
def _locale(language: str) -> Locale:
    found = Locale.parse(_LOCALES.get(language, language))
    format_decimal(0, locale=found)  # reads the rules themselves
    return found


@cache
def _catalogue(language: str) -> NullTranslations:
    """Compile a catalogue; entries that are fuzzy or empty stay out."""
    if language == ENGLISH:
        return NullTranslations()
    with (FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as written:
        catalogue = read_po(written, locale=language, domain=DOMAIN)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)
