"""The look-up of a song's first release: album, day, cover, length and explicitness, of several services without a key.

Each service is asked at its own rate and behind its own breaker, beside Last.fm's calls, and is never a reason to fail:
who wants a release waits for it as long as it is worth, and what comes later is kept for the next question.
"""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final, Self

from aiohttp.abc import AbstractResolver
from pydantic import TypeAdapter

from core.concurrency import SerialExecutor
from core.domain import Release, SongName
from core.errors import UpstreamError, UpstreamUnavailable
from core.lookup.cache import AnswerCache, CacheTimes, OnLookup
from core.lookup.normalise import song_key
from core.lookup.release_parse import (
    DeezerFound,
    Listing,
    deezer_params,
    itunes_params,
    musicbrainz_params,
    parse_deezer,
    parse_deezer_day,
    parse_itunes,
    parse_musicbrainz,
    release_of,
    same_recording,
)
from core.lookup.service import RequestRate, Service
from core.settings import Settings
from core.version import VERSION

DATED: Final = 3
"""Tracks of Deezer that are asked for their day, on different albums."""

ITUNES_RATE: Final = RequestRate(burst=5, window_s=60.0, per_window=20)
"""Apple: "approximately 20 calls per minute"."""

DEEZER_RATE: Final = RequestRate(burst=20, window_s=5.0, per_window=40)
"""Deezer: 50 requests in 5 seconds, of which pasted links may use 10."""

MUSICBRAINZ_RATE: Final = RequestRate(burst=1, window_s=60.0, per_window=60)
"""MusicBrainz: one request a second on average; whoever asks more is refused altogether."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What one service knows; not ``complete`` if some of its requests failed."""

    listings: tuple[Listing, ...]
    complete: bool = True


class ReleaseSource(Service, ABC):
    """One service that knows releases."""

    async def find(self, name: SongName) -> Answered:
        """List what may be ``name``, other songs and versions among them.

        Raises:
            UpstreamError: The service gave no usable answer, is given time to recover or was not asked for want of
                room in our rate.
        """
        return await self._find(name, asyncio.get_running_loop().time() + self._timeout_s)

    @abstractmethod
    async def _find(self, name: SongName, until: float) -> Answered:
        """Do as :meth:`find` says, by ``until`` of the loop's clock."""


class ITunes(ReleaseSource):
    """iTunes Search: day, album, cover, length and explicitness in one request."""

    label = "itunes"

    async def _find(self, name: SongName, until: float) -> Answered:
        return Answered(await self._ask(self.url.update_query(itunes_params(name)), parse_itunes, until))


class Deezer(ReleaseSource):
    """Deezer: a search, then the days of the few tracks that are the song."""

    label = "deezer"

    async def _find(self, name: SongName, until: float) -> Answered:
        found = await self._ask(self.url.update_query(deezer_params(name)), parse_deezer, until)
        chosen = await self._worker.run(_worth_dating, name, found)
        days = await asyncio.gather(*(self._day(one.track_id, until) for one in chosen), return_exceptions=True)
        complete = True
        listings = {one.track_id: one.listing for one in found}
        for one, day in zip(chosen, days, strict=True):
            if isinstance(day, UpstreamError):
                complete = False
            elif isinstance(day, BaseException):
                raise day
            else:
                listings[one.track_id] = replace(one.listing, released=day)
        return Answered(tuple(listings.values()), complete)

    async def _day(self, track_id: int, until: float) -> date | None:
        return await self._ask(self.url.parent / "track" / str(track_id), parse_deezer_day, until)


class MusicBrainz(ReleaseSource):
    """MusicBrainz: the day of a recording's first release, often where shops know only a re-release."""

    label = "musicbrainz"
    limited = Service.limited | {503}

    async def _find(self, name: SongName, until: float) -> Answered:
        address = (self.url / "recording").with_query(musicbrainz_params(name))
        return Answered(await self._ask(address, parse_musicbrainz, until))


def musicbrainz_agent(contact: str) -> str:
    """Name ourselves as MusicBrainz asks for: "name/version ( contact )"."""
    return f"Hitmeter/{VERSION} ( {contact or 'song popularity bot'} )"


