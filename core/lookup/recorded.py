"""Answers without Last.fm: recorded figures of some hundred songs, else what the catalogue knows of a song."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from core.domain import (
    ArtistSongs,
    Candidate,
    Found,
    Origin,
    Reading,
    RecordedPopularity,
    Song,
    SongName,
    SongQuery,
    Source,
)
from core.limits import ARTIST_SONGS_MAX
from core.lookup.dataset import RECORDED_ON, CatalogueEntry
from core.lookup.matching import (
    COMPLETION_SIMILARITY,
    NEARLY_SIMILARITY,
    ArtistMatch,
    FoldedName,
    beginning_similarity,
    match_artists,
    rank,
)
from core.lookup.normalise import artist_key, normalize, song_key
from core.tables import TAG_SEPARATOR, TableRow, read_table
from core.text import parse_release_date

if TYPE_CHECKING:
    from core.concurrency import SerialExecutor
    from core.lookup.catalogue import Catalogue

COLUMNS: Final = (
    *("artist", "track", "album", "listeners", "playcount", "artist_listeners", "artist_playcount"),
    *("tags", "duration_ms", "explicit", "recorded", "released", "kind"),
)


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
    """A :class:`core.lookup.resolver.SongSource` over a CSV file held in memory; nothing is ever asked for."""

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
        return cls([_recorded(row) for row in read_table(path, *((name,) for name in COLUMNS))])

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
        return tuple(candidate for candidate in ranked if candidate.score >= NEARLY_SIMILARITY)

    async def records(self, name: SongName) -> tuple[Candidate, ...]:
        """List the one record there is of each song; spelling and decoration make no difference."""
        recorded = self._songs.get(song_key(name.title, name.artist))
        return () if recorded is None else (recorded.candidate,)

    def artists(self, asked: str) -> tuple[ArtistMatch, ...]:
        """List the recorded artists that are like a name, the likeliest first, forgiving typos."""
        return match_artists(asked, (entry.candidate for entry in self._songs.values()))

    def songs_by(self, artist: str) -> tuple[Found, ...]:
        """List an artist's recorded songs, the best known first."""
        key = artist_key(artist)
        return tuple(entry.found for entry in self._songs.values() if artist_key(entry.found.song.artist) == key)

    def complete(self, prefix: str, limit: int = 25) -> tuple[SongName, ...]:
        """List songs for a half-typed name, the best known first; misspelt ones follow. An empty name fits all."""
        if not prefix.strip():
            return tuple(entry.found.song.name for entry in self._songs.values())[:limit]
        typed = normalize(prefix)
        if not typed:
            return ()
        words = typed.split()
        exact: list[SongName] = []
        alike: list[tuple[float, SongName]] = []
        for entry in self._songs.values():
            name, known = entry.found.song.name, entry.folded.wholes[0].split()
            if all(any(one.startswith(word) for one in known) for word in words):
                exact.append(name)
            elif (similarity := beginning_similarity(typed, entry.folded)) >= COMPLETION_SIMILARITY:
                alike.append((similarity, name))
        alike.sort(key=lambda scored: -scored[0])
        return tuple([*exact, *(name for _, name in alike)][:limit])

    async def aclose(self) -> None:
        """Nothing is open."""


def _audience(recorded: RecordedSong) -> int:
    song = recorded.found.song
    return song.listeners or song.artist_listeners or 0


