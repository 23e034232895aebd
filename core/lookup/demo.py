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
from core.released import parse_release_date

COLUMNS: Final = (
    *("artist", "track", "album", "listeners", "playcount", "artist_listeners", "artist_playcount"),
    *("tags", "duration_ms", "explicit", "recorded", "released", "kind"),
)
TAG_SEPARATOR: Final = "|"
_TRUTH: Final = {"": None, "true": True, "false": False}


@dataclass(frozen=True, slots=True)
class RecordedSong:
    """A recorded song and what it is an example of, such as "hit" or "oldie"; empty when of nothing in particular."""

    found: Found
    kind: str = ""


@dataclass(frozen=True, slots=True)
class _Entry:
    recorded: RecordedSong
    folded: FoldedName

    @property
    def found(self) -> Found:
        return self.recorded.found

    @property
    def candidate(self) -> Candidate:
        return Candidate(self.found.song.name, 0.0, listeners=self.found.song.listeners)


class RecordedFigures:
    """A :class:`core.lookup.source.SongSource` over a CSV file held in memory; nothing is ever asked for."""

    def __init__(self, songs: Sequence[RecordedSong]) -> None:
        """Take the songs in any order."""
        self._songs: dict[str, _Entry] = {}
        for recorded in sorted(songs, key=_audience, reverse=True):
            song = recorded.found.song
            self._songs[song_key(song.title, song.artist)] = _Entry(recorded, FoldedName.of(song.title, song.artist))

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
                return cls([_recorded(row, f"{path.name}, row {number}") for number, row in enumerate(reader, start=2)])
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise DataError(f"{path.name} cannot be read: {error}") from error

    def __len__(self) -> int:
        return len(self._songs)

    @property
    def songs(self) -> tuple[Found, ...]:
        """All songs, the best known first."""
        return tuple(entry.found for entry in self._songs.values())

    @property
    def recorded(self) -> tuple[RecordedSong, ...]:
        """All songs with their kinds, the best known first."""
        return tuple(entry.recorded for entry in self._songs.values())

    async def find(self, reading: Reading, *, fresh: bool = False) -> Found | None:
        """Fetch the song of exactly this title and artist, spelling apart; ``fresh`` changes nothing."""
        entry = self._songs.get(song_key(reading.title, reading.artist or ""))
        return None if entry is None else entry.found

    async def search(self, reading: Reading) -> tuple[Candidate, ...]:
        """List the songs that are like the reading, the likeliest first, forgiving typos."""
        query = SongQuery(f"{reading.title} {reading.artist or ''}".strip(), (reading,))
        ranked = rank(query, (entry.candidate for entry in self._songs.values()))
        return tuple(candidate for candidate in ranked if candidate.score >= NEARLY_LIKENESS)

    async def records(self, name: SongName) -> tuple[Candidate, ...]:
        """List the one record there is of each song; spelling and decoration make no difference."""
        recorded = self._songs.get(song_key(name.title, name.artist))
        return () if recorded is None else (recorded.candidate,)

    def complete(self, prefix: str, limit: int = 25) -> tuple[SongName, ...]:
        """List songs for a half-typed name, the best known first; misspelt ones follow. An empty name fits all."""
        if not prefix.strip():
            return tuple(entry.found.song.name for entry in self._songs.values())[:limit]
        typed = fold(prefix)
        if not typed:
            return ()
        words = typed.split()
        exact: list[SongName] = []
        alike: list[tuple[float, SongName]] = []
        for entry in self._songs.values():
            name, known = entry.found.song.name, entry.folded.wholes[0].split()
            if all(any(one.startswith(word) for one in known) for word in words):
                exact.append(name)
            elif (likeness := beginning_likeness(typed, entry.folded)) >= COMPLETION_LIKENESS:
                alike.append((likeness, name))
        alike.sort(key=lambda scored: -scored[0])
        return tuple([*exact, *(name for _, name in alike)][:limit])

    async def aclose(self) -> None:
        """Nothing is open."""


def _audience(recorded: RecordedSong) -> int:
    song = recorded.found.song
    return song.listeners or song.artist_listeners or 0


def _recorded(row: dict[str, str], place: str) -> RecordedSong:
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
    written = (row["released"] or "").strip()
    released = parse_release_date(written)
    if written and released is None:
        raise DataError(f"{place}, column released: {written[:40]!r} is neither a day like 2019-11-29 nor a year")
    song = Song(
        title=name("track"),
        artist=name("artist"),
        album=row["album"] or None,
        released=released,
        listeners=count("listeners"),
        playcount=count("playcount"),
        artist_listeners=count("artist_listeners"),
        artist_playcount=count("artist_playcount"),
        tags=tuple(tag for tag in (row["tags"] or "").split(TAG_SEPARATOR) if tag),
        duration_ms=count("duration_ms"),
        explicit=_TRUTH[explicit],
    )
    return RecordedSong(Found(song, Source(Origin.RECORDED, recorded)), (row["kind"] or "").strip())
