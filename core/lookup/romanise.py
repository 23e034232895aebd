"""Writes titles of other scripts in Latin letters, as people without such a keyboard type them.

Cyrillic, Greek and most other scripts go letter by letter (anyascii), kana by Hepburn's rules (jaconv), Hangul by the
Revised Romanisation. Kanji become Mandarin syllables; how they are read in Japanese takes a table of words,
see :mod:`core.lookup.readings`.

What this cannot do: tones and dialects of Chinese (Mandarin without tones is all there is); vowels that Arabic and
Hebrew do not write; the assimilation of Korean consonants. Other conventions than these ("Rijij" for "Рыжий") are left
to the forgiveness of the comparison.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

import jaconv
from anyascii import anyascii

from core.lookup.normalise import NAME_MAX_CHARS

KANA: Final = re.compile("[\u3041-\u3096\u30a1-\u30fa\u30fc]+")
KANJI: Final = re.compile("[\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_HANGUL: Final = re.compile("[\uac00-\ud7a3]+")
_GREEK_U: Final = re.compile("ο[υύ]", re.IGNORECASE)
_RUNS: Final = re.compile(f"(?P<kana>{KANA.pattern})|(?P<kanji>{KANJI.pattern})|(?P<hangul>{_HANGUL.pattern})")

_INITIALS: Final = "g kk n d tt r m b pp s ss  j jj ch k t p h"
_VOWELS: Final = "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i"
_FINALS: Final = " k k k n n n t l k m l l l p l m p p t t ng t t k t p t"
_LIAISONS: Final = " g kk ks n nj n d r lg lm lb ls lt lp r m b bs s ss ng j ch k t p "
"""Parts of Hangul syllables in Unicode's order; liaisons are finals before a vowel, of which the last falls silent."""

_INITIAL, _VOWEL, _FINAL, _LIAISON = (parts.split(" ") for parts in (_INITIALS, _VOWELS, _FINALS, _LIAISONS))
_SILENT: Final = 11
"""Place of the initial that only carries a vowel."""


def is_foreign(text: str) -> bool:
    """Return whether a text has letters that no Latin keyboard offers."""
    return not text.isascii() and any(
        c.isalpha()
        and not unicodedata.name(c, "LATIN").startswith(("LATIN", "FULLWIDTH LATIN", "MODIFIER", "FEMININE"))
        for c in text
    )


@lru_cache(1 << 12)
def romanised(text: str) -> str:
    """Write a text in Latin letters, kanji as Mandarin syllables; a text that has them alone stays as it is."""
    if not is_foreign(text):
        return text
    written, place = [], 0
    text = _GREEK_U.sub("ou", unicodedata.normalize("NFKC", text[:NAME_MAX_CHARS]))
    for run in _RUNS.finditer(text):
        written.append(anyascii(text[place : run.start()]))
        match run.lastgroup:
            case "kana":
                written.append(_from_kana(run[0]))
            case "hangul":
                written.append(_from_hangul(run[0]))
            case _:
                written.append(f" {anyascii(run[0])} ")
        place = run.end()
    return " ".join("".join([*written, anyascii(text[place:])]).split())


def _from_kana(kana: str) -> str:
    """Write kana by Hepburn's rules; the bar of long vowels is left out, as people leave it out."""
    return jaconv.kana2alphabet(jaconv.kata2hira(kana)).replace("-", "")


def _from_hangul(hangul: str) -> str:
    written = []
    codes = [ord(syllable) - 0xAC00 for syllable in hangul]
    before = 0
    for place, code in enumerate(codes):
        initial, vowel, final = code // 588, code % 588 // 28, code % 28
        carried = place + 1 < len(codes) and codes[place + 1] // 588 == _SILENT
        # ㄹ between two syllables is one sound: "ll" after itself.
        written.append("l" if initial == 5 and before == 8 else _INITIAL[initial])
        written.append(_VOWEL[vowel] + (_LIAISON if carried else _FINAL)[final])
        before = final
    return "".join(written)
