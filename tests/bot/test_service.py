from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.service import ChatSongs
from core.domain import SongName

HELLO = SongName("Hello", "Adele")
HALO = SongName("Halo", "Beyoncé")
KEEP = SongName("Hey Jude", "The Beatles")


def test_a_chats_songs_are_listed_there_the_latest_first_and_nowhere_else() -> None:
    songs = ChatSongs()
    songs.note("here", [HELLO, HALO])
    songs.note("there", [KEEP])
    songs.note("here", [HELLO])
    assert songs.complete("here", "") == (HELLO, HALO)
    assert songs.complete("there", "h") == (KEEP,)
    assert songs.complete("elsewhere", "") == ()


def test_what_is_typed_may_stand_anywhere_and_be_spelt_plainly() -> None:
    songs = ChatSongs()
    songs.note("here", [HELLO, HALO])
    assert songs.complete("here", "  BEYONCE") == (HALO,)
    assert songs.complete("here", "halo bey") == (HALO,)
    assert songs.complete("here", "\u200b") == ()


def test_the_chats_and_songs_of_longest_ago_are_forgotten() -> None:
    songs = ChatSongs(chats=2, songs=2)
    for chat in (1, 2, 1, 3):
        songs.note(chat, [HELLO, HALO, KEEP])
    assert [len(songs.complete(chat, "")) for chat in (1, 2, 3)] == [2, 0, 2]
    assert songs.complete(1, "") == (KEEP, HALO)
    assert songs.complete(1, "", limit=1) == (KEEP,)


@given(st.dictionaries(st.integers(0, 5), st.lists(st.builds(SongName, st.text(), st.text()))), st.text())
def test_no_chat_ever_sees_a_song_of_another(asked: dict[int, list[SongName]], typed: str) -> None:
    songs = ChatSongs()
    for chat, names in asked.items():
        songs.note(chat, names)
    for chat in range(6):
        assert set(songs.complete(chat, typed)) <= set(asked.get(chat, []))
