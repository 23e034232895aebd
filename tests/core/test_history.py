import sqlite3
import stat
from contextlib import closing
from dataclasses import astuple
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import history as history_module
from core.domain import SongName
from core.history import TOKEN_CHARS, History, song_token

SONG = SongName("Blinding Lights", "The Weeknd")
OTHER = SongName("Hello", "Adele")


def test_token_means_the_same_after_a_restart(tmp_path: Path) -> None:
    first = History(tmp_path / "history.sqlite")
    token = first.remember(SONG)
    first.close()
    second = History(tmp_path / "history.sqlite")
    assert second.recall(token) == SONG
    second.close()


def test_unknown_token_is_none() -> None:
    with closing(History(None)) as history:
        assert history.recall("' OR 1=1 --") is None


def test_oldest_songs_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "KEPT_SONGS", 3)
    with closing(History(None)) as history:
        tokens = [history.remember(SongName(str(number), "x")) for number in range(5)]
        assert [history.recall(token) is not None for token in tokens] == [False, False, True, True, True]


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(History(tmp_path / "history.sqlite")) as history:
        monkeypatch.setattr(history_module, "KEPT_SONGS", "no number")
        with pytest.raises(TypeError):
            history.remember(SONG)
        monkeypatch.undo()
        assert history.recall(song_token(SONG)) is None
        assert history.recall(history.remember(OTHER)) == OTHER


def test_a_history_of_an_earlier_version_keeps_its_songs_and_forgets_which_were_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.execute(
            "CREATE TABLE asked (token TEXT PRIMARY KEY, title TEXT NOT NULL, artist TEXT NOT NULL,"
            " turn INTEGER NOT NULL, asked INTEGER NOT NULL) WITHOUT ROWID"
        )
        old.execute("CREATE INDEX asked_turn ON asked (turn)")
        for turn, name in enumerate((SONG, OTHER)):
            old.execute("INSERT INTO asked VALUES (?, ?, ?, ?, ?)", (song_token(name), *astuple(name), turn, turn))
    for _ in range(2):
        with closing(History(path)) as history:
            assert [history.recall(song_token(name)) for name in (SONG, OTHER)] == [SONG, OTHER]
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT name FROM sqlite_master WHERE name LIKE 'asked%'").fetchall() == []
        assert [column[1] for column in db.execute("PRAGMA table_info(song)")] == ["token", "title", "artist", "turn"]


def test_nobody_else_on_the_machine_can_read_the_file(tmp_path: Path) -> None:
    with closing(History(tmp_path / "history.sqlite")) as history:
        history.remember(SONG)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert set(modes) >= {"history.sqlite", "history.sqlite-wal"}
    assert set(modes.values()) == {0o600}


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_text_gets_a_short_safe_token(title: str, artist: str) -> None:
    token = song_token(SongName(title, artist))
    assert len(token) == TOKEN_CHARS
    assert token.isascii()
    assert token == song_token(SongName(title, artist))


def test_lone_surrogates_are_stored(tmp_path: Path) -> None:
    history = History(tmp_path / "h.sqlite")
    assert history.recall(history.remember(SongName("\ud800", "x"))) == SongName("?", "x")
    history.close()
