"""From a parsed question to the one song that is meant, over catalogue and live source.

Last.fm keeps "X", "X (feat. Y)" and "X - From the film" apart, each with its listeners. Which records are one song is
decided by :func:`core.lookup.normalise.song_key`: decoration makes no other song, a remix or a live version is one. Of
several records of one song the one that most people play answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from core.concurrency import SerialExecutor, SingleFlight, deadline, deadline_at
from core.domain import Ambiguous, Candidate, Found, NotFound, Origin, Reading, Release, Song, SongName, SongQuery
from core.errors import UpstreamError
from core.lookup.catalogue import with_facts
from core.lookup.dataset import CatalogueEntry
from core.lookup.matching import Decision, Exactness, Match, exactness, match, prominence, text_similarity
from core.lookup.normalise import asked_versions, normalize, plain_title, song_key, title_key, version_words
from core.lookup.recorded import recorded_popularity

if TYPE_CHECKING:
    from core.lookup.catalogue import Catalogue
    from core.lookup.release import ReleaseLookup


class SongSource(Protocol):
    """Finds songs and their figures: Last.fm live, or the recorded figures without a key."""

    async def find(self, reading: Reading, *, fresh: bool = False) -> Found | None:
        """Fetch the song named by title and artist; None if the source has no such song.

        Args:
            reading: Title and artist; both must be given.
            fresh: Ask anew even if a cached answer is at hand.

        Raises:
            UpstreamError: The source gave no usable answer and nothing older is at hand.
        """
        ...

    async def search(self, reading: Reading) -> tuple[Candidate, ...]:
        """List songs that may be meant, in the source's own order; the artist may be None.

        Raises:
            UpstreamError: As for :meth:`find`.
        """
        ...

    async def records(self, name: SongName) -> tuple[Candidate, ...]:
        """List what the source holds of this title and artist, under the plain title and decorated ones.

        One request, for a source that asks. Other recordings of the song and mere similarities may be among them.

        Raises:
            UpstreamError: As for :meth:`find`.
        """
        ...

    async def aclose(self) -> None:
        """Free connections; the source cannot be used afterwards."""
        ...


SMALL_SHARE: Final = 0.05
"""Share of the artist's listeners below which a song may have a record that more people play.

Measured on 20,203 songs with Last.fm figures, 387 of them split over records of which one has more than three times the
listeners of another: with 0.05 the most heard record answers for 385 of the 387, and for 118 of the 119 that 20,000
people or more play (before: 97), at 4.23 requests a question over 600 songs of all kinds instead of 4.18. With 0.02 it
is 380 and 115 at 4.22. Most questions are searched for anyway; of those in the catalogue's very spelling, which
are not, one in four is searched for.
"""


def is_same_song(first: SongName, second: SongName) -> bool:
    """Return whether two names are of the same recording of the same song."""
    return song_key(first.title, first.artist) == song_key(second.title, second.artist)


def records_of(name: SongName, candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Pick the candidates whose listeners are known and that are records of this song, the most heard first."""
    records = [one for one in candidates if one.listeners is not None and is_same_song(name, one.name)]
    return tuple(sorted(records, key=lambda one: -(one.listeners or 0)))


def is_decorated(name: SongName) -> bool:
    """Return whether a title says more than the song's name, "(feat. Y)" or "- From the film"."""
    return plain_title(name.title) != name.title.strip()


def may_be_split(song: Song) -> bool:
    """Return whether a found record is so little heard for its artist that another one may be what people play."""
    if song.listeners is None or not song.artist_listeners:
        return False
    return song.listeners < SMALL_SHARE * song.artist_listeners


RECORDS_TRIED: Final = 2
"""Further records of a song that are asked for when the source lacks its very name: the first may be a misspelling."""

PATIENCE_S: Final = 2.5
"""Longest that an answer at hand waits for a better record, by two calls in turn at most: of the 8 s that people wait,
time is left for the cover and the card."""

OLD_PATIENCE_S: Final = 0.4
"""The same for an old answer: what is newer was waited for already, and another old one is at hand at once or never."""


