"""From a parsed question to the one song that is meant, over catalogue and live source."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.domain import Ambiguous, Candidate, Found, NotFound, Reading, Song, SongName, SongQuery
from core.limits import CANDIDATES_MAX
from core.lookup.matching import Decision, Match, match

if TYPE_CHECKING:
    from core.lookup.catalog import Catalogue
    from core.lookup.source import SongSource

DWARFED = 20
"""A record typed to the letter loses to a likeness with this many times its listeners: it is a common misspelling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SongResolver:
    """Finds the song that a question means.

    Attributes:
        source: Answers with figures.
        catalogue: Corrects spelling without the network and adds facts; None if it was not built.
        live: False when only recorded figures can answer, so that a song of the catalogue is no use as a candidate.
    """

    source: SongSource
    catalogue: Catalogue | None
    live: bool

    async def resolve(self, query: SongQuery, *, fresh: bool = False) -> Found | Ambiguous | NotFound:
        """Find the song, or the few that may be meant, or say that there is none.

        With an artist in the question one round trip is enough: the name as typed and the catalogue's likeness are
        fetched side by side. Only if neither is there is the source's search asked.

        Raises:
            UpstreamError: The source gave no usable answer and nothing older is at hand.
        """
        known = await self._search_catalogue(query)
        named = [reading for reading in query.readings if reading.artist is not None]
        if named:
            found = await self._find_named(named[0], known, fresh=fresh)
            if found is not None:
                return await self.enriched(found)
        return await self._search(query, known, named[1:], fresh=fresh)

    async def fetch(self, name: SongName, *, fresh: bool = False) -> Found | None:
        """Fetch a song by the name a source once gave it; None if it is gone.

        Raises:
            UpstreamError: As for :meth:`resolve`.
        """
        found = await self.source.find(Reading(name.title, name.artist), fresh=fresh)
        return None if found is None else await self.enriched(found)

    async def enriched(self, found: Found) -> Found:
        """Add what the catalogue knows of the song and the source does not."""
        if self.catalogue is None:
            return found
        facts = await asyncio.to_thread(self.catalogue.find, found.song.name)
        return found if facts is None else replace(found, song=_with_facts(found.song, facts))

    async def _search_catalogue(self, query: SongQuery) -> tuple[Candidate, ...]:
        if self.catalogue is None or not self.live:
            return ()
        return await asyncio.to_thread(self.catalogue.search, query)

    async def _find_named(self, typed: Reading, known: tuple[Candidate, ...], *, fresh: bool) -> Found | None:
        """Fetch the song as typed and as the catalogue spells it; the better known of the two wins."""
        likeness = _sure(match(SongQuery(f"{typed.title} {typed.artist}", (typed,)), known))
        readings = [typed]
        if likeness is not None and likeness != typed:
            readings.append(likeness)
        results = await asyncio.gather(
            *(self.source.find(reading, fresh=fresh) for reading in readings), return_exceptions=True
        )
        found = [result for result in results if isinstance(result, Found)]
        if not found:
            for result in results:
                if isinstance(result, BaseException):
                    raise result
            return None
        first, *others = found
        return others[0] if others and _listeners(others[0]) > DWARFED * max(_listeners(first), 1) else first

    async def _search(
        self, query: SongQuery, known: tuple[Candidate, ...], untried: list[Reading], *, fresh: bool
    ) -> Found | Ambiguous | NotFound:
        """Ask the source's search about every reading and decide over all candidates."""
        searches = await asyncio.gather(*(self.source.search(reading) for reading in query.readings[:2]))
        candidates = [candidate for result in searches for candidate in result]
        decided = match(query, [*candidates, *known])
        sure = _sure(decided)
        readings = [sure] if sure is not None else [] if decided.candidates else untried
        for reading in readings:
            found = await self.source.find(reading, fresh=fresh)
            if found is not None:
                return await self.enriched(found)
        if decided.decision is Decision.NEARLY:
            return Ambiguous(query, decided.candidates[:CANDIDATES_MAX])
        suggestions = tuple(candidate.name for candidate in decided.candidates[:CANDIDATES_MAX])
        return NotFound(query, suggestions, key_missing=not self.live)


def _sure(decided: Match) -> Reading | None:
    if decided.decision is not Decision.SURE:
        return None
    name = decided.candidates[0].name
    return Reading(name.title, name.artist)


def _listeners(found: Found) -> int:
    return found.song.listeners or 0


def _with_facts(song: Song, facts: Song) -> Song:
    """Fill what ``song`` lacks from the catalogue's ``facts``; live figures are never overwritten."""
    return replace(
        song,
        credits=facts.credits,
        genres=facts.genres,
        audio=facts.audio,
        explicit=facts.explicit if song.explicit is None else song.explicit,
        album=song.album or facts.album,
        duration_ms=song.duration_ms or facts.duration_ms,
    )
