"""The order of an artist's songs, and which of them is called a surprise."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from core.domain import ArtistSongs, Origin, RankedSong, Song, Source, VerdictBands
from core.model.ranking import find_surprise, rank_artist
from tests.fakes.chain import committed_model

BANDS = VerdictBands()
DAY = date(2026, 11, 22)
SOURCE = Source(Origin.LASTFM, datetime(2026, 11, 22, tzinfo=UTC))


def ranked(*songs: tuple[float, int | None]) -> list[RankedSong]:
    """Make songs of falling probability, each with its listeners."""
    return [
        RankedSong(Song(title=f"Song {n}", artist="A", listeners=listeners), probability, BANDS.verdict(probability))
        for n, (probability, listeners) in enumerate(songs, start=1)
    ]


def test_all_songs_are_judged_as_each_would_be_by_itself() -> None:
    model = committed_model()
    songs = tuple(
        Song(title=f"Song {n}", artist="The Weeknd", listeners=10**n, playcount=5 * 10**n,
             artist_listeners=4_512_003, artist_playcount=780_000_000, tags=("pop",))
        for n in (6, 2, 4)
    )  # fmt: skip
    ranking = rank_artist(ArtistSongs("The Weeknd", songs, SOURCE), model, DAY)
    assert [one.song.title for one in ranking.songs] == ["Song 6", "Song 4", "Song 2"]
    for one in ranking.songs:
        alone = model.assess(one.song, as_of=DAY)
        assert one.probability == pytest.approx(alone.probability)
        assert one.verdict is alone.verdict
    assert (ranking.artist, ranking.source, ranking.base_rate) == ("The Weeknd", SOURCE, model.base_rate)


def test_songs_of_the_same_chance_stay_in_the_order_of_the_source() -> None:
    songs = tuple(Song(title="Same", artist="A", url=f"https://www.last.fm/{n}") for n in range(5))
    ranking = rank_artist(ArtistSongs("A", songs, SOURCE), committed_model(), DAY)
    assert [one.song.url for one in ranking.songs] == [song.url for song in songs]


def test_great_figures_and_a_low_chance_are_a_surprise() -> None:
    found = find_surprise(ranked((0.9, 80), (0.8, 70), (0.7, 60), (0.6, 50), (0.5, 40), (0.2, 90)))
    assert found is not None
    assert (found.ranked.song.title, found.place_by_listeners, found.place_by_chance) == ("Song 6", 1, 6)


def test_small_figures_and_a_great_chance_are_one_too() -> None:
    found = find_surprise(ranked((0.95, 10), (0.8, 90), (0.7, 80), (0.6, 70), (0.5, 60), (0.4, 50)))
    assert found is not None
    assert (found.ranked.song.title, found.place_by_listeners, found.place_by_chance) == ("Song 1", 6, 1)


def test_the_greatest_gap_counts() -> None:
    found = find_surprise(
        ranked((0.9, 50), (0.8, 80), (0.7, 70), (0.6, 60), (0.5, 90), (0.4, 40), (0.3, 30), (0.2, 20), (0.1, 95))
    )
    assert found is not None
    assert (found.ranked.song.title, found.place_by_listeners) == ("Song 9", 1)


@pytest.mark.parametrize(
    "songs",
    [
        [(0.9, 60), (0.8, 50), (0.7, 40), (0.6, 30), (0.5, 20), (0.4, 10)],  # in the order of their listeners
        [(0.9, 50), (0.8, 60), (0.7, 40), (0.6, 30), (0.5, 20), (0.4, 10)],  # one place apart
        [(0.95, 10), (0.94, 60), (0.93, 50), (0.92, 40), (0.91, 30), (0.90, 20)],  # chances that hardly differ
        [(0.9, 10), (0.8, 50), (0.7, 40), (0.6, 30), (0.1, 20)],  # too few songs
        [(0.9, None), (0.8, 50), (0.7, 40), (0.6, 30), (0.1, 60), (0.05, None)],  # too few known ones
        [],
    ],
)
def test_anything_less_is_none(songs: list[tuple[float, int | None]]) -> None:
    assert find_surprise(ranked(*songs)) is None
