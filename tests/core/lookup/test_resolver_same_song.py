from __future__ import annotations

import pytest

from core.domain import Candidate, Song, SongName
from core.lookup.resolver import is_decorated, is_same_song, may_be_split, records_of


@pytest.mark.parametrize(
    ("title", "same"),
    [
        ("Enemy", True),
        ("ENEMY (with JID)", True),
        ("Enemy - From the series Arcane League of Legends", True),
        ("Enemy [From the Motion Picture]", True),
        ("Enemy - Remastered 2021", True),
        ("Enemy (Radio Edit)", True),
        ("Enemy - Live", False),
        ("Enemy (Moor Remix)", False),
        ("Enemy (Acoustic)", False),
        ("Enemies", False),
    ],
)
def test_decoration_makes_no_other_song_and_a_version_does(title: str, same: bool) -> None:
    assert is_same_song(SongName("Enemy", "Imagine Dragons"), SongName(title, "Imagine Dragons")) is same
    assert not is_same_song(SongName("Enemy", "Someone"), SongName(title, "Imagine Dragons"))


def test_records_come_with_the_most_heard_first_and_only_with_known_listeners() -> None:
    def record(title: str, listeners: int | None, artist: str = "The Keels") -> Candidate:
        return Candidate(SongName(title, artist), 0.0, listeners=listeners)

    listed = [
        record("Lake", 5),
        record("Lake (feat. Moor)", 900),
        record("Lake (Live)", 9_000),
        record("Lake - Bonus Track", None),
        record("Lake", 70, "Keels"),
        record("Lake", 80_000, "Moor"),
    ]
    records = records_of(SongName("lake", "the keels"), listed)
    assert [one.listeners for one in records] == [900, 70, 5]


@pytest.mark.parametrize(
    ("title", "decorated"),
    [
        ("Lake", False),
        (" Lake ", False),
        ("Lake - Live", False),
        ("Lake (feat. Moor)", True),
        ("Lake - From Sea", True),
    ],
)
def test_a_title_is_decorated_if_it_says_more_than_the_name(title: str, decorated: bool) -> None:
    assert is_decorated(SongName(title, "The Keels")) is decorated


@pytest.mark.parametrize(
    ("listeners", "audience", "doubtful"),
    [(49, 1_000, True), (50, 1_000, False), (None, 1_000, False), (0, 1_000, True), (5, None, False), (0, 0, False)],
)
def test_a_record_little_heard_for_its_artist_is_doubtful(
    listeners: int | None, audience: int | None, doubtful: bool
) -> None:
    assert (
        may_be_split(Song(title="Lake", artist="The Keels", listeners=listeners, artist_listeners=audience)) is doubtful
    )
