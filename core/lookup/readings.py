"""How titles in kanji are read, looked up in a dictionary when the catalogue is built.

What this cannot do: readings that a singer gives a word of their own (運命 sung as "sadame"), rare names, and telling
Japanese from Chinese in a name of kanji alone, which is therefore read both ways.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from sudachipy import Dictionary, SplitMode

from core.domain import SongName
from core.lookup.normalise import NAME_MAX_CHARS
from core.lookup.romanise import KANA, KANJI, is_foreign, romanised

_PARTICLES: Final = {"は": "わ", "へ": "え", "を": "お"}
"""Particles, which are not said as they are written."""

_CUT_OFF: Final = re.compile("(?<=[っッ]) ")
"""A doubled consonant at the end of a word belongs to the next: "待っ て"."""


class Readings:
    """Writes songs' names in Latin letters as people who hear them would; opens a dictionary of 40 MB."""

    def __init__(self) -> None:
        self._words = Dictionary(dict="small").tokenizer(mode=SplitMode.C)

    def spellings(self, name: SongName) -> tuple[SongName, ...]:
        """List the ways in which a name is typed in Latin letters; none if it is written in them."""
        if not is_foreign(f"{name.title}{name.artist}"):
            return ()
        ways = [self._read]
        if KANJI.search(f"{name.title}{name.artist}") and not KANA.search(name.title):
            ways.append(romanised)
        found = (SongName(way(name.title), way(name.artist)) for way in ways)
        return tuple(dict.fromkeys(spelt for spelt in found if spelt.title and spelt.artist))

    def _read(self, text: str) -> str:
        if not KANJI.search(text):
            return romanised(text)
        words = []
        for word in self._words.tokenize(unicodedata.normalize("NFKC", text[:NAME_MAX_CHARS])):
            surface = word.surface()
            if surface in _PARTICLES and word.part_of_speech()[0] == "助詞":
                words.append(_PARTICLES[surface])
            else:
                # What the dictionary does not know has no reading.
                words.append((word.reading_form() if KANJI.search(surface) else surface) or surface)
        return romanised(_CUT_OFF.sub("", " ".join(words)))
