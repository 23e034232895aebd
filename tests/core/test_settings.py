import logging
from pathlib import Path

import pytest

from bot.command_line import main
from core import settings as settings_module
from core.errors import SettingsError
from core.settings import EVERY_ADDRESS, ROOT, Settings, env_file_notes, env_file_warning, load_settings


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a developer's environment and .env not reach the tests."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setitem(Settings.model_config, "env_file", None)


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_keys_that_others_can_read_are_warned_of(tmp_path: Path, mode: int, warned: bool) -> None:
    path = tmp_path / ".env"
    path.write_text("LASTFM_API_KEY=0123456789abcdef0123456789abcdef\n")
    path.chmod(mode)
    warning = env_file_warning(path)
    assert (warning is not None) is warned
    if warning is not None:
        assert "chmod 600 .env" in warning
        assert "0123456789abcdef" not in warning


def test_no_file_needs_no_warning(tmp_path: Path) -> None:
    assert env_file_warning(tmp_path / ".env") is None


def test_what_is_odd_about_the_file_is_said_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / ".env"
    path.write_text("DISCORD_TOKN=0123456789\n")
    path.chmod(0o644)
    monkeypatch.setattr(settings_module, "ENV_FILE", path)
    monkeypatch.setenv("MODELS_DIR", str(tmp_path))  # it ends here, for want of a model
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        assert main(["ask", "x - y"]) == 2
    finally:
        logging.captureWarnings(False)
        root.handlers[:] = handlers
        root.setLevel(level)
    said = capsys.readouterr().err
    assert "chmod 600 .env" in said
    assert said.count(".env names DISCORD_TOKN, which is no setting. Is DISCORD_TOKEN meant?") == 1
    assert "0123456789" not in said


SERVICES = ("itunes_search_url", "deezer_search_url", "musicbrainz_url")


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize(
    ("value", "off"), [("off", True), (" OFF ", True), ("", False), ("http://127.0.0.1:1/x", False)]
)
def test_each_service_can_be_switched_off(monkeypatch: pytest.MonkeyPatch, name: str, value: str, off: bool) -> None:
    for other in SERVICES:
        monkeypatch.delenv(other.upper(), raising=False)
    monkeypatch.setenv(name.upper(), value)
    settings = Settings(_env_file=None)
    assert [other for other in SERVICES if getattr(settings, other) is None] == ([name] if off else [])


@pytest.mark.parametrize("value", ["me@example.org", "https://example.org/bot?x=1"])
def test_a_contact_is_a_mail_or_a_page(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("MUSICBRAINZ_CONTACT", value)
    assert Settings(_env_file=None).musicbrainz_contact == value


@pytest.mark.parametrize("value", ["me (at) example.org", "a\r\nX-Header: 1", "ünlaut@example.org", "x" * 201])
def test_a_contact_that_would_break_the_header_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("MUSICBRAINZ_CONTACT", value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "MUSICBRAINZ_CONTACT" in caught.value.user_message
    assert value not in caught.value.user_message


def lines_about(monkeypatch: pytest.MonkeyPatch, **changes: str) -> list[str]:
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return caught.value.user_message.splitlines()


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("LASTFM_API_URL", "nowhere", "must be a web address like https://example.org/."),
        ("DISCORD_ADMIN_IDS", "me, you", "must be whole numbers, separated by commas."),
        ("DISCORD_SHARD_COUNT", "many", "must be a whole number."),
        ("DISCORD_SHARD_COUNT", "0", "must be 1 or more."),
        ("HEALTH_PORT", "65536", "must be 65535 or less."),
        ("USER_LIMIT_WINDOW_S", "inf", "must be a finite number."),
        ("CHAT_LIMIT_WINDOW_S", "nan", "must be a finite number."),
        ("CHAT_LIMIT_WINDOW_S", "0", "must be more than 0."),
        ("CHAT_LIMIT_WINDOW_S", "soon", "must be a number."),
        ("ART_DOWNLOADS", "perhaps", "must be true or false."),
        ("LOG_LEVEL", "loud", "must be DEBUG, INFO, WARNING or ERROR."),
        ("CARD_DISPLAY", "hologram", "must be auto, inline, window or text."),
        ("CACHE_URL", "file:///tmp", "must start with mem://, disk:// or redis://."),
        ("CACHE_URL", "disk://?folder=/tmp", "needs a folder: disk://?directory=PATH."),
        ("CACHE_URL", "redis://:hunter2222@host:port/0", "must be like redis://HOST:PORT/DB"),
        ("CACHE_URL", "redis://host:6379/zero", "must be like redis://HOST:PORT/DB"),
        ("WEB", "perhaps", "must be true or false."),
        ("WEB_URL", "https://example.org/hits", "must be the address of a whole host, like https://hits.example.org/."),
        ("WEB_URL", "https://me:hunter2222@example.org/", "must be the address of a whole host"),
        ("DATA_DIR", str(ROOT / "README.md"), "must be a folder, and "),
        ("MODELS_DIR", str(ROOT / "README.md"), "must be a folder, and "),
        ("CARDS_DIR", str(ROOT / "README.md"), "must be a folder, and "),
    ],
)
def test_a_bad_setting_is_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, fault: str
) -> None:
    (line,) = lines_about(monkeypatch, **{name: value})
    assert line.startswith(f"{name} {fault}")
    assert "hunter2222" not in line


