"""Makes the table of readings from a dictionary: the words that songs' names are made of, and how each is read.

A word that is read in several ways stands in the table as it mostly is; where that is wrong beside another word, the
two or three words together are a further line.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from sudachipy import Dictionary, SplitMode

from core.lookup.normalise import NAME_MAX_CHARS, title_key
from core.lookup.readings import JAPANESE, Readings, Word
from core.lookup.romanise import KANA, KANJI, romanised

PARTICLES: Final = {"は": "わ", "へ": "え", "を": "お"}
"""Particles, which are not said as they are written."""

GROUP_CHARS_MAX: Final = 12
"""Longest group of words that becomes a line of its own."""

GROUP_WEIGHT: Final = 3
"""How much more than its count a group counts, so that it is chosen before its words."""

HEADER: Final = (
    "# How words in the names of songs are read: word, reading (katakana), count; made by scripts/build_readings.py.\n"
    "# Readings are those of SudachiDict (small), Apache License 2.0, Copyright Works Applications Co., Ltd., which "
    "rests on\n"
    "# UniDic, Copyright The UniDic Consortium, and NEologd. A word without a reading is none of the dictionary.\n"
)


@dataclass(frozen=True, slots=True)
class ReadingsReport:
    """What became of a table: names with kanji, and those among them that it reads otherwise than the dictionary."""

    words: int
    names: int
    differing: tuple[str, ...]


Token = tuple[str, str]
"""A word as it is written and as it is read, "" if the dictionary lacks it."""


class DictionaryReader:
    """Reads names by the dictionary itself, which has 40 MB."""

    def __init__(self) -> None:
        self._tokenizer = Dictionary(dict="small").tokenizer(mode=SplitMode.C)

    def tokens(self, text: str) -> list[Token]:
        """Cut a text into words with their readings."""
        found = []
        for word in self._tokenizer.tokenize(unicodedata.normalize("NFKC", text[:NAME_MAX_CHARS])):
            written = word.surface()
            if written in PARTICLES and word.part_of_speech()[0] == "助詞":
                found.append((written, PARTICLES[written]))
            elif KANJI.search(written):
                found.append((written, "" if word.is_oov() else word.reading_form()))
            else:
                found.append((written, written))
        return found


def make_table(texts: Iterable[str]) -> tuple[dict[str, Word], ReadingsReport]:
    """Make the table that reads these texts as the dictionary does, as far as a table can."""
    reader = DictionaryReader()
    names = {text: reader.tokens(text) for text in sorted(set(texts)) if KANJI.search(text)}
    wanted = {text: title_key(_joined(tokens)) for text, tokens in names.items()}
    words = _commonest(token for tokens in names.values() for token in tokens)
    for length in (2, 3):
        readings = Readings(words)
        wrong = [text for text in names if title_key(readings.read(text)) != wanted[text]]
        counts = Counter(group for tokens in names.values() for group in _groups(tokens, length))
        for text in wrong:
            for written, reading in _groups(names[text], length):
                if " ".join(readings.words(written)) != reading:
                    words[written] = Word(reading, GROUP_WEIGHT * counts[written, reading])
    readings = Readings(words)
    differing = tuple(text for text in names if title_key(readings.read(text)) != wanted[text])
    return words, ReadingsReport(len(words), len(names), differing)


def table_lines(words: dict[str, Word]) -> Iterator[str]:
    """Write a table, sorted by how its words are written."""
    yield HEADER
    for written, word in sorted(words.items()):
        yield f"{written}\t{word.reading}\t{word.count}\n"


def _joined(tokens: list[Token]) -> str:
    text = " ".join(reading or written for written, reading in tokens)
    return romanised(text.replace("っ ", "っ").replace("ッ ", "ッ"))


def _commonest(tokens: Iterable[Token]) -> dict[str, Word]:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for written, reading in tokens:
        if JAPANESE.fullmatch(written):
            counts[written][reading] += 1
    return {written: Word(of.most_common(1)[0][0], of.total()) for written, of in counts.items()}


def _groups(tokens: list[Token], length: int) -> Iterator[Token]:
    """List the groups of so many words in a row that are all kana and kanji."""
    for start in range(len(tokens) - length + 1):
        group = tokens[start : start + length]
        written = "".join(word for word, _ in group)
        if len(written) <= GROUP_CHARS_MAX and JAPANESE.fullmatch(written) and not KANA.fullmatch(written):
            yield written, " ".join(reading or word for word, reading in group)
