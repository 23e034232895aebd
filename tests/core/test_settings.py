import logging
from pathlib import Path

import pytest

from bot.command_line import main
from core import settings as settings_module
from core.errors import SettingsError
from core.settings import Settings, env_file_warning, load_settings


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


def test_the_warning_is_given_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / ".env"
    path.write_text("")
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
    assert "chmod 600 .env" in capsys.readouterr().err


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