async def fetch_most_heard(
    source: SongSource, name: SongName, listed: tuple[Candidate, ...] = (), *, fresh: bool = False
) -> Found | None:
    """Fetch a song from its most heard record, also if the source lacks the very name; None if it has none at all.

    Args:
        source: Where the records are.
        name: The song.
        listed: What the source listed already; another list is asked for only if the song is not in it.
        fresh: Ask for new figures even if cached ones are at hand.

    Raises:
        UpstreamError: The source gave no usable answer and nothing older is at hand.
    """
    found = await source.find(Reading(name.title, name.artist), fresh=fresh)
    if found is not None:
        return await most_heard(source, found, listed, fresh=fresh)
    records = records_of(name, listed) or records_of(name, await source.records(name))
    for other in [one.name for one in records if one.name != name][:RECORDS_TRIED]:
        found = await source.find(Reading(other.title, other.artist), fresh=fresh)
        if found is not None:
            return found
    return None


async def most_heard(
    source: SongSource, found: Found, listed: tuple[Candidate, ...] = (), *, fresh: bool = False
) -> Found:
    """Exchange a record for that of the same song which most people play; the record itself if none is at hand.

    The records ``listed`` are compared; only if the song is not among them, and it is little heard for its artist,
    they are asked for. A source that fails or is slow costs no more than the exchange.
    """
    try:
        with deadline(OLD_PATIENCE_S if found.source.stale else PATIENCE_S):
            return await _exchanged(source, found, listed, fresh=fresh)
    except UpstreamError:
        return found


async def _exchanged(source: SongSource, found: Found, listed: tuple[Candidate, ...], *, fresh: bool) -> Found:
    listeners = found.song.listeners or 0
    records = records_of(found.song.name, listed)
    if not records and may_be_split(found.song):
        records = records_of(found.song.name, await source.records(found.song.name))
    if not records or (records[0].listeners or 0) <= listeners:
        return found
    greatest = await source.find(Reading(records[0].name.title, records[0].name.artist), fresh=fresh)
    return found if greatest is None or (greatest.song.listeners or 0) <= listeners else greatest


T = TypeVar("T")

DWARFED: Final = 26.0
"""Points of prominence, about twenty times the listeners: so far above a record found as typed, a similarity wins. The
record is then a common misspelling, or the question in the wrong order."""

OVERRIDING_SIMILARITY: Final = 90.0
"""Least similarity of their names from which a song overrides one that was found as typed: "Una Flor" is no misspelling
of "Una Locura", though Ozuna sings both and one is forty times as heard."""

EXACT: Final = 99.5
"""Similarity from which the catalogue's spelling is the question's own."""

SEARCHES_KEPT: Final = 256
"""Questions whose search in the catalogue is kept: people in one chat ask the same, and each takes 5 ms of a core."""

RELEASE_WAIT_S: Final = 0.4
"""Longest that an answer waits for the song's release once its figures are there."""

READINGS_TRIED: Final = 2
"""Readings of one question that are asked of the source: both orders, or one and the text as it was typed."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the source answered: songs found by name, and candidates from its search."""

    found: tuple[Found, ...] = ()
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class _Spelling:
    """Names worth asking for.

    Attributes:
        names: Titles with artists, the likeliest first.
        exact: Whether the catalogue has the very song that was typed.
        decorated: The song, if the catalogue knows it under a decorated title: its records are worth listing.
        likeliest: The name whose release is looked up before the source has answered; None for a title alone.
    """

    names: tuple[Reading, ...]
    exact: bool = False
    decorated: tuple[SongName, ...] = ()
    likeliest: SongName | None = None


@dataclass(frozen=True, slots=True)
class _Begun:
    """The look-up of a release under way, and whose it is."""

    name: SongName
    task: asyncio.Task[Release | None]


