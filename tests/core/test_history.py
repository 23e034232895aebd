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
    assert History(None).recall("' OR 1=1 --") is None


def test_recent_lists_asked_songs_latest_first_and_not_those_only_offered() -> None:
    history = History(None)
    history.remember(SONG)
    history.remember(SongName("Offered", "Nobody"), asked=False)
    history.remember(OTHER)
    assert history.recent(5) == (OTHER, SONG)
    history.remember(SONG, asked=False)
    assert set(history.recent(5)) == {OTHER, SONG}


def test_oldest_songs_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "KEPT_SONGS", 3)
    history = History(None)
    tokens = [history.remember(SongName(str(number), "x")) for number in range(5)]
    assert [history.recall(token) is not None for token in tokens] == [False, False, True, True, True]


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    history = History(tmp_path / "history.sqlite")
    with pytest.raises(Exception, match="type"):
        history.remember(SongName("a", "b"), asked=object())  # type: ignore[arg-type]
    assert history.recent(5) == ()
    assert history.recall(history.remember(SONG)) == SONG
    history.close()


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
