"""Collects Last.fm's figures for many songs and artists, and the releases of the labelled songs beside it.

Charts come first, then each artist, then each song. Nobody waits for an answer here, so room in a service's rate is
waited for where the live look-up goes without. A service that stays silent is left out, and the songs that it may know
are left for another run.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from core.concurrency import SerialExecutor
from core.domain import Release
from core.errors import UpstreamError, UpstreamRefused, UpstreamUnavailable
from core.lookup.lastfm_client import Transport
from core.lookup.lastfm_parse import Payload, is_misspelling, parse_artist, parse_top_tracks, parse_track
from core.lookup.release import (
    DEEZER_RATE,
    ITUNES_RATE,
    MUSICBRAINZ_RATE,
    Answered,
    Deezer,
    ITunes,
    MusicBrainz,
    ReleaseSource,
    listings_of,
    musicbrainz_agent,
)
from core.lookup.release_parse import release_of
from core.lookup.service import NoRoom, RequestRate
from core.settings import Settings
from core.training.collect_store import ArtistJob, CollectStore, Job
from core.training.collect_tables import LabelStore, ReleaseJob

PAGE_SONGS: Final = 200
"""Songs asked of one page of a chart; Last.fm allows 1,000."""

CALL_S: Final = 30.0
"""Seconds that one question may take with its retries; nobody waits for the answer."""

WORKERS: Final = 4
"""Questions on the way at one time: enough for five a second when answers take most of a second."""

MAX_TRIES: Final = 3
"""How often a song is asked for whose answer makes no sense, before it is left for another run."""

FAULTS_SHOWN: Final = 10
"""Most faults remembered for the closing words."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart to take songs from: the method, its own parameters and how many songs at most."""

    method: str
    parameters: Mapping[str, str]
    songs_max: int

    @property
    def name(self) -> str:
        """The chart's name in the column ``source``: "tag.getTopTracks:rock"."""
        return ":".join([self.method, *self.parameters.values()])


@dataclass(slots=True)
class Tally:
    """How far a collection is."""

    total: int = 0
    found: int = 0
    not_found: int = 0
    failed: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def done(self) -> int:
        """Jobs that need no more asking in this run."""
        return self.found + self.not_found + self.failed


def steady(per_s: float) -> RequestRate:
    """Make a rate without long bursts: a collection runs for hours, and Last.fm allows five a second."""
    per_window = max(2, int(per_s * 300))
    return RequestRate(burst=min(5, per_window - 1), window_s=300.0, per_window=per_window)


