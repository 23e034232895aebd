"""A loopback Discord, REST and gateway, to which a real discord.py speaks."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import discord
import yarl
from aiohttp import BodyPartReader, web
from discord.gateway import DiscordWebSocket

from tests.fakes import discord_payloads as payloads
from tests.fakes.discord_gateway import Gateway

FIRST_RESPONSE_S = 3.0
"""Later first responses are answered with 10062, as by Discord."""


@dataclass(frozen=True)
class Call:
    """One request of the bot: its JSON and the files it uploaded."""

    method: str
    path: str
    body: dict[str, Any]
    files: list[tuple[str, bytes]] = field(default_factory=list)
    status: int = 200


@dataclass
class Given:
    """An interaction that was sent and what became of it."""

    payload: dict[str, Any]
    sent_at_s: float
    acknowledged: asyncio.Event = field(default_factory=asyncio.Event)
    response: dict[str, Any] | None = None
    original: dict[str, Any] | None = None
    expired: bool = False


class DiscordServer:
    """Keeps interactions, their messages and every request; ``faults`` answers the next webhook requests.

    A fault is a status, headers and a body; the request it answers has no effect. A status of 0 breaks the connection.
    """

    def __init__(self, token: str) -> None:
        self.gateway = Gateway(token)
        self.calls: list[Call] = []
        self.faults: deque[tuple[int, dict[str, str], Any]] = deque()
        self.base_url = ""
        self.commands: list[dict[str, Any]] = []
        self._token = token
        self._given: dict[str, Given] = {}
        self._changed = asyncio.Condition()

    async def interact(self, payload: dict[str, Any]) -> Given:
        """Send an interaction to the bot."""
        given = Given(payload, asyncio.get_running_loop().time())
        self._given[payload["token"]] = given
        await self.gateway.dispatch("INTERACTION_CREATE", payload)
        return given

    async def wait_for(self, *wanted: tuple[str, str], refused: bool = False, timeout_s: float = 60.0) -> list[Call]:
        """Wait until requests of these methods and path parts succeeded, and give the last of each.

        With ``refused`` they count however they were answered.
        """

        def found() -> list[Call]:
            done = [call for call in self.calls if refused or 200 <= call.status < 300]
            hits = [[one for one in done if one.method == method and part in one.path] for method, part in wanted]
            return [hit[-1] for hit in hits if hit]

        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(lambda: len(found()) == len(wanted))
        return found()

    def forget(self, token: str) -> None:
        """Let go of an interaction that was answered."""
        del self._given[token]

    def statuses(self, method: str, part: str) -> list[int]:
        """List how requests of one kind were answered, in order."""
        return [call.status for call in self.calls if call.method == method and part in call.path]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one REST request and note it."""
        body, files = await _read(request)
        path = request.path.removeprefix("/api/v10")
        status, headers, answer = self._answer(request.method, path, body, files, request)
        async with self._changed:
            self.calls.append(Call(request.method, path, body, files, status))
            self._changed.notify_all()
        if status == 0:
            assert request.transport is not None
            request.transport.abort()
        if answer is None:
            return web.Response(status=status or 500, headers=headers)
        # discord.py reads JSON only from a response of exactly this type, without a charset.
        data = json.dumps(answer).encode()
        return web.Response(body=data, status=status, headers=headers, content_type="application/json")

    def _answer(
        self, method: str, path: str, body: dict[str, Any], files: list[tuple[str, bytes]], request: web.Request
    ) -> tuple[int, dict[str, str], Any]:
        parts = path.strip("/").split("/")
        if parts[0] in {"users", "oauth2", "gateway", "applications"}:
            if request.headers.get("Authorization") != f"Bot {self._token}":
                return 401, {}, {"message": "401: Unauthorized", "code": 0}
            return 200, {}, self._application_route(path, body)
        if parts[0] == "channels":
            return 200, {}, payloads.message(body, files)
        if parts[0] == "interactions":
            return self._callback(self._given[parts[2]], body)
        if self.faults:
            return self.faults.popleft()
        return self._webhook(method, self._given[parts[2]], parts[3:], body, files)

    def _application_route(self, path: str, body: Any) -> Any:
        if path == "/users/@me":
            return payloads.user(payloads.BOT_ID, "hitmeter", bot=True)
        if path == "/users/@me/channels":
            person = payloads.user(str(body["recipient_id"]), "somebody")
            return {"id": str(body["recipient_id"]), "type": 1, "recipients": [person]}
        if path.startswith("/users/"):
            return payloads.user(path.rpartition("/")[2], "somebody")
        if path == "/oauth2/applications/@me":
            return payloads.application()
        if path == "/gateway/bot":
            limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
            return {"url": self.gateway.url, "shards": 1, "session_start_limit": limit}
        self.commands = body
        default = {
            "description": "",
            "application_id": payloads.APPLICATION_ID,
            "default_member_permissions": None,
            "version": "1",
        }
        return [{**default, "id": payloads.next_id(), **command} for command in body]

    def _callback(self, given: Given, body: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
        late = asyncio.get_running_loop().time() - given.sent_at_s > FIRST_RESPONSE_S
        if late or given.expired:
            return 404, {}, {"message": "Unknown interaction", "code": 10062}
        if given.response is not None:
            return 400, {}, {"message": "Interaction has already been acknowledged.", "code": 40060}
        if broken := payloads.fault_of(body.get("data") or {}):
            return 400, {}, {"message": f"Invalid Form Body: {broken}", "code": 50035}
        given.response = body
        given.original = payloads.message(body.get("data") or {}, [])
        given.acknowledged.set()
        kind = given.payload["type"]
        return 200, {}, {"interaction": {"id": given.payload["id"], "type": kind}}

    def _webhook(
        self, method: str, given: Given, rest: list[str], body: dict[str, Any], files: list[tuple[str, bytes]]
    ) -> tuple[int, dict[str, str], Any]:
        if given.expired:
            return 401, {}, {"message": "Invalid Webhook Token", "code": 50027}
        if broken := payloads.fault_of(body):
            return 400, {}, {"message": f"Invalid Form Body: {broken}", "code": 50035}
        if method == "POST":
            return 200, {}, payloads.message(body, files)
        if rest != ["messages", "@original"] or given.original is None:
            return 404, {}, {"message": "Unknown Message", "code": 10008}
        if method == "DELETE":
            given.original = None
            return 204, {}, None
        given.original = payloads.message(body, files, message_id=given.original["id"])
        return 200, {}, given.original


@asynccontextmanager
async def discord_server(token: str) -> AsyncIterator[DiscordServer]:
    """Serve a loopback Discord on a free port while the block runs; every client of this process speaks to it."""
    server = DiscordServer(token)
    app = web.Application(client_max_size=32 * 1024**2)
    app.router.add_get("/gateway/", server.gateway.connect)
    app.router.add_route("*", "/api/v10/{rest:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    server.base_url = f"http://127.0.0.1:{port}/api/v10"
    server.gateway.url = f"ws://127.0.0.1:{port}/gateway/"
    try:
        with (
            patch.object(discord.http.Route, "BASE", server.base_url),
            patch.object(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(server.gateway.url)),
        ):
            yield server
    finally:
        await server.gateway.close()
        await runner.cleanup()


async def _read(request: web.Request) -> tuple[Any, list[tuple[str, bytes]]]:
    """Take a request apart: its JSON, and its files with their names."""
    if not request.content_type.startswith("multipart/"):
        text = await request.text()
        return (json.loads(text) if text else {}), []
    body: Any = {}
    files = []
    async for part in await request.multipart():
        assert isinstance(part, BodyPartReader)
        if part.name == "payload_json":
            body = await part.json()
        else:
            files.append((part.filename or "", bytes(await part.read())))
    return body, files
