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
import io
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl

from aiohttp import web
from PIL import Image

from tests.fakes.telegram_html import BadHtml, Parsed, parse_html

TOKEN = "123456789:AAFakeTokenOfTheLoopbackServer_0123456"
BOT = {"id": 123456789, "is_bot": True, "first_name": "Hitmeter", "username": "hitmeter_bot",
       "can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": True}  # fmt: skip

OBJECTS = {"reply_markup", "reply_parameters", "link_preview_options", "media", "results", "button", "commands",
           "scope", "allowed_updates"}  # fmt: skip
"""Parameters that come as JSON."""

CAPTION_MAX, TEXT_MAX, DATA_MAX, POPUP_MAX, RESULTS_MAX = 1024, 4096, 64, 200, 50


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.status, self.description, self.parameters = status, description, parameters


def bad_request(text: str) -> Refusal:
    return Refusal(400, f"Bad Request: {text}")


@dataclass
class Call:
    """One request: its parameters, its files, and what was answered."""

    method: str
    params: dict[str, Any]
    files: dict[str, bytes] = field(default_factory=dict)
    result: Any = None
    refused: Refusal | None = None
    plain: Parsed | None = None

    @property
    def keyboard(self) -> list[list[dict[str, Any]]]:
        markup = self.params.get("reply_markup") or {}
        return markup.get("inline_keyboard", [])

    @property
    def labels(self) -> list[list[str]]:
        return [[button["text"] for button in row] for row in self.keyboard]


