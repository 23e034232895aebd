import asyncio
import logging
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.telegram_bot.transport import SECRET_HEADER, WebhookSettings
from core.errors import SettingsError
from tests.bot.telegram_bot.conftest import Serve, Served, telegram_settings
from tests.bot.telegram_bot.test_app import platform_for
from tests.fakes.predictor import FakePredictor
from tests.fakes.telegram_server import TOKEN, FakeTelegram

PUBLIC = "https://bot.example.org/hook"
SECRET = "a-secret_1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
async def hooked(serve: Serve) -> AsyncIterator[tuple[Served, str]]:
    port = free_port()
    changes = {"telegram_webhook_url": PUBLIC, "telegram_webhook_port": port, "telegram_webhook_secret": SECRET}
    async with serve(**changes) as served:
        await served.telegram.sent("setWebhook")
        yield served, f"http://127.0.0.1:{port}"


async def post(url: str, update: object, secret: str | None = SECRET) -> int:
    headers = {} if secret is None else {SECRET_HEADER: secret}
    async with aiohttp.ClientSession() as session, session.post(url, json=update, headers=headers) as response:
        return response.status


async def test_updates_come_in_by_webhook(hooked: tuple[Served, str]) -> None:
    served, url = hooked
    telegram = served.telegram
    assert telegram.webhook["url"] == PUBLIC
    assert telegram.webhook["secret_token"] == SECRET
    assert "channel_post" not in telegram.webhook["allowed_updates"]
    update = telegram.update(message=telegram.message("/predict Hello", chat=telegram.private(7)))
    assert await post(f"{url}/hook", update) == 200
    assert await post(f"{url}/hook", update) == 200
    update = telegram.update(message=telegram.message("/predict Obscure Demo", chat=telegram.private(7)))
    assert await post(f"{url}/hook", update) == 200
    await telegram.sent("sendPhoto", count=2)
    assert sorted(served.predictor.asked) == ["Hello", "Obscure Demo"]
    assert telegram.polls == 0


@pytest.mark.parametrize("secret", [None, "", "a-secret_2", "é"])
async def test_a_wrong_secret_is_refused(
    hooked: tuple[Served, str], secret: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    served, url = hooked
    telegram = served.telegram
    update = telegram.update(message=telegram.message("/predict Hello", chat=telegram.private(7)))
    assert await post(f"{url}/hook", update, secret) == 403
    assert served.predictor.asked == []
    assert SECRET not in caplog.text


GARBLED = [
    b"[]",
    b"null",
    b"\xff{",
    b"",
    b'{"update_id": "x", "message": 5}',
    b'{"message": {}}',
    b'{"update_id": 5, "message": {"message_id": 1, "date": 1e30, "chat": {"id": 7, "type": "private"}}}',
    b"[" * 100_000,
    b'{"update_id": 5, "message": ' + b'{"reply_to_message": ' * 900 + b"{}" + b"}" * 901,
]


@pytest.mark.parametrize("body", GARBLED, ids=lambda body: body[:30])
async def test_garbled_updates_are_taken_and_told_once_each(
    hooked: tuple[Served, str], body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Anything but 200 makes Telegram send the same again, and nothing after it."""
    served, url = hooked
    headers = {SECRET_HEADER: SECRET}
    async with aiohttp.ClientSession() as session, session.post(f"{url}/hook", data=body, headers=headers) as response:
        assert response.status == 200
    update = served.telegram.update(message=served.telegram.message("Hello", chat=served.telegram.private(7)))
    assert await post(f"{url}/hook", update) == 200
    await served.telegram.sent("sendPhoto")
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.getMessage().startswith("event=telegram_update_garbled error=")
    assert record.exc_info is None


async def test_a_garbled_update_holds_up_no_polling(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    telegram = served.telegram
    telegram.say("Hello", chat=telegram.private(7))
    telegram.push(message={"message_id": 1, "date": 1e30, "chat": {"id": 7, "type": "private"}})
    telegram.push(message=5)
    telegram.say("Obscure Demo", chat=telegram.private(8))
    await telegram.sent("sendPhoto", count=2)
    assert telegram.polls < 10
    records = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.getMessage().partition(" ")[0] for record in records] == ["event=telegram_update_garbled"] * 2


async def test_many_wrong_secrets_are_one_line(hooked: tuple[Served, str], caplog: pytest.LogCaptureFixture) -> None:
    _, url = hooked
    for _ in range(5):
        assert await post(f"{url}/hook", {}, "wrong") == 403
    assert caplog.text.count("event=telegram_webhook_refused") == 1


async def test_an_update_torn_off_is_no_traceback(hooked: tuple[Served, str], caplog: pytest.LogCaptureFixture) -> None:
    served, url = hooked
    _, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    head = f"POST /hook HTTP/1.1\r\nHost: x\r\n{SECRET_HEADER}: {SECRET}\r\nContent-Length: 500\r\n\r\n"
    writer.write(head.encode() + b'{"update_id": 5, "mess')
    await asyncio.sleep(0.1)
    writer.transport.abort()
    update = served.telegram.update(message=served.telegram.message("Hello", chat=served.telegram.private(7)))
    assert await post(f"{url}/hook", update) == 200
    await served.telegram.sent("sendPhoto")
    assert not [record for record in caplog.records if record.exc_info or record.levelno >= logging.WARNING]


async def test_health_is_told_on_the_same_server(hooked: tuple[Served, str]) -> None:
    _, url = hooked
    async with aiohttp.ClientSession() as session, session.get(f"{url}/healthz") as response:
        assert (response.status, (await response.json())["status"]) == (200, "ok")


async def test_a_stop_leaves_the_webhook_to_the_next_process(serve: Serve, telegram: FakeTelegram) -> None:
    async with serve(telegram_webhook_url=PUBLIC, telegram_webhook_port=free_port()):
        await telegram.sent("setWebhook")
    assert telegram.webhook["url"] == PUBLIC


async def test_polling_withdraws_an_older_webhook(served: Served) -> None:
    await served.telegram.sent("deleteWebhook")


async def test_a_taken_port_names_its_setting(telegram: FakeTelegram, predictor: FakePredictor) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        platform = platform_for(telegram, predictor, telegram_webhook_url=PUBLIC, telegram_webhook_port=port)
        with pytest.raises(SettingsError, match=f"TELEGRAM_WEBHOOK_PORT: {port} on 127.0.0.1 is in use"):
            await platform.run(asyncio.Event())


def test_without_a_secret_one_is_made_from_the_token_that_does_not_show_it(telegram: FakeTelegram) -> None:
    settings = telegram_settings(telegram, telegram_webhook_url="https://bot.example.org")
    made = WebhookSettings.from_settings(settings, TOKEN)
    assert made is not None
    assert made.path == "/telegram"
    assert made.public_url == "https://bot.example.org/telegram"
    assert len(made.secret) == 64
    assert made == WebhookSettings.from_settings(settings, TOKEN)
    other = WebhookSettings.from_settings(settings, TOKEN + "x")
    assert other is not None
    assert other.secret != made.secret
