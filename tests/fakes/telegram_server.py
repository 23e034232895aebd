"""A loopback Bot API server that keeps Telegram's limits.

In a test::

    async with FakeTelegram() as telegram:
        ...  # a real bot with base_url f"{telegram.url}/bot"
        message = telegram.say("/predict Hello - Adele", chat=telegram.private(7))
        photo = await telegram.sent("sendPhoto")
        telegram.press(photo.result, "Why?", user=7)

What it refuses, it refuses with Telegram's own words: captions of more than 1024 and texts of more than 4096 UTF-16
units after parsing, HTML outside the allowed subset, callback data of more than 64 bytes, addresses that are none,
unknown file ids, edits of messages that are gone or unchanged, pop-ups of more than 200 characters.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Callable
from typing import Any, Self

from aiohttp import web

from tests.fakes.telegram_calls import Call, Refusal, bad_request, read_call
from tests.fakes.telegram_chats import TelegramChats
from tests.fakes.telegram_html import BadHtml

TOKEN = "123456789:AAFakeTokenOfTheLoopbackServer_0123456"


class FakeTelegram(TelegramChats):
    """The server; a context manager that listens on a free port of 127.0.0.1.

    Attributes:
        url: What stands before ``/bot<token>``.
        calls: Every request but getUpdates, in order.
        polls: How often updates were asked for.
        rival: While True, another process fetches the updates.
        latency_s: How long every request but getUpdates takes.
    """

    def __init__(self, *, token: str = TOKEN, latency_s: float = 0.0) -> None:
        super().__init__()
        self.token = token
        self.url = ""
        self.calls: list[Call] = []
        self.polls = 0
        self.rival = False
        self.latency_s = latency_s
        self._faults: list[tuple[str, Refusal]] = []
        self._updates: list[dict[str, Any]] = []
        self._changed = asyncio.Condition()
        self._stopping = False

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=20_000_000)
        app.router.add_route("*", "/bot{token}/{method}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping = True
        await self._notify()
        await self._runner.cleanup()

    # what people do

    @staticmethod
    def group(number: int = -1001, *, forum: bool = False) -> dict[str, Any]:
        return {"id": number, "type": "supergroup", "title": "Friends", "is_forum": forum}

    def person(self, user: int) -> dict[str, Any]:
        spoken = {"language_code": self.languages[user]} if user in self.languages else {}
        return {"id": user, "is_bot": False, "first_name": f"User {user}", **spoken}

    def message(
        self, text: str, *, chat: dict[str, Any], user: int = 7, thread: int | None = None,
        reply_to: dict[str, Any] | None = None, **more: Any,
    ) -> dict[str, Any]:  # fmt: skip
        message = {
            "message_id": self._new_id(), "date": int(time.time()), "chat": chat,
            "from": self.person(user), "text": text, "entities": _entities(text), **more,
        }  # fmt: skip
        if thread is not None:
            message |= {"message_thread_id": thread, "is_topic_message": True}
        if reply_to is not None:
            message["reply_to_message"] = reply_to
        self.messages[chat["id"], message["message_id"]] = message
        return message

    def say(self, text: str, **how: Any) -> dict[str, Any]:
        message = self.message(text, **how)
        self.push(message=message)
        return message

    def edit(self, message: dict[str, Any], text: str) -> None:
        edited = {**message, "text": text, "entities": _entities(text), "edit_date": int(time.time())}
        self.push(edited_message=edited)

    def press(self, message: dict[str, Any], label: str = "", *, user: int = 7, data: str | None = None) -> str:
        """Press the button that bears ``label``, or send made-up ``data``."""
        if data is None:
            rows = message["reply_markup"]["inline_keyboard"]
            data = next(button["callback_data"] for row in rows for button in row if label in button["text"])
        return self.push_press(data, user, message=message)

    def push_press(self, data: str, user: int, **where: Any) -> str:
        press = f"press-{self._new_id()}"
        self._presses.add(press)
        self.push(callback_query={"id": press, "from": self.person(user), "chat_instance": "1", "data": data, **where})
        return press

    def type_inline(self, query: str, *, user: int = 7) -> str:
        press = f"inline-{self._new_id()}"
        self._presses.add(press)
        self.push(inline_query={"id": press, "from": self.person(user), "query": query, "offset": ""})
        return press

    def ask_guest(self, text: str, *, chat: dict[str, Any], user: int = 7, **more: Any) -> str:
        """Mention the bot in a chat it is no member of; returns the id by which it may answer once."""
        query = f"guest-{self._new_id()}"
        self._presses.add(query)
        message = self.message(text, chat=chat, user=user, guest_query_id=query, **more)
        del self.messages[chat["id"], message["message_id"]]  # the bot cannot reach that chat
        self.push(guest_message=message)
        return query

    def choose(self, result_id: str, inline_message_id: str, *, user: int = 7) -> None:
        self.push(
            chosen_inline_result={
                "result_id": result_id,
                "from": self.person(user),
                "query": "x",
                "inline_message_id": inline_message_id,
            }
        )

    def update(self, **content: Any) -> dict[str, Any]:
        return {"update_id": self._new_id(), **content}

    def push(self, **content: Any) -> None:
        self._updates.append(self.update(**content))
        asyncio.get_running_loop().create_task(self._notify())

    # what goes wrong

    def fail(self, method: str, status: int, description: str, *, times: int = 1, **parameters: Any) -> None:
        self._faults += [(method, Refusal(status, description, **parameters))] * times

    def forget_files(self) -> None:
        self.files.clear()

    # what tests wait for

    def of(self, *methods: str) -> list[Call]:
        return [call for call in self.calls if call.method in methods and call.refused is None]

    async def until(self, condition: Callable[[], object], *, patience_s: float = 60.0) -> None:
        try:
            async with asyncio.timeout(patience_s), self._changed:
                await self._changed.wait_for(condition)
        except TimeoutError:
            seen = [(call.method, str(call.refused or "")) for call in self.calls]
            raise AssertionError(f"waited in vain; the last of {len(seen)} calls: {seen[-30:]}") from None

    async def sent(self, *methods: str, count: int = 1) -> Call:
        """Wait for the ``count``-th answered request of these methods."""
        await self.until(lambda: len(self.of(*methods)) >= count)
        return self.of(*methods)[count - 1]

    # how it answers

    async def _answer(self, request: web.Request) -> web.Response:
        call = await read_call(request)
        method, params = call.method, call.params
        self.polls += method == "getUpdates"
        try:
            if request.match_info["token"] != self.token:
                raise Refusal(401, "Unauthorized")  # noqa: TRY301
            self._fail_if_planned(method)
            if method == "getUpdates":
                return web.json_response({"ok": True, "result": await self._get_updates(params)})
            if self.latency_s:
                await asyncio.sleep(self.latency_s)
            call.result = self.do(call)
        except BadHtml as error:
            call.refused = bad_request(str(error))
        except Refusal as error:
            call.refused = error
        if method != "getUpdates":
            self.calls.append(call)
        await self._notify()
        if call.refused is not None:
            fault = call.refused
            body = {"ok": False, "error_code": fault.status, "description": fault.description}
            if fault.parameters:
                body["parameters"] = fault.parameters
            return web.json_response(body, status=fault.status)
        return web.json_response({"ok": True, "result": call.result})

    async def _get_updates(self, params: dict[str, Any]) -> list[dict[str, Any]]:
        if self.rival:
            raise Refusal(
                409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
            )
        if self.webhook.get("url"):
            raise Refusal(409, "Conflict: can't use getUpdates method while webhook is active")
        offset = int(params.get("offset") or 0)
        self._updates = [update for update in self._updates if update["update_id"] >= offset]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(float(params.get("timeout") or 0), 10.0)), self._changed:
                await self._changed.wait_for(
                    lambda: self._updates or self._stopping or self.rival or self._plans("getUpdates")
                )
        return self._updates[:100]

    def _plans(self, method: str) -> bool:
        return any(planned == method for planned, _ in self._faults)

    def _fail_if_planned(self, method: str) -> None:
        for index, (planned, fault) in enumerate(self._faults):
            if planned == method:
                del self._faults[index]
                raise fault

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def _entities(text: str) -> list[dict[str, Any]]:
    """Find what Telegram marks by itself: a command at the start, and mentions."""
    found = [("bot_command", match) for match in re.finditer(r"(?<![\w/])/\w{1,32}(@\w+)?", text)]
    found += [("mention", match) for match in re.finditer(r"@\w{5,32}", text) if not text.startswith("/")]
    return [
        {"type": kind, "offset": len(text[: m.start()].encode("utf-16-le")) // 2, "length": m.end() - m.start()}
        for kind, m in found
    ]