class FakeTelegram:
    """The server; a context manager that listens on a free port of 127.0.0.1.

    Attributes:
        url: What stands before ``/bot<token>``.
        calls: Every request but getUpdates, in order.
        polls: How often updates were asked for.
        commands: The menus by scope, as JSON.
        rival: While True, another process fetches the updates.
    """

    def __init__(self, *, token: str = TOKEN, latency_s: float = 0.0) -> None:
        self.token = token
        self.url = ""
        self.calls: list[Call] = []
        self.polls = 0
        self.commands: dict[str, list[dict[str, str]]] = {}
        self.webhook: dict[str, Any] = {}
        self.messages: dict[tuple[int, int], dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        self.blocked: set[int] = set()
        self.closed_topics: set[tuple[int, int]] = set()
        self.without_pictures: set[int] = set()
        self.strangers: set[int] = set()
        self.rival = False
        self._latency_s = latency_s
        self._faults: list[tuple[str, Refusal]] = []
        self._updates: list[dict[str, Any]] = []
        self._next_id = 1000
        self._presses: set[str] = set()
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
    def private(user: int) -> dict[str, Any]:
        return {"id": user, "type": "private", "first_name": f"User {user}"}

    @staticmethod
    def group(number: int = -1001, *, forum: bool = False) -> dict[str, Any]:
        return {"id": number, "type": "supergroup", "title": "Friends", "is_forum": forum}

    @staticmethod
    def person(user: int) -> dict[str, Any]:
        return {"id": user, "is_bot": False, "first_name": f"User {user}"}

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

    async def until(self, condition: Callable[[], object], *, patience_s: float = 8.0) -> None:
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
        method = request.match_info["method"]
        params, files = await _read(request)
        call = Call(method, params, files)
        self.polls += method == "getUpdates"
        try:
            if request.match_info["token"] != self.token:
                raise Refusal(401, "Unauthorized")  # noqa: TRY301
            self._fail_if_planned(method)
            if method == "getUpdates":
                return web.json_response({"ok": True, "result": await self._get_updates(params)})
            if self._latency_s:
                await asyncio.sleep(self._latency_s)
            snake_case = re.sub("([A-Z])", lambda capital: f"_{capital[1].lower()}", method)
            handler = getattr(self, f"_do_{snake_case}", None)
            if handler is None:
                raise Refusal(404, "Not Found")  # noqa: TRY301
            call.result = handler(call)
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
                await self._changed.wait_for(lambda: self._updates or self._stopping or self.rival or self._faults)
        return self._updates[:100]

    def _fail_if_planned(self, method: str) -> None:
        for index, (planned, fault) in enumerate(self._faults):
            if planned == method:
                del self._faults[index]
                raise fault

    def _do_get_me(self, _: Call) -> Any:
        return BOT

    def _do_delete_webhook(self, _: Call) -> Any:
        self.webhook = {}
        return True

    def _do_set_webhook(self, call: Call) -> Any:
        if not str(call.params["url"]).startswith("https://"):
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", call.params["secret_token"]):
            raise bad_request("secret token contains unallowed characters")
        self.webhook = call.params
        return True

    def _do_get_my_commands(self, call: Call) -> Any:
        return self.commands.get(json.dumps(call.params.get("scope")), [])

    def _do_set_my_commands(self, call: Call) -> Any:
        scope = call.params.get("scope") or {"type": "default"}
        if scope.get("chat_id") in self.strangers:
            raise bad_request("chat not found")
        for command in call.params["commands"]:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]) or not 1 <= len(command["description"]) <= 256:
                raise bad_request("BOT_COMMAND_INVALID")
        self.commands[json.dumps(scope)] = call.params["commands"]
        return True

    def _do_send_chat_action(self, call: Call) -> Any:
        self._check_chat(call)
        return True

    def _do_send_message(self, call: Call) -> Any:
        self._check_chat(call)
        return self._store(call, _text(call, call.params["text"]))

    def _do_send_photo(self, call: Call) -> Any:
        return self._send_media(call, "photo")

    def _do_send_animation(self, call: Call) -> Any:
        return self._send_media(call, "animation")

    def _do_delete_message(self, call: Call) -> Any:
        if self.messages.pop(self._key(call), None) is None:
            raise bad_request("message to delete not found")
        return True

    def _do_edit_message_text(self, call: Call) -> Any:
        if "inline_message_id" in call.params:
            _text(call, call.params["text"])
            _check_keyboard(call)
            return True
        old = self._editable(call)
        if "text" not in old:
            raise bad_request("there is no text in the message to edit")
        return self._change(call, old, _text(call, call.params["text"]))

    def _do_edit_message_media(self, call: Call) -> Any:
        old = self._editable(call)
        media = call.params["media"]
        content = _caption(call, media)
        return self._change(call, old, {**content, **self._media(call, media["type"], media["media"])})

    def _do_answer_callback_query(self, call: Call) -> Any:
        self._take_press(call.params["callback_query_id"])
        if len(call.params.get("text") or "") > POPUP_MAX:
            raise bad_request("MESSAGE_TOO_LONG")
        return True

    def _do_answer_inline_query(self, call: Call) -> Any:
        self._take_press(call.params["inline_query_id"])
        results = call.params["results"]
        ids = [result["id"] for result in results]
        if len(results) > RESULTS_MAX or len(set(ids)) != len(ids) or any(not 1 <= len(i) <= 64 for i in ids):
            raise bad_request("RESULTS_TOO_MUCH or RESULT_ID_INVALID")
        for result in results:
            content = Call("inline", {**result["input_message_content"], "reply_markup": result["reply_markup"]})
            _text(content, content.params["message_text"])
            _check_keyboard(content)
        return True

    # pieces

    def _take_press(self, press: str) -> None:
        if press not in self._presses:
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        self._presses.discard(press)

    def _check_chat(self, call: Call) -> None:
        chat_id, thread_id = int(call.params["chat_id"]), int(call.params.get("message_thread_id") or 0)
        if chat_id in self.blocked:
            raise Refusal(403, "Forbidden: bot was blocked by the user")
        if (chat_id, thread_id) in self.closed_topics:
            raise bad_request("TOPIC_CLOSED")

    def _send_media(self, call: Call, kind: str) -> Any:
        self._check_chat(call)
        if int(call.params["chat_id"]) in self.without_pictures:
            raise bad_request(f"not enough rights to send {kind}s to the chat")
        content = _caption(call, call.params)
        source = f"attach://{kind}" if kind in call.files else call.params.get(kind, "")
        return self._store(call, {**content, **self._media(call, kind, source)})

    def _media(self, call: Call, kind: str, source: str) -> dict[str, Any]:
        if source.startswith("attach://"):
            data = call.files[source.removeprefix("attach://")]
            with Image.open(io.BytesIO(data)) as image:
                image.load()
            file_id = f"file-{self._new_id()}"
            self.files[file_id] = data
        elif source in self.files:
            file_id, data = source, self.files[source]
        else:
            raise bad_request("wrong file identifier/HTTP URL specified")
        with Image.open(io.BytesIO(data)) as image:
            size = {"width": image.width, "height": image.height}
        about = {"file_id": file_id, "file_unique_id": f"u{file_id}", **size}
        if kind == "photo":
            return {"photo": [{**about, "file_id": f"{file_id}"}]}
        return {"animation": {**about, "duration": 1}}

    def _store(self, call: Call, content: dict[str, Any]) -> dict[str, Any]:
        _check_keyboard(call)
        chat_id = int(call.params["chat_id"])
        chat = next((m["chat"] for (c, _), m in self.messages.items() if c == chat_id), self.private(chat_id))
        message = {"message_id": self._new_id(), "date": int(time.time()), "chat": chat, "from": BOT, **content}
        if call.params.get("message_thread_id"):
            message |= {"message_thread_id": int(call.params["message_thread_id"]), "is_topic_message": True}
        answered = call.params.get("reply_parameters")
        if answered:
            old = self.messages.get((chat_id, answered["message_id"]))
            if old is None and not answered.get("allow_sending_without_reply"):
                raise bad_request("message to be replied not found")
            if old is not None:
                message["reply_to_message"] = {k: v for k, v in old.items() if k != "reply_to_message"}
        if call.keyboard:
            message["reply_markup"] = call.params["reply_markup"]
        self.messages[chat_id, message["message_id"]] = message
        return message

    def _change(self, call: Call, old: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
        _check_keyboard(call)
        kept = {key: old[key] for key in ("message_id", "date", "chat", "from", "message_thread_id", "is_topic_message")
                if key in old}  # fmt: skip
        new = {**kept, **content}
        if call.keyboard:
            new["reply_markup"] = call.params["reply_markup"]
        if new == {key: value for key, value in old.items() if key not in {"edit_date", "reply_to_message"}}:
            raise bad_request(
                "message is not modified: specified new message content and reply markup are exactly the same"
            )
        new["edit_date"] = int(time.time())
        self.messages[self._key(call)] = new
        return new

    def _editable(self, call: Call) -> dict[str, Any]:
        message = self.messages.get(self._key(call))
        if message is None:
            raise bad_request("message to edit not found")
        if message["from"]["id"] != BOT["id"]:
            raise bad_request("message can't be edited")
        return message

    def _key(self, call: Call) -> tuple[int, int]:
        return int(call.params["chat_id"]), int(call.params["message_id"])

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


async def _read(request: web.Request) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Read a form. Not by ``request.post()``: its parts warn of aiohttp's own deprecations where chunks fall badly."""
    body = await request.read()
    fields: dict[str, str] = dict(parse_qsl(body.decode(), keep_blank_values=True)) if _is_plain(request) else {}
    files: dict[str, bytes] = {}
    if not _is_plain(request):
        boundary = request.headers["Content-Type"].partition("boundary=")[2].encode()
        for part in body.split(b"--" + boundary)[1:-1]:
            head, _, content = part.partition(b"\r\n\r\n")
            name = re.search(rb' name="([^"]*)"', head)
            if name is None:
                raise bad_request("a part without a name")
            if b" filename=" in head:
                files[name[1].decode()] = content[:-2]
            else:
                fields[name[1].decode()] = content[:-2].decode()
    return {name: json.loads(value) if name in OBJECTS else value for name, value in fields.items()}, files


def _is_plain(request: web.Request) -> bool:
    return request.content_type != "multipart/form-data"


def _text(call: Call, html: str) -> dict[str, Any]:
    parsed = _parsed(call, html, call.params.get("parse_mode"))
    if not parsed.text.strip():
        raise bad_request("message text is empty")
    if parsed.length > TEXT_MAX:
        raise bad_request("message is too long")
    return {"text": parsed.text, "entities": parsed.entities}


def _caption(call: Call, source: dict[str, Any]) -> dict[str, Any]:
    parsed = _parsed(call, source.get("caption", ""), source.get("parse_mode"))
    if parsed.length > CAPTION_MAX:
        raise bad_request("message caption is too long")
    return {"caption": parsed.text, "caption_entities": parsed.entities}


def _parsed(call: Call, text: str, parse_mode: str | None) -> Parsed:
    call.plain = parse_html(text) if parse_mode == "HTML" else Parsed(text)
    return call.plain


def _check_keyboard(call: Call) -> None:
    for button in (button for row in call.keyboard for button in row):
        if not button["text"].strip():
            raise bad_request("BUTTON_TEXT_EMPTY")
        if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= DATA_MAX:
            raise bad_request("BUTTON_DATA_INVALID")
        if "url" in button and not re.fullmatch(r"https?://[^\s/]+\.[^\s]+", button["url"]):
            raise bad_request("BUTTON_URL_INVALID")


def _entities(text: str) -> list[dict[str, Any]]:
    """Find what Telegram marks by itself: a command at the start, and mentions."""
    found = [("bot_command", match) for match in re.finditer(r"(?<![\w/])/\w{1,32}(@\w+)?", text)]
    found += [("mention", match) for match in re.finditer(r"@\w{5,32}", text) if not text.startswith("/")]
    return [
        {"type": kind, "offset": len(text[: m.start()].encode("utf-16-le")) // 2, "length": m.end() - m.start()}
        for kind, m in found
    ]