_Known = tuple[SongQuery, tuple[Candidate, ...], _Spelling]
"""The question as it is meant, what the catalogue knows of it, and the names worth asking for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SongResolver:
    """Finds the song that a question means.

    Attributes:
        source: Answers with figures.
        fallback: Answers when the source gives no usable answer or lacks the song; None does without.
        catalogue: Corrects spelling without the network and adds facts; None if it was not built.
        releases: Looks up the songs' releases beside the source; None does without them.
        release_wait_s: Seconds that an answer waits for the release after the figures came.
        live: False when nothing but what was once recorded can answer, for want of a Last.fm key.
        worker: Searches and compares, which takes milliseconds of a core. One thread: several would wait for the one
            catalogue, and each would keep the event loop longer from its turn.
    """

    source: SongSource
    catalogue: Catalogue | None
    live: bool
    fallback: SongSource | None = None
    releases: ReleaseLookup | None = None
    release_wait_s: float = RELEASE_WAIT_S
    worker: SerialExecutor = field(default_factory=lambda: SerialExecutor("lookup"), repr=False, compare=False)
    _searches: SingleFlight[_Known] = field(
        default_factory=lambda: SingleFlight(SEARCHES_KEPT), init=False, repr=False, compare=False
    )

    async def resolve(self, query: SongQuery, *, fresh: bool = False) -> Found | Ambiguous | NotFound:
        """Find the song, or the few that may be meant, or say that there is none.

        If the source fails, the same search goes over the fallback; what that finds is marked as not up to date.

        Raises:
            UpstreamError: The source gave no usable answer, nothing older is at hand and the fallback has no such song.
        """
        try:
            return await self._resolved(query, fresh=fresh)
        except UpstreamError:
            if self.fallback is None:
                raise
            instead = await replace(self, source=self.fallback, fallback=None).resolve(query)
            if isinstance(instead, NotFound):
                raise
            return _not_up_to_date(instead) if isinstance(instead, Found) else instead

    async def _resolved(self, query: SongQuery, *, fresh: bool) -> Found | Ambiguous | NotFound:
        """Find the song over the source alone.

        With an artist in the question one round trip is enough: the name as typed and the catalogue's similarity are
        fetched side by side, and readings without an artist are searched for meanwhile. Only if no name is found are
        the named readings searched for too. Of several records of the song the most heard answers. The release of the
        likeliest name is looked up from the beginning. A song that is surely in the catalogue and not in the source is
        answered from the fallback.

        Raises:
            UpstreamError: The source gave no usable answer and nothing older is at hand.
        """
        query, known, spelt = await self._searches.get(query, lambda: self.worker.run(self._known, query))
        begun = self._begin(spelt.likeliest)
        untitled = () if spelt.exact else tuple(reading for reading in query.readings if reading.artist is None)[:1]
        asked = await self._ask(spelt.names, untitled, spelt.decorated, likeliest=spelt.likeliest, fresh=fresh)
        best, listed = _best_known(asked.found), asked.candidates
        decided = await self.worker.run(match, query, (*_as_candidates(asked.found), *listed, *known))
        if best is None and decided.decision is not Decision.SURE:
            listed += (await self._ask((), _named(query), fresh=fresh)).candidates
            decided = await self.worker.run(match, query, (*listed, *known))
        if best is not None and not _is_overridden(best, decided):
            return await self._enriched(await most_heard(self.source, best, listed, fresh=fresh), begun)
        if decided.decision is Decision.SURE:
            sure = decided.candidates[0].name
            found = await fetch_most_heard(self.source, sure, listed, fresh=fresh)
            if found is None and best is None:
                found = await self._under_another_name(query, sure, fresh=fresh)
                # "Lake - KR Ver." is of the same kind as "Lake - Japanese Version", but another recording.
                named = not asked_versions(query.text) or exactness(query, decided.candidates[0]) is not Exactness.NO
                if found is None and named:
                    found = await self._recorded(sure)
            if found is not None:
                return await self._enriched(found, begun)
        if best is not None:
            return await self._enriched(await most_heard(self.source, best, listed, fresh=fresh), begun)
        if decided.decision is Decision.LIKELY:
            found = await fetch_most_heard(self.source, decided.candidates[0].name, listed, fresh=fresh)
            if found is not None:
                return replace(await self._enriched(found, begun), others=_others(found, decided))
        if decided.decision in (Decision.NEARLY, Decision.LIKELY):
            return Ambiguous(query, decided.candidates)
        return NotFound(query, _suggestions(decided), key_missing=not self.live)

    async def names_a_song(self, query: SongQuery) -> bool:
        """Return whether the catalogue has a song of a text that may compare two; never uses the network."""
        if self.catalogue is None:
            return False
        found = await self.worker.run(self.catalogue.search, query)
        decided = await self.worker.run(match, query, found)
        if decided.decision not in (Decision.SURE, Decision.LIKELY):
            return False
        likeliest = decided.candidates[0]
        # "A Little Less Conversation - Elvis vs JXL" is by "Elvis Presley vs JXL"; "Halo - Beyoncé vs Hello" are two.
        told = "vs" in normalize(str(likeliest.name)).split()
        return told or (decided.decision is Decision.SURE and exactness(query, likeliest) is not Exactness.NO)

    async def fetch(self, name: SongName, *, fresh: bool = False) -> Found | None:
        """Fetch a song by the name a source once gave it, from its most heard record; None if it is gone.

        Raises:
            UpstreamError: As for :meth:`resolve`.
        """
        begun = self._begin(name)
        try:
            found = await fetch_most_heard(self.source, name, fresh=fresh) or await self._recorded(name)
        except UpstreamError:
            recorded = await self._recorded(name)
            if recorded is None:
                raise
            found = _not_up_to_date(recorded)
        return None if found is None else await self._enriched(found, begun)

    async def _recorded(self, name: SongName) -> Found | None:
        """Fetch a song from the fallback, if there is one."""
        return None if self.fallback is None else await self.fallback.find(Reading(name.title, name.artist))

    async def _enriched(self, found: Found, begun: _Begun | None) -> Found:
        """Add what catalogue and release say of the song and the source does not.

        The release is waited for :attr:`release_wait_s` at most, within the time that the question has left. A song
        that the catalogue answers by itself stays as it is: how good such answers are was measured on its facts alone.
        """
        if found.source.origin is Origin.CATALOGUE:
            return found
        name = found.song.name
        release, entry = await asyncio.gather(self._release(name, begun), self._entry(name))
        facts = None if entry is None else entry.song
        popularity = None if entry is None else recorded_popularity(entry)
        return replace(found, song=completed(found.song, facts, release), popularity=popularity)

    def _begin(self, name: SongName | None) -> _Begun | None:
        return None if self.releases is None or name is None else _Begun(name, self.releases.begin(name))

    async def _release(self, name: SongName, begun: _Begun | None) -> Release | None:
        if self.releases is None:
            return None
        seconds = deadline_at(self.release_wait_s) - asyncio.get_running_loop().time()
        if begun is not None and is_same_song(begun.name, name):
            return await self.releases.wait(begun.task, seconds)
        return await self.releases.within(name, seconds)

    async def _entry(self, name: SongName) -> CatalogueEntry | None:
        return None if self.catalogue is None else await self.worker.run(self.catalogue.find, name)

    def _known(self, query: SongQuery) -> _Known:
        if query.literal is not None and self.catalogue is not None:
            # "Is It Love?" is a question only as long as there is no song of that name.
            literal = self.catalogue.search(query.literal)
            if literal and exactness(query.literal, literal[0]) is not Exactness.NO:
                query = query.literal
        known = self.catalogue.search(query) if self.catalogue is not None else ()
        return query, known, _spelling(query, known)

    async def _ask(
        self,
        names: Iterable[Reading],
        searches: Iterable[Reading],
        records: Iterable[SongName] = (),
        *,
        likeliest: SongName | None = None,
        fresh: bool,
    ) -> _Asked:
        """Fetch songs by name and search for others, all side by side.

        Raises:
            UpstreamError: Nothing answers, or not for the ``likeliest`` name: what another found is another song.
        """
        finding = _gathered([self.source.find(name, fresh=fresh) for name in names])
        searching = _gathered([*map(self.source.search, searches), *map(self.source.records, records)])
        (found, find_fault), (lists, search_fault) = await asyncio.gather(finding, searching)
        hits = tuple(hit for hit in found if hit is not None)
        candidates = tuple(candidate for listed in lists for candidate in listed)
        fault = find_fault or search_fault
        if fault is not None and not hits and not candidates:
            raise fault
        # "Halo - Beyoncé" unanswered is not a song "Beyoncé" of somebody called Halo.
        lost = hits and likeliest is not None and not any(is_same_song(hit.song.name, likeliest) for hit in hits)
        if find_fault is not None and lost:
            raise find_fault
        return _Asked(hits, candidates)

    async def _under_another_name(self, query: SongQuery, sure: SongName, *, fresh: bool) -> Found | None:
        """Search for a song of the catalogue that the source lists under another artist's name, "A & B" for "A"."""
        searched = await self.source.search(Reading(plain_title(sure.title), sure.artist))
        decided = await self.worker.run(match, query, searched)
        if decided.decision is not Decision.SURE:
            return None
        name = decided.candidates[0].name
        if name == sure or version_words(name.title, name.artist) != version_words(sure.title, sure.artist):
            return None
        return await self.source.find(Reading(name.title, name.artist), fresh=fresh)


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
        return _Spelling(())
    similarity = match(replace(query, readings=named), known)
    if similarity.decision is not Decision.SURE:
        return _Spelling(named, likeliest=SongName(named[0].title, named[0].artist or ""))
    first = similarity.candidates[0]
    spelt = Reading(first.name.title, first.name.artist)
    if first.score < EXACT:
        return _Spelling((named[0], spelt), likeliest=first.name)
    decorated = (first.name,) if is_decorated(first.name) else ()
    return _Spelling((spelt,), exact=True, decorated=decorated, likeliest=first.name)


