"""One budget of time for everything that is asked on behalf of one question.

A question may take several calls in turn: a song by name, a search, the song that the search found. Each has a limit
of its own, but people read their answer or a sentence within one limit for all. Whoever answers the question sets it::

    with time_budget(7.5):
        found = await resolver.resolve(query)

Sources ask :func:`deadline` and so never go beyond it. It follows the tasks that are started inside the block.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextmanager
def time_budget(seconds: float) -> Iterator[None]:
    """Give what happens in the block ``seconds`` from now; a block inside another cannot lengthen it."""
    token = _deadline.set(deadline(seconds))
    try:
        yield
    finally:
        _deadline.reset(token)


def deadline(seconds: float) -> float:
    """Tell when to give up what may take ``seconds``, by the clock of the running event loop."""
    own = asyncio.get_running_loop().time() + seconds
    shared = _deadline.get()
    return own if shared is None else min(own, shared)