def test_several_bad_settings_are_a_line_each_and_none_is_blamed_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = lines_about(monkeypatch, DISCORD_SHARD_COUNT="0", DISCORD_SHARD_IDS="0,1", USER_LIMIT_COUNT="-1")
    assert lines == ["DISCORD_SHARD_COUNT must be 1 or more.", "USER_LIMIT_COUNT must be 0 or more."]


@pytest.mark.parametrize("blank", ["", " ", " \t "])
def test_blank_settings_are_as_if_they_were_absent(monkeypatch: pytest.MonkeyPatch, blank: str) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(name.upper(), blank)
    settings = load_settings()
    for name, field in Settings.model_fields.items():
        assert getattr(settings, name) == field.default, name


def test_white_space_around_a_key_is_no_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTFM_API_KEY", " 0123456789abcdef0123456789abcdef ")
    key = load_settings().lastfm_api_key
    assert key is not None
    assert key.get_secret_value() == "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize("url", ["mem://", "disk://?directory=/tmp/x", "redis://h", "rediss://:pw@h:1/0", "redis://h/"])
def test_addresses_of_caches_that_can_be_are_taken(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("CACHE_URL", url)
    assert load_settings().cache_url == url


def notes_on(tmp_path: Path, text: str) -> tuple[str, ...]:
    path = tmp_path / ".env"
    path.write_text(text, encoding="utf-8")
    return env_file_notes(path)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("DISCORD_TOKN", "DISCORD_TOKEN"),
        ("TELEGRAM_BOT_TOKEN", "TELEGRAM_TOKEN"),
        ("lastfm_apikey", "LASTFM_API_KEY"),
        ("export HEALTHPORT", "HEALTH_PORT"),
    ],
)
def test_a_misspelt_name_is_pointed_out_with_the_likely_one(tmp_path: Path, name: str, meant: str) -> None:
    (note,) = notes_on(tmp_path, f"LOG_LEVEL=INFO\n{name}=0123456789abcdef\n")
    assert note == f".env names {name.removeprefix('export ')}, which is no setting. Is {meant} meant?"


def test_names_that_are_right_or_of_others_are_none_of_our_business(tmp_path: Path) -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert notes_on(tmp_path, f"\ufeff{example}\ndiscord_token=x\nCOMPOSE_PROJECT_NAME=a\nDATABASE_URL=b\n") == ()


def test_a_line_that_cannot_be_read_is_pointed_out_without_its_text(tmp_path: Path) -> None:
    (note,) = notes_on(tmp_path, "LOG_LEVEL=INFO\nDISCORD_TOKEN: 0123456789abcdef\n")
    assert note == "Line 2 of .env cannot be read; a line is NAME=value."


def test_a_file_that_is_no_text_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"DISCORD_TOKEN=\xff\xfe\n")
    monkeypatch.setitem(Settings.model_config, "env_file", path)
    assert lines_about(monkeypatch) == [".env cannot be read: it is not UTF-8 text."]
    assert env_file_notes(path) == ()


def test_the_mark_that_some_editors_begin_a_file_with_costs_no_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ".env"
    path.write_text("\ufeffLOG_LEVEL=ERROR\n", encoding="utf-8")
    monkeypatch.setitem(Settings.model_config, "env_file", path)
    assert load_settings().log_level == "ERROR"


@pytest.mark.parametrize(
    ("given", "health", "webhook"),
    [
        ({}, ("127.0.0.1", None), ("127.0.0.1", 8443)),
        ({"port": 8000}, (EVERY_ADDRESS, 8000), ("127.0.0.1", 8443)),
        ({"port": 8000, "health_port": 9000}, ("127.0.0.1", 9000), ("127.0.0.1", 8443)),
        ({"port": 8000, "health_host": "127.0.0.9"}, ("127.0.0.9", 8000), ("127.0.0.1", 8443)),
        ({"port": 8000, "web": True}, ("127.0.0.1", None), ("127.0.0.1", 8443)),
        ({"port": 8000, "telegram_webhook_url": "https://x.org"}, ("127.0.0.1", None), (EVERY_ADDRESS, 8000)),
        (
            {"port": 8000, "telegram_webhook_url": "https://x.org", "telegram_webhook_port": 9000},
            ("127.0.0.1", None),
            ("127.0.0.1", 9000),
        ),
    ],
)
def test_the_port_of_a_platform_stands_in_for_what_is_not_set(
    given: dict[str, object], health: tuple[str, int | None], webhook: tuple[str, int]
) -> None:
    settings = Settings(_env_file=None, **given)
    assert (settings.health_host, settings.health_port) == health
    assert (settings.telegram_webhook_host, settings.telegram_webhook_port) == webhook
    page = (EVERY_ADDRESS, 8000) if settings.web else ("127.0.0.1", 8080)
    assert (settings.web_host, settings.web_port) == page