def _best_known(found: tuple[Found, ...]) -> Found | None:
    """Choose among songs found by name: the likeliest reading's, unless another is far better known."""
    if not found:
        return None
    first, *others = found
    first = max((hit for hit in found if is_same_song(hit.song.name, first.song.name)), key=_prominence)
    rivals = [other for other in others if _may_override(first.song.name, other.song.name)]
    best = max(rivals, key=_prominence, default=first)
    return best if _prominence(best) - _prominence(first) >= DWARFED else first


def _others(found: Found, decided: Match) -> tuple[Candidate, ...]:
    return tuple(one for one in decided.candidates if not is_same_song(one.name, found.song.name))


def _suggestions(decided: Match) -> tuple[SongName, ...]:
    """Name what is like the question, without the song that was surely meant and that the source lacks."""
    names = [candidate.name for candidate in decided.candidates]
    if decided.decision is Decision.SURE:
        names = [name for name in names[1:] if not is_same_song(name, names[0])]
    return tuple(names)


def _is_overridden(found: Found, decided: Match) -> bool:
    """Return whether a song found by name is surely not meant, since another fits and is far better known."""
    if decided.decision is not Decision.SURE:
        return False
    return prominence(decided.candidates[0]) - _prominence(found) >= DWARFED


def _may_override(found: SongName, other: SongName) -> bool:
    """Return whether a question for ``found`` may mean ``other``: it is spelt alike, and lacks no version asked for."""
    if not version_words(found.title, found.artist) <= version_words(other.title, other.artist):
        return False
    names = ((title_key(found.title), title_key(other.title)), (normalize(str(found)), normalize(str(other))))
    return any(text_similarity(one, another) >= OVERRIDING_SIMILARITY for one, another in names)


