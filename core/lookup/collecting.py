"""Collects Last.fm's figures for many songs and artists: charts, then each artist, then each song."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from core.errors import UpstreamError, UpstreamRefused, UpstreamUnavailable
from core.lookup.collect_store import ArtistJob, CollectStore, Job
from core.lookup.lastfm_parse import Payload, parse_artist, parse_top_tracks, parse_track
from core.lookup.lastfm_records import is_ghost
from core.lookup.transport import RequestRate, Transport

PAGE_SONGS: Final = 200
"""Songs asked of one page of a chart; Last.fm allows 1,000."""

CALL_S: Final = 30.0
"""Seconds that one question may take with its retries; nobody waits for the answer."""

WORKERS: Final = 4
"""Questions on the way at one time: enough for five a second when answers take most of a second."""

TRIES_MAX: Final = 3
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
        for tries_left in reversed(range(TRIES_MAX)):
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
        if track is not None and is_ghost(track, None):
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