def _recorded(row: TableRow) -> RecordedSong:
    def count(column: str) -> int | None:
        cell = row.text(column)
        if cell and not (cell.isascii() and cell.isdecimal()):
            raise row.fault(column, f"{cell[:40]!r} is not a count")
        return int(cell) if cell else None

    def name(column: str) -> str:
        cell = row.text(column)
        if not cell:
            raise row.fault(column, "is empty")
        return cell

    try:
        recorded = datetime.strptime(name("recorded"), "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        raise row.fault("recorded", f"{row.text('recorded')[:40]!r} is not a month like 2025-05") from None
    written = row.text("released")
    released = parse_release_date(written)
    if written and released is None:
        raise row.fault("released", f"{written[:40]!r} is neither a day like 2019-11-29 nor a year")
    song = Song(
        title=name("track"),
        artist=name("artist"),
        album=row.text("album") or None,
        released=released,
        listeners=count("listeners"),
        playcount=count("playcount"),
        artist_listeners=count("artist_listeners"),
        artist_playcount=count("artist_playcount"),
        tags=tuple(tag for tag in row.text("tags").split(TAG_SEPARATOR) if tag),
        duration_ms=count("duration_ms"),
        explicit=row.truth("explicit") if row.text("explicit") else None,
    )
    return RecordedSong(Found(song, Source(Origin.RECORDED, recorded)), row.text("kind"))


CATALOGUE_SOURCE: Final = Source(Origin.CATALOGUE, datetime.combine(RECORDED_ON, time(), UTC))


class CatalogueSource:
    """A :class:`core.lookup.resolver.SongSource` over recorded figures and the catalogue; nothing is ever asked for.

    A song of the catalogue is given as the model learnt it, with the title as the data set writes it, so that what was
    measured with genres, audio, title and credits alone is what answers.
    """

    def __init__(self, recorded: RecordedFigures | None, catalogue: Catalogue | None, worker: SerialExecutor) -> None:
        """Take what is at hand, either of which may be missing; ``worker`` looks into the catalogue."""
        self._recorded = recorded
        self._catalogue = catalogue
        self._worker = worker

    async def find(self, reading: Reading, *, fresh: bool = False) -> Found | None:
        """Fetch the song of exactly this title and artist, spelling apart; ``fresh`` changes nothing."""
        if self._recorded is not None and (found := await self._recorded.find(reading)) is not None:
            return found
        if self._catalogue is None:
            return None
        entry = await self._worker.run(self._catalogue.find, SongName(reading.title, reading.artist or ""))
        return None if entry is None else _found(entry)

    async def search(self, reading: Reading) -> tuple[Candidate, ...]:
        """List the recorded songs that are like the reading; whoever resolves searches the catalogue anyway."""
        return () if self._recorded is None else await self._recorded.search(reading)

    async def records(self, name: SongName) -> tuple[Candidate, ...]:
        """List the one record there is of a recorded song."""
        return () if self._recorded is None else await self._recorded.records(name)

    async def artist_songs(self, artist: str) -> ArtistSongs | None:
        """List an artist's songs; see :meth:`core.lookup.artist.ArtistSource.artist_songs`.

        Each is given as :meth:`find` gives it, so that a song says the same in the list and by itself. They are called
        songs of the catalogue unless figures of all are recorded.
        """
        found = {
            song_key(one.song.title, one.song.artist): one
            for one in (() if self._recorded is None else self._recorded.songs_by(artist))
        }
        if self._catalogue is not None:
            for entry in await self._worker.run(self._catalogue.songs_by, artist, ARTIST_SONGS_MAX):
                found.setdefault(song_key(entry.song.title, entry.song.artist), _found(entry))
        if not found:
            return None
        listed = tuple(found.values())[:ARTIST_SONGS_MAX]
        whole = all(one.source.origin is Origin.RECORDED for one in listed)
        source = min((one.source for one in listed), key=lambda one: one.as_of) if whole else CATALOGUE_SOURCE
        return ArtistSongs(listed[0].song.artist, tuple(one.song for one in listed), source)

    async def aclose(self) -> None:
        """Leave the catalogue open: it belongs to whoever opened it."""


def recorded_popularity(entry: CatalogueEntry) -> RecordedPopularity:
    """Return what the catalogue says of a song's popularity, with its year."""
    return RecordedPopularity(entry.popularity, RECORDED_ON.year, entry.rerelease)


def _found(entry: CatalogueEntry) -> Found:
    song = replace(entry.song, title=entry.full_title or entry.song.title)
    return Found(song, CATALOGUE_SOURCE, recorded_popularity(entry))
