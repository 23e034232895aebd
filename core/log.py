"""Logging: one line an event, ``key=value``, and no key or token in any of them.

A line reads ``2026-11-22T19:40:38.123Z WARNING core.lookup.store event=cache_failing store=redis``. Facts given as
``extra`` follow the message, an exception is folded into the same line. Secrets are taken out of the finished line, so
it makes no difference whether they came in the message, a fact, a traceback or an address that a library printed.
"""

from __future__ import annotations

import json
import logging
import math
import re
import sys
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Final, TextIO
from urllib.parse import quote, quote_plus

from core.settings import Settings

HIDDEN: Final = "[hidden]"

SECRET_MIN_CHARS: Final = 6
"""Shorter settings are not hidden: they would black out ordinary words, and no service issues such keys."""

LINE_MAX_CHARS: Final = 20_000
"""Longest line; a traceback has some 3,000 characters."""

THROTTLE_S: Final = 600.0
"""Time between two lines that say the same of many strangers."""

QUIET: Final = ("asyncio", "discord", "filelock", "httpcore", "httpx", "matplotlib", "PIL", "telegram.ext", "urllib3")
"""Libraries that log nothing of ours below a warning. httpx prints Telegram's token in every address at INFO."""

# What secrets look like wherever they stand, for those that are in no setting of ours.
_PATTERNS: Final = (
    re.compile(r"(?i)((?<![a-z0-9])(?:api_key|api_sig|apikey|access_token|token|secret|password|sk)=)[^&\s'\"<>]+"),
    re.compile(r"(?i)((?:authorization|x-api-key)['\"]?\s*[:=]\s*['\"]?(?:bearer |bot )?)[^\s'\",}]+"),
    re.compile(r"(\b(?:bot)?)\d{6,12}(?::|%3A)[A-Za-z0-9_-]{30,}"),  # Telegram
    re.compile(r"(\b)[MNO][A-Za-z0-9_-]{22,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}"),  # Discord
    re.compile(r"(://[^/\s:@]*:)[^/\s@]+(?=@)"),  # password in an address
)
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_PLAIN_VALUE: Final = re.compile(r"[\w.:/+@%,()\[\]*-]+")


class Redactor:
    """Takes secrets out of text: those given, in plain and in percent-encoded form, and whatever looks like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets for form in (secret, quote(secret, safe=""), quote_plus(secret))}
        known = sorted((form for form in forms if len(form) >= SECRET_MIN_CHARS), key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, text: str) -> str:
        """Return ``text`` with every secret replaced."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        for pattern in _PATTERNS:
            text = pattern.sub(rf"\g<1>{HIDDEN}", text)
        return text

    def __repr__(self) -> str:
        return "Redactor()"


class LineFormatter(logging.Formatter):
    """Makes one redacted line of a record."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Join time, level, logger, event, facts and exception."""
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        parts = [f"{seconds}.{int(record.msecs):03d}Z", record.levelname, record.name, record.getMessage()]
        parts += [f"{key}={_value(value)}" for key, value in vars(record).items() if key not in _STANDARD]
        if record.exc_info:
            parts.append(f"exception={_value(self.formatException(record.exc_info))}")
        if record.stack_info:
            parts.append(f"stack={_value(record.stack_info)}")
        # One event is one line: a title with a line break must not look like two.
        line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in " ".join(parts))
        return self._redact(line)[:LINE_MAX_CHARS]


class LogThrottle:
    """Lets the first of many like lines pass and then one in each period, so that nobody can fill the log."""

    def __init__(self, period_s: float = THROTTLE_S, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._period_s = period_s
        self._clock = clock
        self._next_s = -math.inf
        self._held_back = 0

    def admit(self) -> int | None:
        """Return how many lines were held back before this one; None: hold this one back, too."""
        if (now_s := self._clock()) < self._next_s:
            self._held_back += 1
            return None
        self._next_s = now_s + self._period_s
        held_back, self._held_back = self._held_back, 0
        return held_back


def configure_logging(level: str, *, secrets: Iterable[str] = (), stream: TextIO | None = None) -> Redactor:
    """Send all logging, warnings and uncaught exceptions through one redacting handler.

    Args:
        level: Least level that is logged, "INFO".
        secrets: What must never show; :func:`settings_secrets` lists them.
        stream: Where the lines go, standard error by default.

    Returns:
        The redactor, for whatever else is shown to people or sent away.
    """
    redact = Redactor(secrets)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(LineFormatter(redact))
    root = logging.getLogger()
    for old in root.handlers[:]:
        if isinstance(old.formatter, LineFormatter):
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a bad log call would print its arguments past the redactor
    sys.excepthook = _log_uncaught
    return redact


def settings_secrets(settings: Settings) -> tuple[str, ...]:
    """List every secret among the settings, and the password in the cache's address."""
    secrets = [
        value.get_secret_value()
        for value in vars(settings).values()
        if hasattr(value, "get_secret_value") and value.get_secret_value()
    ]
    if found := re.search(r"://[^/@]*:([^/@]+)@", settings.cache_url):
        secrets.append(found[1])
    return tuple(secrets)


def _log_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
        return
    logging.getLogger("core").critical("event=uncaught", exc_info=(kind, error, traceback))


def _value(value: object) -> str:
    text = str(value)
    return text if _PLAIN_VALUE.fullmatch(text) else json.dumps(text, ensure_ascii=False)
