"""What is counted, for /stats and Prometheus, and how the bot is: /healthz and /metrics for other machines."""

from __future__ import annotations

import math
import time
from collections import Counter as Tally
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bot.listener import listening
from bot.reply import ResultCode

REPLY_BUCKETS_S: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Upper bounds for answers; Last.fm is given up after 8 s."""

UPSTREAM_BUCKETS_S: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
"""Upper bounds for one request to Last.fm."""

LATENCIES_KEPT: Final = 1_000
"""Last requests over which the percentiles of /stats are taken."""

ANSWERED: Final = frozenset({"ok", "not_found"})
"""Outcomes of a request to Last.fm that are no errors."""


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Middle and slow end of some durations, in seconds."""

    p50_s: float
    p95_s: float
    p99_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """How the bot has fared since it started, whatever the platform.

    Attributes:
        uptime_s: Seconds since the start.
        answers: Replies by result code, the most frequent first.
        answer_latency: Over the last replies; None before the first.
        cache_lookups: Looks into the cache by result: "hit", "miss", "stale".
        upstream_requests: Requests sent to Last.fm.
        upstream_errors: Those among them that failed, by outcome.
        upstream_latency: Over the last requests; None before the first.
    """

    uptime_s: float
    answers: tuple[tuple[ResultCode, int], ...]
    answer_latency: Percentiles | None
    cache_lookups: dict[str, int]
    upstream_requests: int
    upstream_errors: dict[str, int]
    upstream_latency: Percentiles | None


class Metrics:
    """Counts replies, requests to Last.fm and looks into the cache; nothing about who asked or for what."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start counting; ``clock`` tells seconds, never going back."""
        self._clock = clock
        self._started = clock()
        self._registry = CollectorRegistry()
        self._replies = Counter(
            "hitmeter_replies", "Replies by result.", ["platform", "request", "code"], registry=self._registry
        )
        self._reply_seconds = Histogram(
            "hitmeter_reply_seconds",
            "From a question to its reply, before a card is drawn.",
            ["platform", "request"],
            buckets=REPLY_BUCKETS_S,
            registry=self._registry,
        )
        self._requests = Counter(
            "hitmeter_upstream_requests", "Requests to Last.fm.", ["method", "outcome"], registry=self._registry
        )
        self._request_seconds = Histogram(
            "hitmeter_upstream_seconds",
            "Duration of one request to Last.fm.",
            ["method"],
            buckets=UPSTREAM_BUCKETS_S,
            registry=self._registry,
        )
        self._lookups = Counter(
            "hitmeter_cache_lookups", "Looks into the cache.", ["kind", "result"], registry=self._registry
        )
        self._up = Gauge(
            "hitmeter_platform_up", "1 while a platform can be reached.", ["platform"], registry=self._registry
        )
        uptime = Gauge("hitmeter_uptime_seconds", "Seconds since the start.", registry=self._registry)
        uptime.set_function(lambda: self._clock() - self._started)
        self._answers: Tally[ResultCode] = Tally()
        self._outcomes: Tally[str] = Tally()
        self._looked: Tally[str] = Tally()
        self._answer_latencies: deque[float] = deque(maxlen=LATENCIES_KEPT)
        self._upstream_latencies: deque[float] = deque(maxlen=LATENCIES_KEPT)

    def reply_counter(self, platform: str) -> Callable[[str, ResultCode, float], None]:
        """Make what :class:`bot.service.SongService` tells of each reply on ``platform``: request, code, seconds."""

        def count(request: str, code: ResultCode, seconds: float) -> None:
            self._replies.labels(platform, request, code.value).inc()
            self._reply_seconds.labels(platform, request).observe(seconds)
            self._answers[code] += 1
            self._answer_latencies.append(seconds)

        return count

    def on_request(self, method: str, outcome: str, seconds: float) -> None:
        """Count one request to Last.fm."""
        self._requests.labels(method, outcome).inc()
        self._request_seconds.labels(method).observe(seconds)
        self._outcomes[outcome] += 1
        self._upstream_latencies.append(seconds)

    def on_lookup(self, kind: str, result: str) -> None:
        """Count one look into the cache."""
        self._lookups.labels(kind, result).inc()
        self._looked[result] += 1

    def on_platform(self, platform: str, up: bool) -> None:
        """Note that a platform is served or no longer is."""
        self._up.labels(platform).set(up)

    def stats(self) -> Stats:
        """Sum up for a person."""
        return Stats(
            uptime_s=self._clock() - self._started,
            answers=tuple(self._answers.most_common()),
            answer_latency=percentiles(self._answer_latencies),
            cache_lookups=dict(self._looked),
            upstream_requests=self._outcomes.total(),
            upstream_errors={outcome: n for outcome, n in self._outcomes.items() if outcome not in ANSWERED},
            upstream_latency=percentiles(self._upstream_latencies),
        )

    def exposition(self) -> bytes:
        """Write everything in Prometheus's text format, version 0.0.4."""
        return generate_latest(self._registry)


def percentiles(durations_s: Sequence[float]) -> Percentiles | None:
    """Take percentiles by nearest rank; None of nothing."""
    if not durations_s:
        return None
    ranked = sorted(durations_s)

    def at(share: float) -> float:
        return ranked[max(0, math.ceil(share * len(ranked)) - 1)]

    return Percentiles(at(0.50), at(0.95), at(0.99))


HEALTH_PATH: Final = "/healthz"
METRICS_PATH: Final = "/metrics"


class Health:
    """Knows which platforms are served.

    The bot is "ok" while all of its platforms are, "degraded" while some are, "down" while none is; a bot without
    platforms has none that fails. While the catalogue is fetched at the first start it is "starting".

    Attributes:
        starting: Whether the catalogue is being fetched.
    """

    def __init__(self, metrics: Metrics) -> None:
        """Take the metrics to show and to tell of every change."""
        self._metrics = metrics
        self._up: dict[str, bool] = {}
        self.starting = False

    def mark(self, platform: str, up: bool) -> None:
        """Note that a platform is served or no longer is."""
        self._up[platform] = up
        self._metrics.on_platform(platform, up)

    @property
    def status(self) -> str:
        """One word for the whole: "starting", "ok", "degraded" or "down"."""
        if self.starting:
            return "starting"
        if all(self._up.values()):
            return "ok"
        return "degraded" if any(self._up.values()) else "down"

    async def healthz(self, _: web.Request) -> web.Response:
        """Answer 200, or 503 while nothing is served."""
        state = {name: "up" if up else "down" for name, up in sorted(self._up.items())}
        return web.json_response(
            {"status": self.status, "platforms": state}, status=503 if self.status == "down" else 200
        )

    async def metrics(self, _: web.Request) -> web.Response:
        """Answer in Prometheus's text format."""
        return web.Response(body=self._metrics.exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})


@asynccontextmanager
async def health_server(
    host: str, port: int | None, health: Health, *, setting: str = "HEALTH"
) -> AsyncIterator[int | None]:
    """Serve /healthz and /metrics while the block runs; nothing if ``port`` is None.

    Args:
        host: Address to bind.
        port: Port to bind.
        health: What is told.
        setting: What the names of the two settings begin with.

    Raises:
        SettingsError: The address cannot be bound; it names the setting at fault.
    """
    if port is None:
        yield None
        return

    app = web.Application()
    app.router.add_get(HEALTH_PATH, health.healthz)
    app.router.add_get(METRICS_PATH, health.metrics)
    async with listening(app, host, port, setting=setting) as bound:
        yield bound
