"""Limits on how much one person and one chat may ask, platform-free, over all processes if they share a Redis."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

from core.lookup.store import WindowCounter

if TYPE_CHECKING:
    from core.settings import Settings


SWEEP_FROM: Final = 1_024
"""Windows kept before the ended ones are looked for and dropped."""


class Scope(Enum):
    """Whose limit was met."""

    USER = "user"
    CHAT = "chat"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``count`` questions in the ``window_s`` seconds after the first of them; a count of 0 means no limit."""

    count: int
    window_s: float


@dataclass(frozen=True, slots=True)
class RateDecision:
    """Whether a question may be answered.

    Attributes:
        allowed: Answer it.
        wait_s: Whole seconds until the next one may be, at least 1; 0 if this one is allowed.
        should_notify: Say so now; False when whoever would read it has been told already: then be silent.
        scope: Whose limit was met; None if the question is allowed.
    """

    allowed: bool
    wait_s: int = 0
    should_notify: bool = False
    scope: Scope | None = None


ALLOWED: Final = RateDecision(allowed=True)


@dataclass(slots=True)
class _Window:
    ends_at: float
    asked: int = 0
    told: set[Hashable] = field(default_factory=set)


class RateLimiter:
    """Counts the questions of every user and every chat.

    A window opens with the first question and everything is free again when it ends, so the seconds told are exact.
    A refused question counts nowhere. Windows that ended are dropped, so memory follows the number of people who
    asked lately, not of all who ever asked.
    """

    def __init__(
        self,
        *,
        user: Limit,
        chat: Limit,
        notify_once_per_chat: bool = False,
        clock: Callable[[], float] = time.monotonic,
        shared: WindowCounter | None = None,
        name: str = "",
    ) -> None:
        """Set the limits.

        Args:
            user: For one person, wherever they ask.
            chat: For all people of one chat together.
            notify_once_per_chat: Whether everyone in a chat reads what one person is told: then a chat's limit is told
                once in the chat, otherwise once to each person.
            clock: Tells seconds, never going back.
            shared: Counts for all processes together.
            name: Keeps the counts of platforms apart.
        """
        self._limits = {Scope.USER: user, Scope.CHAT: chat}
        self._notify_once_per_chat = notify_once_per_chat
        self._clock = clock
        self._shared = shared
        self._name = name
        self._windows: dict[tuple[Scope, Hashable], _Window] = {}
        self._sweep_at = SWEEP_FROM

    @classmethod
    def from_settings(cls, settings: Settings, *, name: str = "", notify_once_per_chat: bool = False) -> RateLimiter:
        """Take the limits from the settings; with a ``name``, processes that share a Redis share them."""
        return cls(
            user=Limit(settings.user_limit_count, settings.user_limit_window_s),
            chat=Limit(settings.chat_limit_count, settings.chat_limit_window_s),
            notify_once_per_chat=notify_once_per_chat,
            shared=WindowCounter.if_shared(settings.cache_url) if name else None,
            name=name,
        )

    async def admit(self, user: Hashable, chat: Hashable | None = None) -> RateDecision:
        """Rule on one question by the counts of all processes; arguments as for :meth:`ask`."""
        decision = self.ask(user, chat)
        if not decision.allowed or self._shared is None:
            return decision
        counted: list[tuple[Scope, Hashable]] = []
        for scope, asker in self._limited(user, chat):
            limit = self._limits[scope]
            excess_s = await self._shared.excess_s(self._who(scope, asker), limit.count, limit.window_s)
            if excess_s is not None:
                for other in self._limited(user, chat):
                    if other[0] is not scope:
                        await self._take_back(*other, shared=other in counted)
                now = self._clock()
                window = self._window((scope, asker), now, limit)
                window.asked, window.ends_at = limit.count, now + excess_s
                return self._refusal(window, now, user, scope)
            counted.append((scope, asker))
        return decision

    def _limited(self, user: Hashable, chat: Hashable | None) -> list[tuple[Scope, Hashable]]:
        """List whose limits hold for a question."""
        askers = ((Scope.USER, user), (Scope.CHAT, chat))
        return [(scope, asker) for scope, asker in askers if asker is not None and self._limits[scope].count > 0]

    def _who(self, scope: Scope, asker: Hashable) -> str:
        return f"{self._name}:{scope.value}:{asker}"

    async def _take_back(self, scope: Scope, asker: Hashable, *, shared: bool) -> None:
        """Forget a question that another limit refused; one counted by all processes only if it got as far."""
        window = self._windows.get((scope, asker))
        if window is not None:
            window.asked = max(0, window.asked - 1)
        if shared and self._shared is not None:
            await self._shared.take_back(self._who(scope, asker), self._limits[scope].window_s)

    async def aclose(self) -> None:
        """Close the connection to the shared counts, if any."""
        if self._shared is not None:
            await self._shared.aclose()

    def ask(self, user: Hashable, chat: Hashable | None = None) -> RateDecision:
        """Rule on one question by the counts of this process alone, and count it if it is allowed.

        Args:
            user: Who asks.
            chat: Where, if others ask there too; None in a private chat.
        """
        now = self._clock()
        windows: list[_Window] = []
        for scope, asker in self._limited(user, chat):
            limit = self._limits[scope]
            window = self._window((scope, asker), now, limit)
            if window.asked >= limit.count:
                return self._refusal(window, now, user, scope)
            windows.append(window)
        for window in windows:
            window.asked += 1
        return ALLOWED

    def _refusal(self, window: _Window, now: float, user: Hashable, scope: Scope) -> RateDecision:
        reader = None if scope is Scope.CHAT and self._notify_once_per_chat else user
        should_notify = reader not in window.told
        window.told.add(reader)
        return RateDecision(
            allowed=False, wait_s=max(1, math.ceil(window.ends_at - now)), should_notify=should_notify, scope=scope
        )

    def _window(self, key: tuple[Scope, Hashable], now: float, limit: Limit) -> _Window:
        window = self._windows.get(key)
        if window is None or window.ends_at <= now:
            self._sweep(now)
            window = self._windows[key] = _Window(now + limit.window_s)
        return window

    def _sweep(self, now: float) -> None:
        """Drop the windows that ended, whenever their number has doubled, so that a question costs the same always."""
        if len(self._windows) < self._sweep_at:
            return
        self._windows = {key: window for key, window in self._windows.items() if window.ends_at > now}
        self._sweep_at = max(SWEEP_FROM, 2 * len(self._windows))
