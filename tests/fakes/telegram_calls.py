"""One request to the Bot API: its parameters and files, and the limits of texts, captions and keyboards."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from tests.fakes.telegram_html import Parsed, parse_html

OBJECTS = {"reply_markup", "reply_parameters", "link_preview_options", "media", "results", "result", "button",
           "commands", "scope", "allowed_updates"}  # fmt: skip
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


async def read_call(request: web.Request) -> Call:
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
    params = {name: json.loads(value) if name in OBJECTS else value for name, value in fields.items()}
    return Call(request.match_info["method"], params, files)


def _is_plain(request: web.Request) -> bool:
    return request.content_type != "multipart/form-data"


def text_of(call: Call, html: str) -> dict[str, Any]:
    parsed = _parsed(call, html, call.params.get("parse_mode"))
    if not parsed.text.strip():
        raise bad_request("message text is empty")
    if parsed.length > TEXT_MAX:
        raise bad_request("message is too long")
    return {"text": parsed.text, "entities": parsed.entities}


def caption_of(call: Call, source: dict[str, Any]) -> dict[str, Any]:
    parsed = _parsed(call, source.get("caption", ""), source.get("parse_mode"))
    if parsed.length > CAPTION_MAX:
        raise bad_request("message caption is too long")
    return {"caption": parsed.text, "caption_entities": parsed.entities}


def _parsed(call: Call, text: str, parse_mode: str | None) -> Parsed:
    call.plain = parse_html(text) if parse_mode == "HTML" else Parsed(text)
    return call.plain


def check_keyboard(call: Call) -> None:
    for button in (button for row in call.keyboard for button in row):
        if not button["text"].strip():
            raise bad_request("BUTTON_TEXT_EMPTY")
        if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= DATA_MAX:
            raise bad_request("BUTTON_DATA_INVALID")
        if "url" in button and not re.fullmatch(r"https?://[^\s/]+\.[^\s]+", button["url"]):
            raise bad_request("BUTTON_URL_INVALID")
