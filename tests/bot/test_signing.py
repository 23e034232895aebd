from pathlib import Path

import pytest

from bot.signing import KEY_BYTES, SIGNATURE_CHARS, Signer, stored_key


def test_only_the_same_key_proves_a_text() -> None:
    ours, theirs = Signer(b"ours"), Signer(b"theirs")
    signature = ours.signature("page:abc")
    assert len(signature) == SIGNATURE_CHARS
    assert ours.proves("page:abc", signature)
    assert not theirs.proves("page:abc", signature)
    assert not ours.proves("page:abd", signature)
    assert not ours.proves("page:abc", "ünlautet")


def test_a_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "page.key"
    key = stored_key(path)
    assert len(key) == KEY_BYTES
    assert stored_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert stored_key(tmp_path / "other.key") != key


def test_a_damaged_key_is_made_anew_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "page.key"
    path.write_bytes(b"")
    key = stored_key(path)
    assert path.read_bytes() == key
    assert stored_key(path) == key
    assert "event=key_damaged" in caplog.text


def test_a_folder_that_takes_no_file_costs_no_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    assert len(stored_key(tmp_path / "file" / "page.key")) == KEY_BYTES
    assert "event=key_not_kept" in caplog.text