def _worth_dating(name: SongName, found: tuple[DeezerFound, ...]) -> tuple[DeezerFound, ...]:
    """Choose the tracks whose day counts: the song itself, one of each album, compilations last."""
    same = set(map(id, same_recording(name, (one.listing for one in found))))
    by_album: dict[int | None, DeezerFound] = {}
    for one in sorted(found, key=lambda one: one.listing.compilation):
        if id(one.listing) in same:
            by_album.setdefault(one.album_id or -one.track_id, one)
    return tuple(by_album.values())[:DATED]


log = logging.getLogger(__name__)

TIMES: Final = CacheTimes(hit_s=30 * 86400.0, miss_s=86400.0, keep_s=90 * 86400.0)
"""A release does not change, but shops learn of new songs: found counts for 30 days, not found for one."""

HEDGE_S: Final = 0.5
"""MusicBrainz joins when the shops gave no day by then, or sooner if they are done."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A release as it is kept; not ``settled`` if a service that may know better gave no answer."""

    release: Release
    settled: bool


_KEPT: Final = TypeAdapter(_Kept)


class ReleaseLookup:
    """Finds releases; people who ask for the same song at the same time share one look-up.

    Args:
        shops: Asked side by side for every song.
        fallback: Asked for the day when the shops know none; None if there is no such service.
        cache: Keeps what was found, with times of its own.
        worker: Compares listings, which may take milliseconds of a core; closed with the look-up.
        hedge_s: Seconds after which ``fallback`` joins shops that are silent.
    """

    def __init__(
        self,
        shops: Sequence[ReleaseSource],
        fallback: ReleaseSource | None,
        cache: AnswerCache,
        worker: SerialExecutor,
        *,
        hedge_s: float = HEDGE_S,
    ) -> None:
        self._shops = tuple(shops)
        self._fallback = fallback
        self._cache = cache
        self._worker = worker
        self._hedge_s = hedge_s
        self._begun: set[asyncio.Task[Release | None]] = set()

    @classmethod
    def connect(
        cls,
        *,
        itunes_url: str | None = None,
        deezer_url: str | None = None,
        musicbrainz_url: str | None = None,
        contact: str = "",
        cache_url: str = "mem://",
        times: CacheTimes = TIMES,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
        resolver: AbstractResolver | None = None,
        hedge_s: float = HEDGE_S,
        on_lookup: OnLookup | None = None,
    ) -> Self:
        """Put a look-up together over the services whose address is given; nothing is asked yet.

        Args:
            itunes_url: Where iTunes Search answers.
            deezer_url: Where Deezer's search answers; its tracks are beside it.
            musicbrainz_url: Where MusicBrainz' web service begins.
            contact: How MusicBrainz reaches the operator.
            cache_url: Where releases are kept, as for :class:`AnswerCache`.
            times: How long they count.
            now: Tells the time of day, for the cache.
            clock: Seconds, for the breakers.
            resolver: Resolves names of hosts; the system's by default.
            hedge_s: Seconds after which MusicBrainz joins silent shops.
            on_lookup: Told of every look into the cache.

        Raises:
            SettingsError: ``cache_url`` cannot be a cache.
        """
        worker = SerialExecutor("release")
        shops: list[ReleaseSource] = []
        if itunes_url:
            shops.append(ITunes(itunes_url, worker, rate=ITUNES_RATE, clock=clock, resolver=resolver))
        if deezer_url:
            shops.append(Deezer(deezer_url, worker, rate=DEEZER_RATE, clock=clock, resolver=resolver))
        fallback = None
        if musicbrainz_url:
            agent = musicbrainz_agent(contact)
            fallback = MusicBrainz(
                musicbrainz_url, worker, rate=MUSICBRAINZ_RATE, clock=clock, resolver=resolver, user_agent=agent
            )
        cache = AnswerCache(cache_url, times=times, clock=now, space="shops", on_lookup=on_lookup)
        return cls(shops, fallback, cache, worker, hedge_s=hedge_s)

    @classmethod
    def from_settings(cls, settings: Settings, *, on_lookup: OnLookup | None = None) -> Self:
        """Put the look-up together that the settings ask for.

        Raises:
            SettingsError: ``CACHE_URL`` cannot be a cache.
        """

        def text(url: object) -> str | None:
            return None if url is None else str(url)

        return cls.connect(
            itunes_url=text(settings.itunes_search_url),
            deezer_url=text(settings.deezer_search_url),
            musicbrainz_url=text(settings.musicbrainz_url),
            contact=settings.musicbrainz_contact,
            cache_url=settings.cache_url,
            on_lookup=on_lookup,
        )

    def begin(self, name: SongName) -> asyncio.Task[Release | None]:
        """Start the look-up for ``name``, or join it, and let it go on by itself."""
        task = asyncio.get_running_loop().create_task(self._find(name), name="release")
        self._begun.add(task)
        task.add_done_callback(self._end)
        return task

    async def within(self, name: SongName, seconds: float) -> Release | None:
        """Give the release of ``name`` if it comes within ``seconds``; see :meth:`wait`."""
        return await self.wait(self.begin(name), seconds)

    async def wait(self, begun: asyncio.Task[Release | None], seconds: float) -> Release | None:
        """Give what :meth:`begin` began if it comes within ``seconds``; None if not, or if nobody knows the song.

        Whatever goes wrong is told to the log alone. What comes later is kept.
        """
        done, _ = await asyncio.wait({begun}, timeout=max(0.0, seconds))
        return begun.result() if done and not begun.cancelled() and begun.exception() is None else None

    async def aclose(self) -> None:
        """End what goes on and free connections, cache and thread."""
        begun = tuple(self._begun)
        for task in begun:
            task.cancel()
        await asyncio.gather(*begun, return_exceptions=True)
        await self._cache.aclose()
        for source in self._sources():
            await source.aclose()
        self._worker.close()

    def _sources(self) -> tuple[ReleaseSource, ...]:
        return (*self._shops, self._fallback) if self._fallback is not None else self._shops

    def _end(self, task: asyncio.Task[Release | None]) -> None:
        self._begun.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("event=release_broken error=%s", type(error).__name__, exc_info=error)

    async def _find(self, name: SongName) -> Release | None:
        if not self._sources():
            return None
        key = song_key(name.title, name.artist)
        try:
            kept = await self._cache.fetch(
                "release", (key,), lambda: self._load(name), _KEPT, settled=lambda kept: kept.settled
            )
        except UpstreamError as error:
            log.info("event=release_not_asked reason=%s", error)
            return None
        return kept.value.release if kept.value is not None else None

    async def _load(self, name: SongName) -> _Kept | None:
        """Ask the services.

        Raises:
            UpstreamUnavailable: None knows the song, and one that may know it gave no answer.
        """
        asking = {asyncio.create_task(_asked(shop, name)): shop for shop in self._shops}
        answers: dict[ReleaseSource, Answered | UpstreamError] = {}
        fallback = self._fallback
        release: Release | None = None
        try:
            while asking or fallback is not None:
                if asking:
                    timeout_s = self._hedge_s if fallback is not None else None
                    done, _ = await asyncio.wait(asking, timeout=timeout_s)
                    answers |= {asking.pop(task): task.result() for task in done}
                release = await self._worker.run(release_of, name, listings_of(answers, self._sources()))
                if fallback is not None and (release is None or release.released is None):
                    asking[asyncio.create_task(_asked(fallback, name))] = fallback
                fallback = None
        finally:
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
        settled = all(isinstance(answer, Answered) and answer.complete for answer in answers.values())
        if release is not None:
            return _Kept(release, settled)
        if not settled:
            raise UpstreamUnavailable("not every service answered, and none knows the song")
        return None


def listings_of(
    answers: Mapping[ReleaseSource, Answered | UpstreamError], sources: Iterable[ReleaseSource]
) -> tuple[Listing, ...]:
    """Join what was answered, in the order of ``sources`` whichever was the quicker one."""
    given = (answers.get(source) for source in sources)
    return tuple(listing for answer in given if isinstance(answer, Answered) for listing in answer.listings)


async def _asked(source: ReleaseSource, name: SongName) -> Answered | UpstreamError:
    """Ask one service; its failure is an answer too."""
    try:
        return await source.find(name)
    except UpstreamError as error:
        return error
