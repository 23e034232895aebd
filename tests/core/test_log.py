import asyncio
import io
import logging
import sys
import warnings
from collections.abc import Iterator

import aiohttp
import pytest
from yarl import URL

from core.log import HIDDEN, LINE_MAX_CHARS, LogThrottle, Redactor, configure_logging, settings_secrets
from core.settings import Settings

KEY = "0123456789abcdef0123456789abcdef"
TELEGRAM = "123456789:AAF-abcdefghijklmnopqrstuvwxyz_0123"
DISCORD = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcdE.abcdefghijklmnopqrstuvwxyz0123456789AB"
SECRETS = (KEY, TELEGRAM, DISCORD)


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Log to a string, and leave logging as it was."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, sys.excepthook, logging.raiseExceptions
    stream = io.StringIO()
    configure_logging("DEBUG", secrets=SECRETS, stream=stream)
    yield stream
    logging.captureWarnings(False)
    for handler in root.handlers[:]:
        if handler not in before[0]:
            root.removeHandler(handler)
    root.setLevel(before[1])
    sys.excepthook, logging.raiseExceptions = before[2], before[3]


def fail_for(cause: str, text: str) -> None:
    try:
        raise OSError(cause)  # noqa: TRY301
    except OSError as error:
        raise ValueError(text) from error


def test_a_line_tells_when_what_and_where(lines: io.StringIO) -> None:
    logging.getLogger("core.x").info("event=song_found listeners=%d", 5, extra={"title": "Two words", "n": 3})
    line = lines.getvalue()
    time, level, name, rest = line.split(" ", 3)
    assert time.endswith("Z")
    assert "T" in time
    assert (level, name) == ("INFO", "core.x")
    assert rest == 'event=song_found listeners=5 title="Two words" n=3\n'


@pytest.mark.parametrize("evil", ["a\nERROR core fake=1", "a\r\nb", "a\u2028b", "\x1b[31mred", "\u202eevil", "a\x00b"])
def test_one_event_is_one_printable_line(lines: io.StringIO, evil: str) -> None:
    logging.getLogger("x").info("event=asked text=%s", evil, extra={"text": evil})
    assert len(lines.getvalue().splitlines()) == 1
    assert lines.getvalue().rstrip("\n").isprintable()


def test_an_exception_stays_on_its_line(lines: io.StringIO) -> None:
    try:
        fail_for("cause", "first\nsecond")
    except ValueError:
        logging.getLogger("x").exception("event=failed")
    assert len(lines.getvalue().splitlines()) == 1
    assert "ValueError: first" in lines.getvalue()


def test_lines_are_bounded(lines: io.StringIO) -> None:
    logging.getLogger("x").info("x" * 1_000_000)
    assert len(lines.getvalue()) <= LINE_MAX_CHARS + 1


def test_the_level_is_kept(lines: io.StringIO) -> None:
    configure_logging("WARNING", stream=lines)
    logging.getLogger("x").info("quiet")
    logging.getLogger("x").warning("loud")
    assert "quiet" not in lines.getvalue()
    assert lines.getvalue().count("loud") == 1  # configured twice, written once


@pytest.mark.parametrize("name", ["httpx", "httpcore", "telegram.ext", "urllib3"])
def test_libraries_that_print_addresses_are_quiet(lines: io.StringIO, name: str) -> None:
    logging.getLogger(name).info("HTTP Request: POST https://api.telegram.org/bot%s/getMe", TELEGRAM)
    assert lines.getvalue() == ""


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "form",
    [
        "{}",
        "https://ws.audioscrobbler.com/2.0/?method=x&api_key={}&format=json",
        "https://api.telegram.org/bot{}/sendMessage",
        "{{'Authorization': 'Bot {}'}}",
        "key={} and more",
        "<{}>",
    ],
)
def test_no_secret_comes_through_in_any_way(lines: io.StringIO, secret: str, form: str) -> None:
    log = logging.getLogger("x")
    text = form.format(secret)
    log.debug(text)
    log.info("event=x url=%s", text, extra={"address": text, "nested": {"a": [text]}})
    log.info("event=x url=%s", URL.build(scheme="https", host="h", query={"k": secret}))
    try:
        fail_for(text, secret)
    except ValueError:
        log.exception("event=failed", stack_info=True)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)  # again, since pytest captures warnings anew for each phase of a test
        warnings.warn(text, stacklevel=1)
        logging.captureWarnings(False)
    sys.excepthook(ValueError, ValueError(text), None)
    assert lines.getvalue().count("\n") == 6
    assert secret not in lines.getvalue()
    assert HIDDEN in lines.getvalue()


async def test_the_text_of_aiohttp_s_exceptions_is_cleaned(lines: io.StringIO) -> None:
    async with aiohttp.ClientSession() as session:
        for url in (f"http://127.0.0.1:1/?api_key={KEY}", f"no-scheme/{KEY}"):
            try:
                await session.get(url)
            except aiohttp.ClientError:
                logging.getLogger("x").exception("event=failed url=%s", url)
    assert lines.getvalue().count("\n") == 2
    assert KEY not in lines.getvalue()


async def test_a_task_that_dies_unseen_is_cleaned(lines: io.StringIO) -> None:
    asyncio.get_running_loop().call_exception_handler({"message": f"died with {KEY}", "exception": OSError(KEY)})
    assert "died with" in lines.getvalue()
    assert KEY not in lines.getvalue()


def test_secrets_that_no_setting_holds_are_known_by_their_looks() -> None:
    redact = Redactor()
    other = "fedcba9876543210fedcba9876543210"
    for text in (
        f"?api_key={other}&x=1", f"api_key={other}", f"LASTFM_API_KEY={other}", f"Authorization: Bearer {other}",
        f"bot{TELEGRAM}/x", TELEGRAM.replace(":", "%3A"), DISCORD, f"redis://:{other}@localhost/0", f"&sk={other}",
    ):  # fmt: skip
        clean = redact(text)
        assert HIDDEN in clean
        assert not any(secret in clean for secret in (other, TELEGRAM, DISCORD, "AAF-abcdef"))


@pytest.mark.parametrize(
    "text",
    [
        "event=reply request=abc code=ok seconds=0.120",
        "task=collect risk=low desk=1 token",
        "2026-11-22T12:00:00.000Z INFO core.lookup.lastfm event=x",
        "https://www.last.fm/music/The+Weeknd/_/Blinding+Lights",
        "12:34:56",
    ],
)
def test_harmless_text_is_left_alone(text: str) -> None:
    assert Redactor(["", "abc"])(text) == text


def test_the_settings_give_their_secrets() -> None:
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        lastfm_api_key=KEY,
        discord_token=DISCORD,
        telegram_token=TELEGRAM,
        cache_url="redis://user:hunter2222@host:6379/0",
    )
    assert set(settings_secrets(settings)) == {KEY, DISCORD, TELEGRAM, "hunter2222"}
    assert settings_secrets(Settings(_env_file=None)) == ()  # type: ignore[call-arg]
    assert not any(secret in repr(Redactor(SECRETS)) for secret in SECRETS)


def test_an_interrupt_is_no_fault(lines: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert lines.getvalue() == ""
    assert "KeyboardInterrupt" in capsys.readouterr().err


def test_of_many_like_lines_one_passes_in_each_period_and_tells_of_the_others() -> None:
    now_s = [1_000.0]
    throttle = LogThrottle(60, clock=lambda: now_s[0])
    assert [throttle.admit() for _ in range(4)] == [0, None, None, None]
    now_s[0] += 60
    assert [throttle.admit(), throttle.admit()] == [3, None]
    now_s[0] += 120
    assert throttle.admit() == 1
