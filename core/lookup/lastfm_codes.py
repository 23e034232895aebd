"""What an answer of Last.fm amounts to: its error codes, the HTTP status and the kind of its body taken together."""

from __future__ import annotations

import http
from typing import Final

from core.errors import UpstreamError, UpstreamGarbled, UpstreamRefused, UpstreamUnavailable
from core.lookup.lastfm_parse import Payload, error_code, parse_body

OUTCOMES: Final = ("ok", "not_found", "refused", "limited", "timeout", "unavailable", "garbled", "error")

NOT_FOUND: Final = 6
"""Not found, or a bad parameter; ours are always complete."""
REFUSED: Final = {
    4: "authentication failed",
    10: "invalid key",
    13: "invalid signature",
    26: "suspended key",
}
"""Codes of a refused key, with what they mean: asking again makes it worse."""
TRANSIENT: Final = frozenset({8, 11, 16})
"""Operation failed, service offline, temporarily unavailable (https://www.last.fm/api/errorcodes)."""
RATE_LIMITED: Final = 29


class AttemptFailed(Exception):
    """One attempt failed in a way that may pass."""

    def __init__(self, outcome: str, error: UpstreamError, retry_after_s: float | None = None) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.error = error
        self.retry_after_s = retry_after_s


def judge(method: str, status: int, body: bytes, retry_after: str = "") -> tuple[str, Payload | Exception | None]:
    """Tell what an answer amounts to: an outcome of ``OUTCOMES`` with the payload, None or the error to raise.

    The code in the body counts for more than the HTTP status, since either comes with any of the other.
    """
    try:
        payload = parse_body(body)
    except UpstreamGarbled as error:
        payload, unreadable = None, UpstreamGarbled(f"{method}: HTTP {status} with {error}")
    code = None if payload is None else error_code(payload)
    if code == NOT_FOUND:
        return "not_found", None
    if code is not None and code in REFUSED:
        return "refused", UpstreamRefused(f"LASTFM_API_KEY is refused: {REFUSED[code]} (error {code})")
    if code == RATE_LIMITED or status == http.HTTPStatus.TOO_MANY_REQUESTS:
        limited = UpstreamUnavailable(f"{method}: HTTP {status}, rate limited")
        return "limited", AttemptFailed("limited", limited, _retry_after_s(retry_after))
    if code in TRANSIENT or status >= 500 or status == http.HTTPStatus.REQUEST_TIMEOUT:
        down = UpstreamUnavailable(f"{method}: HTTP {status}" + ("" if code is None else f", error {code}"))
        return "unavailable", AttemptFailed("unavailable", down)
    if payload is None:
        fault: Exception = unreadable if status >= 300 else AttemptFailed("garbled", unreadable)
        return "garbled", fault
    if code is not None:
        return "error", UpstreamError(f"{method}: HTTP {status}, error {code}")
    if status >= 300:
        return "garbled", UpstreamGarbled(f"{method}: HTTP {status}")
    return "ok", payload


def _retry_after_s(header: str) -> float | None:
    """Read a Retry-After in seconds; its other form, a date, is left to our own waits."""
    return float(header) if header.isascii() and header.isdigit() and len(header) < 5 else None
