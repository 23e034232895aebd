"""Reads Telegram's HTML as its servers do and refuses what they refuse (https://core.telegram.org/bots/api#html-style)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

TAGS = {"b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "s": "strikethrough",
        "code": "code", "pre": "pre", "blockquote": "blockquote", "a": "text_link"}  # fmt: skip
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
TOKEN = re.compile(
    r"<(/?)([a-z]+)((?:\s+[a-z]+=\"[^\"<>]*\")*)\s*>|&(#\d+|#x[0-9a-fA-F]+|[a-z]+);|([^<&]+)|(.)", re.DOTALL
)


class BadHtml(Exception):
    """Telegram would not take this."""


@dataclass
class Parsed:
    """Plain text and its entities, offsets and lengths in UTF-16 units."""

    text: str = ""
    entities: list[dict[str, Any]] = field(default_factory=list)

    @property
    def length(self) -> int:
        return units(self.text)


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def parse_html(html: str) -> Parsed:
    parsed = Parsed()
    opened: list[tuple[str, dict[str, Any]]] = []
    for closing, tag, attributes, reference, text, stray in TOKEN.findall(html):
        if stray:
            raise BadHtml(f"can't parse entities: unexpected {stray!r}")
        if text:
            parsed.text += text
        elif reference:
            parsed.text += _character(reference)
        elif closing:
            if not opened or opened[-1][0] != tag:
                raise BadHtml(f"can't parse entities: unmatched end tag </{tag}>")
            _, entity = opened.pop()
            entity["length"] = parsed.length - entity["offset"]
            parsed.entities.append(entity)
        else:
            if tag not in TAGS:
                raise BadHtml(f'can\'t parse entities: unsupported start tag "{tag}"')
            entity = {"type": TAGS[tag], "offset": parsed.length}
            if tag == "a":
                href = re.search(r'href="([^"]*)"', attributes)
                entity["url"] = parse_html(href[1]).text if href else ""
                if entity["url"].startswith("tg://user?id="):
                    entity = {"type": "text_mention", "offset": parsed.length}
                    entity["user"] = {"id": int(href[1].rpartition("=")[2]), "is_bot": False, "first_name": "X"}
            opened.append((tag, entity))
    if opened:
        raise BadHtml(f"can't parse entities: can't find end tag for <{opened[-1][0]}>")
    if any(ord(char) < 32 and char not in "\n\t" for char in parsed.text):
        raise BadHtml("text must be encoded in UTF-8 without control characters")
    return parsed


def _character(reference: str) -> str:
    if reference.startswith("#"):
        return chr(int(reference[2:], 16) if reference[1] == "x" else int(reference[1:]))
    if reference not in NAMED:
        raise BadHtml(f"can't parse entities: unknown &{reference};")
    return NAMED[reference]
