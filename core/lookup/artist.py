"""From a typed name to an artist's songs with their figures, over the live source and what is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from core.concurrency import SerialExecutor
from core.domain import ArtistNotFound, ArtistSongs, Candidate, Song
from core.errors import UpstreamError
from core.lookup.matching import NEARLY_SIMILARITY, ArtistMatch, prominence, sure_artist
from core.lookup.resolver import DWARFED, EXACT, completed

if TYPE_CHECKING:
    from core.lookup.catalogue import Catalogue

SUGGESTIONS_MAX: Final = 3
"""Names told when no artist is near enough."""


class ArtistSource(Protocol):
    """Lists artists' songs: Last.fm live, or what was once recorded."""

    async def artist_songs(self, artist: str) -> ArtistSongs | None:
        """List an artist's most heard songs; None if the source has no such artist, or no song of that name's.

        Raises:
            UpstreamError: The source gave no usable answer and nothing older is at hand.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtistLookup:
    """Finds the artist that a name means.

    Attributes:
        source: Answers with figures.
        fallback: Answers when the source gives no usable answer; None does without.
        artists: Lists the artists like a name, from memory or a local file, blocking for milliseconds.
        catalogue: Adds facts to the songs; None if it was not built.
        live: False when nothing but what was once recorded can answer, for want of a Last.fm key.
        worker: Searches and compares.
    """

    source: ArtistSource
    artists: Callable[[str], tuple[ArtistMatch, ...]]
    catalogue: Catalogue | None
    live: bool
    worker: SerialExecutor
    fallback: ArtistSource | None = None

    async def find(self, name: str) -> ArtistSongs | ArtistNotFound:
        """Find an artist's songs by a typed name.

        Raises:
            UpstreamError: The source gave no usable answer, nothing older is at hand and the fallback has no such
                artist.
        """
        matches = await self.worker.run(self.artists, name)
        try:
            found = await self._listed(self.source, name, matches)
        except UpstreamError:
            found = None if self.fallback is None else await self._listed(self.fallback, name, matches)
            if found is None:
                raise
            return replace(found, source=replace(found.source, stale=True))
        if found is None:
            near = [one.name for one in matches if one.score >= NEARLY_SIMILARITY]
            return ArtistNotFound(name, tuple(near[:SUGGESTIONS_MAX]), key_missing=not self.live)
        if self.live and self.catalogue is not None:
            # What the catalogue answers by itself stays as it is; see SongResolver.
            found = replace(found, songs=await self.worker.run(self._with_facts, found, self.catalogue))
        return found

    async def _listed(self, source: ArtistSource, name: str, matches: tuple[ArtistMatch, ...]) -> ArtistSongs | None:
        """Ask for the name as typed and, side by side, for the artist who is surely meant by it.

        One request is enough for a name in the very spelling. Otherwise the typed one counts unless the other is far
        better known: many a misspelling has a record of its own.
        """
        sure = sure_artist(matches)
        names = [name] if sure is None else [sure.name] if sure.score >= EXACT else [name, sure.name]
        outcomes = await asyncio.gather(*map(source.artist_songs, names), return_exceptions=True)
        found = [outcome for outcome in outcomes if isinstance(outcome, ArtistSongs)]
        faults = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        if not found and faults:
            raise faults[0]
        if not found:
            return None
        first, best = found[0], found[-1]
        return best if _prominence(best) - _prominence(first) >= DWARFED else first

    @staticmethod
    def _with_facts(found: ArtistSongs, catalogue: Catalogue) -> tuple[Song, ...]:
        entries = [(song, catalogue.find(song.name)) for song in found.songs]
        return tuple(song if entry is None else completed(song, entry.song, None) for song, entry in entries)


def _prominence(found: ArtistSongs) -> float:
    """How well known the best known of the songs is, 0 to 100."""
    return max(prominence(Candidate(song.name, 0.0, listeners=song.listeners)) for song in found.songs)
