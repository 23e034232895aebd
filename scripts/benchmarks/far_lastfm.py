"""The loopback Last.fm in a process of its own, so that its work is not taken for the bot's."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections import Counter
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Self

from tests.fakes.lastfm_server import FakeArtist, FakeLastFm, FakeSong


class FarLastFm:
    """A context manager; ``url`` is where it answers."""

    def __init__(self, songs: Sequence[FakeSong], artists: Sequence[FakeArtist], *, latency_s: float = 0.0) -> None:
        """Set what it knows and how long it waits before each answer."""
        context = multiprocessing.get_context("spawn")
        self._wire, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, songs, artists, latency_s), daemon=True)
        self.url = ""

    def __enter__(self) -> Self:
        """Start it and wait until it answers."""
        self._process.start()
        self.url = self._wire.recv()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stop it."""
        self._wire.send("stop")
        self._process.join(10)

    def requests(self) -> Counter[tuple[str, str, str]]:
        """Count all requests so far by method, artist and track."""
        self._wire.send("requests")
        counted: Counter[tuple[str, str, str]] = self._wire.recv()
        return counted


def _serve(wire: Connection, songs: Sequence[FakeSong], artists: Sequence[FakeArtist], latency_s: float) -> None:
    asyncio.run(_run(wire, songs, artists, latency_s))


async def _run(wire: Connection, songs: Sequence[FakeSong], artists: Sequence[FakeArtist], latency_s: float) -> None:
    async with FakeLastFm(songs, artists, latency_s=latency_s) as server:
        wire.send(server.url)
        while await asyncio.to_thread(wire.recv) != "stop":
            asked = [(one["method"], one.get("artist", ""), one.get("track", "")) for one in server.requests]
            wire.send(Counter(asked))
