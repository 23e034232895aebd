"""Answers kept: fresh for hours, as a last resort for days; identical questions in flight share one fetch.

Values are JSON, checked against their type when read, so that a cache that somebody else can write to holds wrong
figures at worst. Nothing stored is ever unpickled, on disk neither. Memory answers first; a disk or Redis named by
URL is shared with later runs or other processes, and the bot does without it while it fails.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import math
import unicodedata
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, TypeVar

from pydantic import TypeAdapter

from core.concurrency import SingleFlight, deadline, deadline_at
from core.errors import UpstreamError
from core.lookup.store import VALUE_MAX_BYTES, SharedRate, Store, WindowCounter

log = logging.getLogger(__name__)

T = TypeVar("T")

OnLookup = Callable[[str, str], None]
"""Told of every look into the cache: kind, and one of "hit", "miss" and "stale"."""


ALONE_MAX_S: Final = 8.0
"""Longest that one process may keep others waiting for its fetch."""

OLD_PATIENCE_S: Final = 4.0
"""Longest that something newer is waited for when something old is at hand: one whole attempt, and time is left for
the cover and the card of the old answer within the 8 s that people wait."""


@dataclass(frozen=True, slots=True)
class CacheTimes:
    """How long, in seconds, an answer counts as fresh, how long a miss does, and how long the last good one is kept."""

    hit_s: float = 6 * 3600.0
    miss_s: float = 600.0
    keep_s: float = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class Cached(Generic[T]):
    """A value with the time it was fetched; ``stale`` when something newer was asked for without result.

    A value of None means that the source has no such thing.
    """

    value: T | None
    as_of: datetime
    stale: bool = False


@dataclass(frozen=True, slots=True)
class _Failed:
    """A failure to fetch, and when whoever asked would have given up, by the clock of the event loop."""

    error: UpstreamError
    deadline: float


class AnswerCache:
    """Fetches through a cache; one for the whole process.

    Args:
        url: ``mem://``, ``disk://?directory=PATH`` or ``redis://HOST:PORT/DB``.
        times: How long answers count.
        clock: Tells the time, with a zone; the times of answers are its.
        space: Keeps answers of different sources apart in one store.
        retry_s: Seconds for which a failing store is left out.
        on_lookup: Told of hits, misses and stale answers.

    Raises:
        SettingsError: No cache can be made of ``url``.
    """

    def __init__(
        self,
        url: str = "mem://",
        *,
        times: CacheTimes | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        space: str = "",
        retry_s: float = 5.0,
        on_lookup: OnLookup | None = None,
    ) -> None:
        self._space = space
        self._times = times or CacheTimes()
        self._clock = clock
        self._on_lookup = on_lookup
        self._flights: SingleFlight[Cached[Any] | _Failed] = SingleFlight()
        self._stores = [Store("mem://")]
        if not url.startswith("mem:"):
            self._stores.append(Store(url, retry_s=retry_s))

    async def fetch(
        self,
        kind: str,
        names: tuple[str, ...],
        load: Callable[[], Coroutine[Any, Any, T | None]],
        of: TypeAdapter[T],
        *,
        fresh: bool = False,
        settled: Callable[[T], bool] = lambda value: True,
    ) -> Cached[T]:
        """Answer from the cache or by ``load``, whose answer is kept.

        Args:
            kind: What is asked, part of the key.
            names: Whose it is; case, width and white space make no difference.
            load: Fetches the value; None means that there is no such thing. It keeps to
                :func:`core.concurrency.deadline_at`, which is nearer when something old is at hand.
            of: Type of the value.
            fresh: Ask anew even if a fresh value is at hand.
            settled: Whether a value is good for the full time; others count as misses do.

        Raises:
            UpstreamError: From ``load``, when nothing older is at hand.
        """
        key = cache_key(f"{self._space}:{kind}", *names)

        def lasting_s(value: T | None) -> float:
            return self._times.miss_s if value is None or not settled(value) else self._times.hit_s

        async def fly() -> Cached[T] | _Failed:
            try:
                return await ask()
            except UpstreamError as error:
                return _Failed(error, deadline_at(math.inf))

        async def ask() -> Cached[T]:
            held = await self._read(key, of, lasting_s)
            if held is not None and not fresh and self._is_fresh(held, lasting_s):
                self._tell(kind, "hit")
                return held
            # Half of what is left: to wait for another process is of no use if no time to ask remains.
            patience_s = (deadline_at(math.inf) - asyncio.get_running_loop().time()) / 2
            async with self._stores[-1].alone(key, at_most_s=ALONE_MAX_S, patience_s=patience_s) as waited:
                if waited:
                    held = await self._read(key, of, lasting_s)
                    if held is not None and self._is_fresh(held, lasting_s):
                        self._tell(kind, "hit")
                        return held
                try:
                    with deadline(math.inf if held is None else OLD_PATIENCE_S):
                        value = await load()
                except UpstreamError:
                    if held is None or held.value is None:
                        raise
                    self._tell(kind, "stale")
                    return replace(held, stale=True)
                self._tell(kind, "miss")
                answer = Cached(value, self._clock())
                await self._write(key, of, answer, kind)
                return answer

        while isinstance(outcome := await self._flights.get((key, fresh), fly), _Failed):
            # Who asked may have had less time than is left here.
            if deadline_at(math.inf) <= outcome.deadline:
                raise outcome.error
        return outcome

    def shared_rate(self, name: str) -> SharedRate | None:
        """Give a request rate that all processes of this cache keep together; None if it is for this one alone."""
        return SharedRate(WindowCounter(self._stores[-1]), name) if self._stores[-1].is_shared else None

    async def aclose(self) -> None:
        """End what is in flight and free the stores."""
        await self._flights.aclose()
        for store in self._stores:
            await store.aclose()

    async def _read(self, key: str, of: TypeAdapter[T], lasting_s: Callable[[T | None], float]) -> Cached[T] | None:
        """Find the newest value held, looking no further than the first fresh one."""
        newest: Cached[T] | None = None
        for store in self._stores:
            raw = await store.get(key)
            held = None if raw is None else _decode(raw, of)
            if held is None or self._clock() - held.as_of > timedelta(seconds=self._times.keep_s):
                continue
            if newest is None or held.as_of > newest.as_of:
                newest = held
                if store is not self._stores[0] and raw is not None:
                    await self._stores[0].set(key, raw, self._times.keep_s)
            if newest is not None and self._is_fresh(newest, lasting_s):
                break
        return newest

    async def _write(self, key: str, of: TypeAdapter[T], answer: Cached[T], kind: str) -> None:
        raw = _encode(answer, of)
        if len(raw) > VALUE_MAX_BYTES:
            log.info("event=cache_value_too_long kind=%s bytes=%d", kind, len(raw))
            return
        for store in self._stores:
            await store.set(key, raw, self._times.keep_s)

    def _is_fresh(self, held: Cached[T], lasting_s: Callable[[T | None], float]) -> bool:
        # A clock that was set back makes values of the future; they are not to stay fresh until it catches up.
        age = self._clock() - held.as_of
        return timedelta(0) <= age < timedelta(seconds=lasting_s(held.value))

    def _tell(self, kind: str, outcome: str) -> None:
        if self._on_lookup is not None:
            self._on_lookup(kind, outcome)


def cache_key(kind: str, *names: str) -> str:
    """Make the key for ``names``: the same in any case, width and spacing, of fixed length, revealing nothing."""
    plain = "\n".join(" ".join(unicodedata.normalize("NFKC", name).casefold().split()) for name in names)
    digest = hashlib.blake2b(plain.encode("utf-8", errors="surrogatepass"), digest_size=16).hexdigest()
    return f"hitmeter:1:{kind}:{digest}"


def _encode(answer: Cached[T], of: TypeAdapter[T]) -> bytes:
    value = b"null" if answer.value is None else of.dump_json(answer.value)
    return b'{"as_of":"%s","value":%s}' % (answer.as_of.isoformat().encode(), value)


def _decode(raw: bytes, of: TypeAdapter[T]) -> Cached[T] | None:
    try:
        stored = json.loads(raw)
        as_of = datetime.fromisoformat(stored["as_of"])
        if as_of.tzinfo is None:
            return None
        value = stored["value"]
        return Cached(None if value is None else of.validate_python(value), as_of)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
