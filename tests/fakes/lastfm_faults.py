"""The ways in which the loopback Last.fm can answer badly."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fault:
    """One way to answer badly; ``kind`` picks it, the rest shapes it."""

    kind: str
    delay_s: float = 0.0
    http_status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def slow(cls, delay_s: float) -> Fault:
        """Answer rightly, after a delay."""
        return cls("slow", delay_s=delay_s)

    @classmethod
    def hang(cls) -> Fault:
        """Never answer."""
        return cls("hang")

    @classmethod
    def refuse(cls) -> Fault:
        """Drop the connection before any answer."""
        return cls("refuse")

    @classmethod
    def reset(cls) -> Fault:
        """Reset the connection in the middle of the body."""
        return cls("reset")

    @classmethod
    def drip(cls, delay_s: float = 0.2) -> Fault:
        """Send the right answer byte by byte."""
        return cls("drip", delay_s=delay_s)

    @classmethod
    def truncated_gzip(cls) -> Fault:
        """Send half of the compressed right answer and end as if that was all."""
        return cls("truncated_gzip")

    @classmethod
    def huge(cls, size_bytes: int = 10_000_000) -> Fault:
        """Send an object of that size, without telling its length."""
        return cls("huge", body=b'{"track": "' + b"x" * size_bytes + b'"}')

    @classmethod
    def bomb(cls, size_bytes: int = 50_000_000) -> Fault:
        """Send a small compressed body that unfolds to that size."""
        packed = gzip.compress(b'{"track": "' + b"x" * size_bytes + b'"}')
        return cls("raw", body=packed, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})

    @classmethod
    def status(cls, http_status: int, body: bytes | str = b"\n<html><head></head></html>", **headers: str) -> Fault:
        """Send a status with a body; ``Retry_After="1"`` becomes the header."""
        raw = body.encode() if isinstance(body, str) else body
        return cls(
            "raw", http_status=http_status, body=raw, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    @classmethod
    def error(cls, code: int, message: str = "an error", http_status: int = 200) -> Fault:
        """Send Last.fm's own error object with any status."""
        return cls.status(http_status, json.dumps({"error": code, "message": message, "links": []}))

    @classmethod
    def xml(cls, code: int = 16, http_status: int = 503) -> Fault:
        """Send an error as XML in spite of the asked-for JSON."""
        text = f'<?xml version="1.0" encoding="utf-8"?>\n<lfm status="failed">\n<error code="{code}">Down</error></lfm>'
        return cls.status(http_status, text)

    @classmethod
    def garbage(cls, body: bytes = b"\x89\x00\xff not json {{{") -> Fault:
        """Send a body that is nothing, with 200."""
        return cls.status(200, body)
