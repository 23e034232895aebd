"""The gateway of a loopback Discord: HELLO, IDENTIFY, READY, heartbeats, RESUME with what was missed."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes import discord_payloads as payloads

SESSION_ID = "loopback-session"
REPLAYED_MOST = 1_000


class Gateway:
    """Holds one session over any number of connections.

    ``identified`` and ``resumed`` count how connections began, ``ready`` is set while one is served.
    """

    def __init__(self, token: str) -> None:
        self.url = ""
        self.identified = 0
        self.resumed = 0
        self.identities: list[dict[str, Any]] = []
        self.ready = asyncio.Event()
        self._token = token
        self._socket: web.WebSocketResponse | None = None
        self._numbers = itertools.count(1)
        self._sent: deque[dict[str, Any]] = deque(maxlen=REPLAYED_MOST)

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection until either side ends it."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": 41_250}, "s": None, "t": None})
        async for received in socket:
            if received.type is WSMsgType.TEXT:
                await self._receive(socket, received.json())
        if self._socket is socket:
            self._socket = None
            self.ready.clear()
        return socket

    async def dispatch(self, event: str, data: dict[str, Any]) -> None:
        """Send an event, or keep it for a connection that resumes."""
        frame = {"op": 0, "t": event, "s": next(self._numbers), "d": data}
        self._sent.append(frame)
        if self._socket is not None:
            await self._socket.send_json(frame)

    def drop(self) -> None:
        """Break the connection without a closing handshake."""
        socket, self._socket = self._socket, None
        self.ready.clear()
        assert socket is not None
        transport = socket._req.transport  # type: ignore[union-attr]
        assert transport is not None
        transport.abort()

    async def close(self, code: int = 1001) -> None:
        """Close what is open; 4013 and the like tell the bot not to come back."""
        if self._socket is not None:
            await self._socket.close(code=code)

    async def _receive(self, socket: web.WebSocketResponse, frame: dict[str, Any]) -> None:
        match frame["op"]:
            case 1:
                await socket.send_json({"op": 11, "d": None, "s": None, "t": None})
            case 2 if frame["d"]["token"] != self._token:
                await socket.close(code=4004)
            case 2:
                self.identified += 1
                self.identities.append(frame["d"])
                self._socket = socket
                await self.dispatch("READY", self._ready())
                self.ready.set()
            case 6 if frame["d"]["session_id"] != SESSION_ID:
                await socket.send_json({"op": 9, "d": False, "s": None, "t": None})
            case 6:
                self.resumed += 1
                self._socket = socket
                for missed in [sent for sent in self._sent if sent["s"] > frame["d"]["seq"]]:
                    await socket.send_json(missed)
                await self.dispatch("RESUMED", {})
                self.ready.set()

    def _ready(self) -> dict[str, Any]:
        return {
            "v": 10,
            "user": payloads.user(payloads.BOT_ID, "hitmeter", bot=True),
            "guilds": [],
            "session_id": SESSION_ID,
            "resume_gateway_url": self.url,
            "application": {"id": payloads.APPLICATION_ID, "flags": 0},
            "shard": [0, 1],
        }
