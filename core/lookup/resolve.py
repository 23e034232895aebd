"""From a parsed question to the one song that is meant, over catalogue and live source."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeVar

from core.domain import Ambiguous, Candidate, Found, NotFound, Reading, Song, SongName, SongQuery
from core.lookup.matching import Decision, Match, match, prominence
from core.shared_work import SharedWork
from core.worker import Worker

if TYPE_CHECKING:
    from core.lookup.catalog import Catalogue
    from core.lookup.source import SongSource

T = TypeVar("T")

DWARFED: Final = 26.0
"""Points of prominence, about twenty times the listeners: so far above a record found as typed, a likeness wins. The
record is then a common misspelling, or the question in the wrong order."""

EXACT: Final = 99.5
"""Likeness from which the catalogue's spelling is the question's own."""

SEARCHES_KEPT: Final = 256
"""Questions whose search in the catalogue is kept: people in one chat ask the same, and each takes 5 ms of a core."""

READINGS_TRIED: Final = 2
"""Readings of one question that are asked of the source: both orders of title and artist."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the source answered: songs found by name, and candidates from its search."""

    found: tuple[Found, ...] = ()
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class _Spelling:
    """Names worth asking for; ``exact`` if the catalogue has the very song that was typed."""

    names: tuple[Reading, ...]
    exact: bool


_Known = tuple[tuple[Candidate, ...], _Spelling]
"""What the catalogue knows of a question, and the names worth asking for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SongResolver:
    """Finds the song that a question means.

    Attributes:
        source: Answers with figures.
        catalogue: Corrects spelling without the network and adds facts; None if it was not built.
        live: False when only recorded figures can answer, so that a song of the catalogue is no use as a candidate.
        worker: Searches and compares, which takes milliseconds of a core. One thread: several would wait for the one
            catalogue, and each would keep the event loop longer from its turn.
    """

    source: SongSource
    catalogue: Catalogue | None
    live: bool
    worker: Worker = field(default_factory=lambda: Worker("lookup"), repr=False, compare=False)
    _searches: SharedWork[_Known] = field(
        default_factory=lambda: SharedWork(SEARCHES_KEPT), init=False, repr=False, compare=False
    )

    async def resolve(self, query: SongQuery, *, fresh: bool = False) -> Found | Ambiguous | NotFound:
        """Find the song, or the few that may be meant, or say that there is none.

        With an artist in the question one round trip is enough: the name as typed and the catalogue's likeness are
        fetched side by side, and readings without an artist are searched for meanwhile. Only if no name is found are
        the named readings searched for too.

        Raises:
            UpstreamError: The source gave no usable answer and nothing older is at hand.
        """
        known, spelt = await self._searches.get(query, lambda: self.worker.run(self._known, query))
        untitled = () if spelt.exact else tuple(reading for reading in query.readings if reading.artist is None)[:1]
        asked = await self._ask(spelt.names, untitled, fresh=fresh)
        best = _best_known(asked.found)
        decided = await self.worker.run(match, query, (*_as_candidates(asked.found), *asked.candidates, *known))
        if best is None and decided.decision is not Decision.SURE:
            more = await self._ask((), _named(query), fresh=fresh)
            decided = await self.worker.run(match, query, (*asked.candidates, *more.candidates, *known))
        if best is not None and not _is_outshone(best, decided):
            return await self.enriched(best)
        if decided.decision is Decision.SURE:
            found = await self.fetch(decided.candidates[0].name, fresh=fresh)
            if found is not None:
                return found
        if best is not None:
            return await self.enriched(best)
        if decided.decision is Decision.NEARLY:
            return Ambiguous(query, decided.candidates)
        return NotFound(query, tuple(candidate.name for candidate in decided.candidates), key_missing=not self.live)

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
        facts = await self.worker.run(self.catalogue.find, found.song.name)
        return found if facts is None else replace(found, song=_with_facts(found.song, facts))

    def _known(self, query: SongQuery) -> _Known:
        known = self.catalogue.search(query) if self.catalogue is not None and self.live else ()
        return known, _spelling(query, known)

    async def _ask(self, names: Iterable[Reading], searches: Iterable[Reading], *, fresh: bool) -> _Asked:
        """Fetch songs by name and search for others, all side by side; a failure counts only if nothing answers."""
        finding = _gathered([self.source.find(name, fresh=fresh) for name in names])
        searching = _gathered([self.source.search(reading) for reading in searches])
        (found, find_fault), (lists, search_fault) = await asyncio.gather(finding, searching)
        hits = tuple(hit for hit in found if hit is not None)
        candidates = tuple(candidate for listed in lists for candidate in listed)
        fault = find_fault or search_fault
        if fault is not None and not hits and not candidates:
            raise fault
        return _Asked(hits, candidates)


async def _gathered(calls: list[Awaitable[T]]) -> tuple[list[T], BaseException | None]:
    """Await all and return what came back and the first fault, if any."""
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    faults = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    return [outcome for outcome in outcomes if not isinstance(outcome, BaseException)], next(iter(faults), None)


def _named(query: SongQuery) -> tuple[Reading, ...]:
    return tuple(reading for reading in query.readings if reading.artist is not None)[:READINGS_TRIED]


def _spelling(query: SongQuery, known: tuple[Candidate, ...]) -> _Spelling:
    """Choose the names worth a request: both orders as typed, or one order and the catalogue's spelling.

    A title alone is never exact: the catalogue may know only an obscure song of that name.
    """
    named = _named(query)
    if not named:
        return _Spelling((), exact=False)
    likeness = match(replace(query, readings=named), known)
    if likeness.decision is not Decision.SURE:
        return _Spelling(named, exact=False)
    first = likeness.candidates[0]
    spelt = Reading(first.name.title, first.name.artist)
    return _Spelling((spelt,), exact=True) if first.score >= EXACT else _Spelling((named[0], spelt), exact=False)


def _best_known(found: tuple[Found, ...]) -> Found | None:
    """Choose among songs found by name: the likeliest reading's, unless another is far better known."""
    if not found:
        return None
    first, *others = found
    best = max(others, key=_prominence, default=first)
    return best if _prominence(best) - _prominence(first) >= DWARFED else first


def _is_outshone(found: Found, decided: Match) -> bool:
    """Tell whether a song found by name is surely not meant, since another fits and is far better known."""
    if decided.decision is not Decision.SURE:
        return False
    return prominence(decided.candidates[0]) - _prominence(found) >= DWARFED


def _prominence(found: Found) -> float:
    return prominence(_as_candidates((found,))[0])


def _as_candidates(found: Iterable[Found]) -> tuple[Candidate, ...]:
    return tuple(Candidate(hit.song.name, 0.0, listeners=hit.song.listeners, credits=hit.song.credits) for hit in found)


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
