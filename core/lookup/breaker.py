"""A circuit breaker: after repeated failures a service is left alone, then probed with a call or two."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum

from core.errors import UpstreamError, UpstreamUnavailable


class BreakerState(StrEnum):
    """Whether calls go through."""

    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"


class Breaker:
    """Counts failures in a row; at ``threshold`` it opens, and every call fails at once with the last error's class.

    After ``open_s`` it lets up to ``probes`` calls through together. One success closes it; a failure opens it again
    for twice as long, up to ``open_max_s``. Every admitted call must end in one of :meth:`succeed`, :meth:`fail` and
    :meth:`abandon`. Times are seconds of ``clock``.
    """

    def __init__(
        self,
        *,
        threshold: int = 4,
        open_s: float = 10.0,
        open_max_s: float = 60.0,
        probes: int = 2,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._threshold = threshold
        self._open_s = open_s
        self._open_max_s = open_max_s
        self._probes = probes
        self._clock = clock
        self._failures = 0
        self._next_open_s = open_s
        self._closed = True
        self._open_until = 0.0
        self._probing = 0
        self._reason: type[UpstreamError] = UpstreamUnavailable

    @property
    def state(self) -> BreakerState:
        """Where the breaker stands now."""
        if self._closed:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self._clock() < self._open_until else BreakerState.PROBING

    def admit(self) -> None:
        """Let a call through.

        Raises:
            UpstreamError: The breaker is open, or enough probes are under way; of the class that opened it.
        """
        state = self.state
        if state is BreakerState.CLOSED:
            return
        if state is BreakerState.OPEN or self._probing >= self._probes:
            raise self._reason("not asked: it failed repeatedly and is given time to recover")
        self._probing += 1

    def succeed(self) -> None:
        """Report that an admitted call was answered."""
        self._closed = True
        self._failures = 0
        self._probing = 0
        self._next_open_s = self._open_s

    def fail(self, error: UpstreamError, *, at_once: bool = False) -> None:
        """Report that an admitted call failed with ``error``; ``at_once`` opens without counting further."""
        self._probing = max(0, self._probing - 1)
        self._failures += 1
        state = self.state
        if state is BreakerState.OPEN or (
            state is BreakerState.CLOSED and self._failures < self._threshold and not at_once
        ):
            return
        self._closed = False
        self._reason = type(error)
        self._open_until = self._clock() + self._next_open_s
        self._next_open_s = min(self._next_open_s * 2, self._open_max_s)

    def abandon(self) -> None:
        """Report that an admitted call ended without telling anything of the service's health."""
        self._probing = max(0, self._probing - 1)
