"""Looks up the releases of a collection's labelled songs, patiently, beside the questions to Last.fm.

Nobody waits for an answer here, so room in a service's rate is waited for where the live look-up goes without. A
service that stays silent is left out, and the songs that it may know are left for another run.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from core.concurrency import SerialExecutor
from core.domain import Release
from core.errors import UpstreamError
from core.lookup.collect_labels import LabelStore, ReleaseJob
from core.lookup.listing import Listing, release_of
from core.lookup.release_sources import (
    DEEZER_RATE,
    ITUNES_RATE,
    MUSICBRAINZ_RATE,
    Answered,
    Deezer,
    ITunes,
    MusicBrainz,
    ReleaseSource,
    musicbrainz_agent,
)
from core.lookup.service import NoRoom
from core.settings import Settings

log = logging.getLogger(__name__)

WORKERS: Final = 4
"""Songs looked up at one time."""

ASK_S: Final = 30.0
"""Longest that one service may take for a song, the wait for room in its rate included."""

TRIES_MAX: Final = 3
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
            for _ in range(WORKERS):
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
                release = await self._services.worker.run(release_of, job.name, self._listings(answers))
                partial = any(not answers[source].complete for source in asked if source in answers)
                tries += partial
                if release is not None and release.released is not None and (not partial or tries >= TRIES_MAX):
                    return release, True
                if not failures and not (partial and tries < TRIES_MAX):
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

    def _listings(self, answers: Mapping[ReleaseSource, Answered]) -> tuple[Listing, ...]:
        """Join what was answered, in the order of the services whoever was the quicker one."""
        given = (answers.get(source) for source in self._services.sources)
        return tuple(listing for answer in given if answer is not None for listing in answer.listings)
