"""How songs' names in kanji are read, and so written in Latin letters, by a table of words.

The table beside this module has one line a word: how it is written, how it is read, and how often it was met, parted by
tabs; :mod:`core.training.kanji_readings` makes it of a dictionary, for the words that songs' names are made of. A name
is cut into the words that are likeliest together. What the table cannot do: readings that a singer gives a word of
their own (運命 sung as "sadame"); names with words it lacks, whose kanji become Mandarin syllables; and telling
Japanese from Chinese in a name of kanji alone, which is therefore read both ways.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Self

from core.domain import SongName
from core.lookup.normalise import NAME_MAX_CHARS
from core.lookup.romanise import KANA, KANJI, is_foreign, romanised

TABLE: Final = Path(__file__).with_name("kanji_readings.tsv")

JAPANESE: Final = re.compile(f"(?:{KANA.pattern}|{KANJI.pattern})+")

UNKNOWN_COST: Final = 14.0
"""Cost of a character that is in no word, in the logarithms in which words cost: more than any word of the table."""

UNKNOWN_KANA_COST: Final = 4.0
"""Cost of each further one if all are kana: they are likelier one word that the table lacks than several short ones."""

UNKNOWN_KANA_MAX: Final = 12
"""Longest such word."""

_CUT_OFF: Final = re.compile("(?<=[っッ]) ")
"""A doubled consonant at the end of a word belongs to the next: "待っ て"."""

_PIECES: Final = re.compile(rf"(?P<japanese>{JAPANESE.pattern})|(?:(?!{JAPANESE.pattern})[^\W\d_])+|\d+|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the table: how it is read, "" if nobody knows, and how often it was met."""

    reading: str
    count: int


class Readings:
    """Writes songs' names in Latin letters as people who hear them would."""

    def __init__(self, words: Mapping[str, Word]) -> None:
        """Take the words by how they are written."""
        total = sum(word.count for word in words.values())
        self._readings = {written: word.reading for written, word in words.items()}
        self._costs = {written: math.log(total / word.count) for written, word in words.items()}
        self._longest = max(map(len, words), default=0)

    @classmethod
    def load(cls) -> Self:
        """Load the table that is shipped."""
        return cls(_shipped())

    def spellings(self, name: SongName) -> tuple[SongName, ...]:
        """List the ways in which a name is typed in Latin letters; none if it is written in them."""
        if not is_foreign(f"{name.title}{name.artist}"):
            return ()
        ways = [self.read]
        if KANJI.search(f"{name.title}{name.artist}") and not KANA.search(name.title):
            ways.append(romanised)
        found = (SongName(way(name.title), way(name.artist)) for way in ways)
        return tuple(dict.fromkeys(spelt for spelt in found if spelt.title and spelt.artist))

    def read(self, text: str) -> str:
        """Write a text in Latin letters, its kanji as they are read in Japanese."""
        if not KANJI.search(text):
            return romanised(text)
        pieces = _PIECES.finditer(unicodedata.normalize("NFKC", text[:NAME_MAX_CHARS]))
        written = [word for piece in pieces for word in (self.words(piece[0]) if piece["japanese"] else (piece[0],))]
        return romanised(_CUT_OFF.sub("", " ".join(written)))

    def words(self, run: str) -> list[str]:
        """Cut a run of kana and kanji into words, each as it is read; of many ways that of the commonest words."""
        costs, cuts = [0.0], [0]
        for end in range(1, len(run) + 1):
            cost, cut = costs[end - 1] + UNKNOWN_COST, end - 1
            for start in range(max(0, end - max(self._longest, UNKNOWN_KANA_MAX)), end):
                whole = costs[start] + self._cost(run[start:end])
                if whole < cost:
                    cost, cut = whole, start
            costs.append(cost)
            cuts.append(cut)
        words: list[str] = []
        end = len(run)
        while end:
            written = run[cuts[end] : end]
            words.append(self._readings.get(written) or written)
            end = cuts[end]
        return words[::-1]

    def _cost(self, written: str) -> float:
        known = self._costs.get(written)
        if known is None and len(written) <= UNKNOWN_KANA_MAX and KANA.fullmatch(written):
            return UNKNOWN_COST + UNKNOWN_KANA_COST * (len(written) - 1)
        return math.inf if known is None else known


@cache
def _shipped() -> Mapping[str, Word]:
    return read_table(TABLE.read_text(encoding="utf-8").splitlines())


def read_table(lines: Iterable[str]) -> dict[str, Word]:
    """Read the lines of a table; those that begin with "#" say something else."""
    parts = (line.split("\t") for line in lines if not line.startswith("#"))
    return {written: Word(reading, int(count)) for written, reading, count in parts}