def _prominence(found: Found) -> float:
    return prominence(_as_candidates((found,))[0])


def _as_candidates(found: Iterable[Found]) -> tuple[Candidate, ...]:
    return tuple(
        Candidate(
            hit.song.name,
            0.0,
            listeners=hit.song.listeners,
            popularity=None if hit.popularity is None else hit.popularity.value,
            credits=hit.song.credits,
        )
        for hit in found
    )


def completed(song: Song, facts: Song | None, release: Release | None) -> Song:
    """Fill what ``song`` lacks from the catalogue's ``facts`` and from its ``release``.

    Live figures are never overwritten. Shops and catalogue know album and length better than Last.fm, and shops know
    them best.
    """
    if facts is not None:
        song = replace(with_facts(song, facts), duration_ms=facts.duration_ms or song.duration_ms)
    if release is not None:
        song = replace(
            song,
            explicit=_first(song.explicit, release.explicit),
            album=_first(release.album, song.album),
            released=_first(release.released, song.released),
            duration_ms=release.duration_ms or song.duration_ms,
            cover_url=_first(song.cover_url, release.cover_url),
        )
    return song


def _not_up_to_date(found: Found) -> Found:
    return replace(found, source=replace(found.source, stale=True))


def _first(value: T | None, other: T | None) -> T | None:
    return other if value is None else value