class Collector:
    """Asks for everything planned in a store, several questions on the way at a time.

    Args:
        transport: The wire, with its rate.
        store: What to ask and where answers go.
        artists: Whether the artists of charts are asked for too.
        pause_s: Pause after a question failed, before it is asked again.
        patience_s: How long it may stay unavailable before the collection gives up.
        call_s: Longest that one question may take with its retries.
        clock: Dates the answers.
        notify: Told of the tally after every answer.
    """

    def __init__(
        self,
        transport: Transport,
        store: CollectStore,
        *,
        artists: bool = True,
        pause_s: float = 10.0,
        patience_s: float = 900.0,
        call_s: float = CALL_S,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        notify: Callable[[Tally], None] = lambda tally: None,
    ) -> None:
        self._transport = transport
        self._store = store
        self._artists = artists
        self._pause_s = pause_s
        self._patience_s = patience_s
        self._call_s = call_s
        self._clock = clock
        self._notify = notify
        self._down_since: float | None = None
        self._stopping = False
        self.tally = Tally()

    async def run(self, charts: Sequence[Chart] = ()) -> Tally:
        """Collect until nothing is left to ask; every answer is kept as it comes.

        Raises:
            UpstreamRefused: The key is refused.
            UpstreamUnavailable: Last.fm stayed unavailable beyond the collector's patience.
        """
        for chart in charts:
            await self._plan(chart)
        jobs = self._store.jobs()
        self.tally.total = len(jobs)
        self._notify(self.tally)
        queue = iter(jobs)
        failure: BaseException | None = None
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(WORKERS):
                    group.create_task(self._work(queue))
        except* UpstreamError as errors:
            failure = errors
            while isinstance(failure, BaseExceptionGroup):
                failure = failure.exceptions[0]
        if failure is not None:
            raise failure
        return self.tally

    @property
    def stopped(self) -> bool:
        """Whether it was told to stop before it asked everything."""
        return self._stopping

    def stop(self) -> None:
        """Let the questions on the way be answered and kept, and ask no more."""
        self._stopping = True

    async def _plan(self, chart: Chart) -> None:
        pages = -(-chart.songs_max // PAGE_SONGS)
        while (number := self._store.next_page(chart.name)) is not None and number <= pages and not self._stopping:
            parameters = {**chart.parameters, "page": str(number), "limit": str(min(PAGE_SONGS, chart.songs_max))}
            payload = await self._ask(chart.method, parameters)
            page = None if payload is None else parse_top_tracks(payload)
            taken = page.tracks[: chart.songs_max - (number - 1) * PAGE_SONGS] if page else ()
            self._store.add_page(
                chart.name,
                number,
                ((track.artist, track.title) for track in taken),
                last=page is None or not page.tracks or number >= page.total_pages,
                artists=self._artists,
            )

    async def _work(self, queue: Iterator[Job]) -> None:
        for job in queue:
            if self._stopping:
                return
            await self._do(job)
            self._notify(self.tally)

    async def _do(self, job: Job) -> None:
        for tries_left in reversed(range(MAX_TRIES)):
            try:
                found = await self._collect(job)
            except (UpstreamRefused, UpstreamUnavailable):
                raise
            except UpstreamError as error:
                if tries_left and not self._stopping:
                    await asyncio.sleep(self._pause_s)
                    continue
                self.tally.failed += 1
                if len(self.tally.faults) < FAULTS_SHOWN:
                    self.tally.faults.append(f"{job}: {error}")
            else:
                self.tally.found += found
                self.tally.not_found += not found
            return

    async def _collect(self, job: Job) -> bool:
        today = self._clock().date().isoformat
        if isinstance(job, ArtistJob):
            payload = await self._ask("artist.getInfo", {"artist": job.name, "autocorrect": "1"})
            artist = None if payload is None else parse_artist(payload)
            self._store.keep_artist(job, artist, today())
            return artist is not None
        payload = await self._ask("track.getInfo", {"artist": job.artist, "track": job.title, "autocorrect": "1"})
        track = None if payload is None else parse_track(payload)
        if track is not None and is_misspelling(track, None):
            track = None
        self._store.keep_song(job, track, today())
        return track is not None

    async def _ask(self, method: str, parameters: Mapping[str, str]) -> Payload | None:
        """Ask until there is an answer, pausing while Last.fm is unavailable and the patience lasts."""
        now = asyncio.get_running_loop().time
        while True:
            try:
                payload = await self._transport.call(method, parameters, deadline=now() + self._call_s)
            except UpstreamUnavailable:
                self._down_since = self._down_since if self._down_since is not None else now()
                if self._stopping or now() - self._down_since + self._pause_s > self._patience_s:
                    raise
                await asyncio.sleep(self._pause_s)
            else:
                self._down_since = None
                return payload


log = logging.getLogger(__name__)

RELEASE_WORKERS: Final = 4
"""Songs looked up at one time."""

ASK_S: Final = 30.0
"""Longest that one service may take for a song, the wait for room in its rate included."""

MAX_RELEASE_TRIES: Final = 3
"""How often a service is asked for a song of which it tells only a part."""


@dataclass(slots=True)
class ReleaseTally:
    """How far the look-ups are; ``left`` songs wait for a service that gave no answer."""

    total: int = 0
    found: int = 0
    not_found: int = 0
    left: int = 0

    @property
    def done(self) -> int:
        """Songs that need no more asking in this run."""
        return self.found + self.not_found + self.left


class PatientServices:
    """The services that the settings leave switched on, with time to wait for room in their rates.

    iTunes, which allows few questions, is waited for only when the others know no day.
    """

    def __init__(self, settings: Settings) -> None:
        self.worker = SerialExecutor("release")
        self.shops: list[ReleaseSource] = []
        self.fallback: ReleaseSource | None = None
        if settings.itunes_search_url is not None:
            self.shops.append(ITunes(str(settings.itunes_search_url), self.worker, rate=ITUNES_RATE, timeout_s=ASK_S))
        if settings.deezer_search_url is not None:
            url = str(settings.deezer_search_url)
            self.shops.append(Deezer(url, self.worker, rate=DEEZER_RATE, timeout_s=ASK_S, room_s=ASK_S))
        if settings.musicbrainz_url is not None:
            self.fallback = MusicBrainz(
                str(settings.musicbrainz_url), self.worker, rate=MUSICBRAINZ_RATE, timeout_s=ASK_S, room_s=ASK_S,
                user_agent=musicbrainz_agent(settings.musicbrainz_contact),
            )  # fmt: skip

    @property
    def sources(self) -> tuple[ReleaseSource, ...]:
        """All of them; none if everything is switched off."""
        return (*self.shops, self.fallback) if self.fallback is not None else tuple(self.shops)

    async def aclose(self) -> None:
        """Free connections and thread."""
        for source in self.sources:
            await source.aclose()
        self.worker.close()


class ReleaseCollector:
    """Looks up what a store lacks; every answer is kept as it comes.

    Args:
        services: Whom to ask.
        store: What to ask and where answers go.
        pause_s: Pause before a service that failed is asked again.
        room_pause_s: The same where our own rate left no room.
        patience_s: How long a service may stay silent before it is left out for this run.
        clock: Dates the answers.
        notify: Told of the tally after every song.
    """

    def __init__(
        self,
        services: PatientServices,
        store: LabelStore,
        *,
        pause_s: float = 5.0,
        room_pause_s: float = 1.0,
        patience_s: float = 120.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        notify: Callable[[ReleaseTally], None] = lambda tally: None,
    ) -> None:
        self._services = services
        self._store = store
        self._pause_s = pause_s
        self._room_pause_s = room_pause_s
        self._patience_s = patience_s
        self._clock = clock
        self._notify = notify
        self._silent_since: dict[ReleaseSource, float] = {}
        self._left_out: set[ReleaseSource] = set()
        self._stopping = asyncio.Event()
        self.tally = ReleaseTally()

    async def run(self) -> ReleaseTally:
        """Look up every song once; a service's failure is no error, only a song left for another run."""
        jobs = self._store.jobs() if self._services.sources else []
        self.tally.total = len(jobs)
        queue = iter(jobs)
        async with asyncio.TaskGroup() as group:
            for _ in range(RELEASE_WORKERS):
                group.create_task(self._work(queue))
        return self.tally

    def stop(self) -> None:
        """Let the questions on the way be answered and kept, and ask no more."""
        self._stopping.set()

    async def _work(self, queue: Iterator[ReleaseJob]) -> None:
        for job in queue:
            if self._stopping.is_set():
                return
            release, settled = await self._find(job)
            if not settled and self._stopping.is_set():
                return
            if settled:
                self._store.keep(job, release, self._clock().date().isoformat())
                self.tally.found += release is not None
                self.tally.not_found += release is None
            else:
                self.tally.left += 1
            self._notify(self.tally)

    async def _find(self, job: ReleaseJob) -> tuple[Release | None, bool]:
        """Give what the services know of a song, and whether that may be kept.

        The shops are asked side by side and again until one knows the day or all have answered; then MusicBrainz.
        """
        answers: dict[ReleaseSource, Answered] = {}
        groups = [self._services.shops, [self._services.fallback] if self._services.fallback else []]
        release: Release | None = None
        settled = True
        for group in groups:
            tries = 0
            while waiting := [source for source in group if source not in answers or not answers[source].complete]:
                asked = [source for source in waiting if source not in self._left_out]
                outcomes = await asyncio.gather(*(self._asked(source, job) for source in asked))
                failures = [outcome for outcome in outcomes if not isinstance(outcome, Answered)]
                answers |= {
                    source: outcome
                    for source, outcome in zip(asked, outcomes, strict=True)
                    if isinstance(outcome, Answered)
                }
                release = await self._services.worker.run(
                    release_of, job.name, listings_of(answers, self._services.sources)
                )
                partial = any(not answers[source].complete for source in asked if source in answers)
                tries += partial
                if release is not None and release.released is not None and (not partial or tries >= MAX_RELEASE_TRIES):
                    return release, True
                if not failures and not (partial and tries < MAX_RELEASE_TRIES):
                    settled = settled and all(source in answers and answers[source].complete for source in group)
                    break
                if await self._stopped(self._pause(failures)):
                    return release, False
        return release, settled

    async def _asked(self, source: ReleaseSource, job: ReleaseJob) -> Answered | UpstreamError:
        """Ask one service and note how long it has been silent."""
        now = asyncio.get_running_loop().time
        try:
            answer = await source.find(job.name)
        except NoRoom as error:
            return error
        except UpstreamError as error:
            if now() - self._silent_since.setdefault(source, now()) >= self._patience_s:
                log.warning("event=release_service_left_out source=%s reason=%s", source.label, error)
                self._left_out.add(source)
            return error
        self._silent_since.pop(source, None)
        return answer

    def _pause(self, failures: Sequence[UpstreamError]) -> float:
        only_room = bool(failures) and all(isinstance(failure, NoRoom) for failure in failures)
        return self._room_pause_s if only_room else self._pause_s

    async def _stopped(self, seconds: float) -> bool:
        """Wait, but no longer than until everything is to stop; tell whether it is."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True
