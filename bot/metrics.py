"""What is counted: for Prometheus on /metrics, and as plain figures for /stats."""

from __future__ import annotations

import math
import time
from collections import Counter as Tally
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

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
class Figures:
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
            "From a question to its finished reply.",
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
        self._up = Gauge("hitmeter_platform_up", "1 while a platform is served.", ["platform"], registry=self._registry)
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

    def figures(self) -> Figures:
        """Sum up for a person."""
        return Figures(
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
