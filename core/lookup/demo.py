"""Recorded figures of some hundred songs, which answer when there is no Last.fm key."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from core.domain import Candidate, Found, Origin, Reading, Song, SongName, SongQuery, Source
from core.errors import DataError
from core.lookup.likeness import COMPLETION_LIKENESS, FoldedName, beginning_likeness
from core.lookup.matching import NEARLY_LIKENESS, rank
from core.lookup.normalise import fold, song_key

COLUMNS: Final = (
    *("artist", "track", "album", "listeners", "playcount", "artist_listeners", "artist_playcount"),
    *("tags", "duration_ms", "explicit", "recorded"),
)
TAG_SEPARATOR: Final = "|"
_TRUTH: Final = {"": None, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class _Recorded:
    found: Found
    folded: FoldedName

    @property
    def candidate(self) -> Candidate:
        return Candidate(self.found.song.name, 0.0, listeners=self.found.song.listeners)


class RecordedFigures:
    """A :class:`core.lookup.source.SongSource` over a CSV file held in memory; nothing is ever asked for."""

    def __init__(self, songs: Sequence[Found]) -> None:
        """Take the songs in any order."""
        ranked = sorted(songs, key=lambda found: -(found.song.listeners or found.song.artist_listeners or 0))
        self._songs = {
            song_key(found.song.title, found.song.artist): _Recorded(
                found, FoldedName.of(found.song.title, found.song.artist)
            )
            for found in ranked
        }

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the file.

        Raises:
            DataError: It is missing, lacks a column or holds a value that cannot be; file, row and column named.
        """
        try:
            with path.open(encoding="utf-8", newline="") as file:
                reader = csv.DictReader(file)
                missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
                if missing:
                    raise DataError(f"{path.name} lacks the column {', '.join(missing)}")
                return cls([_found(row, f"{path.name}, row {number}") for number, row in enumerate(reader, start=2)])
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise DataError(f"{path.name} cannot be read: {error}") from error

    def __len__(self) -> int:
        return len(self._songs)

    @property
    def songs(self) -> tuple[Found, ...]:
        """All songs, the best known first."""
        return tuple(recorded.found for recorded in self._songs.values())

    async def find(self, reading: Reading, *, fresh: bool = False) -> Found | None:
        """Fetch the song of exactly this title and artist, spelling apart; ``fresh`` changes nothing."""
        recorded = self._songs.get(song_key(reading.title, reading.artist or ""))
        return None if recorded is None else recorded.found

    async def search(self, reading: Reading) -> tuple[Candidate, ...]:
        """List the songs that are like the reading, the likeliest first, forgiving typos."""
        query = SongQuery(f"{reading.title} {reading.artist or ''}".strip(), (reading,))
        ranked = rank(query, (recorded.candidate for recorded in self._songs.values()))
        return tuple(candidate for candidate in ranked if candidate.score >= NEARLY_LIKENESS)

    async def records(self, name: SongName) -> tuple[Candidate, ...]:
        """List the one record there is of each song; spelling and decoration make no difference."""
        recorded = self._songs.get(song_key(name.title, name.artist))
        return () if recorded is None else (recorded.candidate,)

    def complete(self, prefix: str, limit: int = 25) -> tuple[SongName, ...]:
        """List songs for a half-typed name, the best known first; misspelt ones follow."""
        typed = fold(prefix)
        if not typed:
            return ()
        words = typed.split()
        exact: list[SongName] = []
        alike: list[tuple[float, SongName]] = []
        for recorded in self._songs.values():
            name, known = recorded.found.song.name, recorded.folded.wholes[0].split()
            if all(any(one.startswith(word) for one in known) for word in words):
                exact.append(name)
            elif (likeness := beginning_likeness(typed, recorded.folded)) >= COMPLETION_LIKENESS:
                alike.append((likeness, name))
        alike.sort(key=lambda entry: -entry[0])
        return tuple([*exact, *(name for _, name in alike)][:limit])

    async def aclose(self) -> None:
        """Nothing is open."""


def _found(row: dict[str, str], place: str) -> Found:
    def count(column: str) -> int | None:
        cell = (row[column] or "").strip()
        if cell and not (cell.isascii() and cell.isdecimal()):
            raise DataError(f"{place}, column {column}: {cell[:40]!r} is not a count")
        return int(cell) if cell else None

    def name(column: str) -> str:
        cell = (row[column] or "").strip()
        if not cell:
            raise DataError(f"{place}, column {column}: is empty")
        return cell

    explicit = (row["explicit"] or "").strip()
    if explicit not in _TRUTH:
        raise DataError(f"{place}, column explicit: {explicit[:40]!r} is neither true nor false")
    try:
        recorded = datetime.strptime(name("recorded"), "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        raise DataError(f"{place}, column recorded: {row['recorded'][:40]!r} is not a month like 2025-05") from None
    song = Song(
        title=name("track"),
        artist=name("artist"),
        album=row["album"] or None,
        listeners=count("listeners"),
        playcount=count("playcount"),
        artist_listeners=count("artist_listeners"),
        artist_playcount=count("artist_playcount"),
        tags=tuple(tag for tag in (row["tags"] or "").split(TAG_SEPARATOR) if tag),
        duration_ms=count("duration_ms"),
        explicit=_TRUTH[explicit],
    )
    return Found(song, Source(Origin.RECORDED, recorded))
