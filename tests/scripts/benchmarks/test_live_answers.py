from __future__ import annotations

import asyncio
from collections import Counter
from types import SimpleNamespace

import pytest

from core.domain import Prediction, Song
from core.errors import UpstreamUnavailable
from core.lookup.dataset import CatalogueEntry
from core.lookup.normalise import song_key
from scripts.benchmarks.live_answers import ask_all
from scripts.benchmarks.live_scores import Reply, Scored, ranking, score, score_joined, score_split
from scripts.benchmarks.live_tables import (
    SPOTIFY,
    Label,
    Labelled,
    artists_of,
    by_song,
    dated_labels,
    distinct_records,
    even_sample,
    joined,
    split_songs,
    spotify_labels,
)
from scripts.benchmarks.services import Shop, records_on_sale
from tests.fakes.lastfm_server import FakeSong
from tests.fakes.predictions import prediction

SMALL = FakeSong("Timeless", "The Weeknd", 227_000, 900_000, tags=("rnb",))
GREAT = FakeSong("Timeless (feat. Playboi Carti)", "The Weeknd", 941_000, 9_000_000)
ALONE = FakeSong("Hello", "Adele", 1_900_000, 17_000_000)
NEARLY = (FakeSong("Lovely", "Billie Eilish", 100), FakeSong("Lovely (with Khalid)", "Billie Eilish", 300))


def labelled(number: int, source: str, popularity: int) -> Labelled:
    title = f"Song {number}"
    return Labelled(song_key(title, "Band"), title, "Band", (Label(source, "2023-01", popularity),))


def answered(verdict: str, probability: float, plays: int = 10) -> Reply:
    return Reply("q", "answered", "Song 1", "Band", 10, plays, 10, probability, verdict)


def test_collections_of_one_record_complete_each_other() -> None:
    old = FakeSong("hello!", "ADELE", 5, 20, album="25", duration_ms=295_000, tags=("soul",))
    new = FakeSong("Hello", "Adele", 9, 30, album="Unknown", duration_ms=0, tags=())
    assert distinct_records([old, new]) == (FakeSong("Hello", "Adele", 9, 30, "25", 295_000, ("soul",)),)
    assert len(distinct_records([SMALL, GREAT])) == 2


def test_a_song_is_split_when_its_greatest_record_is_more_than_three_times_another() -> None:
    (split,) = split_songs(by_song([SMALL, GREAT, ALONE, *NEARLY]))
    assert (split.title, split.artist, split.records) == ("Timeless", "The Weeknd", (GREAT, SMALL))


def test_artists_have_their_own_figures_or_derived_ones_and_the_best_tags() -> None:
    figures = [{"artist": "Adele", "lastfm_listeners": "400", "lastfm_playcount": "900"}]
    tags = [
        {"artist": "adele", "source": "hetrec2011", "rank": "1", "tag": "british"},
        {"artist": "Adele", "source": "teotu2024", "rank": "2", "tag": "pop"},
        {"artist": "Adele", "source": "teotu2024", "rank": "1", "tag": "soul"},
        {"artist": "The Weeknd", "source": "pagea2015", "rank": "1", "tag": "dark"},
    ]
    artists = {artist.name: artist for artist in artists_of([SMALL, GREAT, ALONE], figures, tags)}
    assert (artists["Adele"].listeners, artists["Adele"].tags) == (400, ("soul", "pop"))
    assert (artists["The Weeknd"].listeners, artists["The Weeknd"].playcount) == (1_882_000, 27_000_000)
    assert artists["The Weeknd"].tags == ()


def test_mere_re_releases_are_left_out_and_the_best_row_counts() -> None:
    def entry(title: str, artist: str, album: str, popularity: int) -> CatalogueEntry:
        return CatalogueEntry(Song(title=title, artist=artist, album=album), popularity)

    entries = [
        *(entry(f"Old {name}", name, "Christmas Hits", 0) for name in "ABC"),
        entry("Loved", "D", "Christmas Hits", 70),
        entry("Loved", "D", "Loved", 3),
        entry("Obscure", "E", "Own", 0),
        entry("", "", "", 9),
    ]
    labels, left_out = spotify_labels(entries)
    assert left_out == 3
    assert {one.title: one.latest.popularity for one in labels.values()} == {"Loved": 70, "Obscure": 0}


def test_the_newest_row_labels_a_song_and_of_equally_new_ones_the_most_popular() -> None:
    def row(date: str, popularity: str, source: str = "a") -> dict[str, str]:
        return {
            "track": "Hello - Remastered",
            "artist": "Adele;X",
            "label_date": date,
            "popularity": popularity,
            "source": source,
        }

    (song,) = dated_labels([row("2020-01", "90"), row("2023-05", "0", "b"), row("2023-05", "61", "c")]).values()
    assert (song.title, song.artist, song.labels) == ("Hello", "Adele", (Label("c", "2023-05", 61),))
    spotify = {song.key: Labelled(song.key, "Hello", "Adele", (Label(SPOTIFY, "2022-10", 80),))}
    (both,) = joined([song.key, "unknown"], spotify, {song.key: song})
    assert [label.source for label in both.labels] == [SPOTIFY, "c"]
    assert both.latest.source == "c"


def test_a_sample_keeps_the_shares_of_the_sources_and_repeats() -> None:
    songs = [labelled(n, "a" if n % 10 else "b", 70 if n % 2 else 20) for n in range(1000)]
    drawn = even_sample(songs, 100, seed=4)
    assert drawn == even_sample(songs, 100, seed=4)
    assert drawn != even_sample(songs, 100, seed=5)
    assert len(set(drawn)) == 100
    assert Counter(song.latest.source for song in drawn) == {"a": 90, "b": 10}
    assert even_sample(songs, None, seed=4) == tuple(songs)


def test_scores_count_verdicts_and_rank() -> None:
    hit, miss = Label("a", "2023-01", 60), Label("a", "2023-01", 59)
    scores = score(
        [
            Scored(answered("Popular", 0.9, plays=1), hit),
            Scored(answered("Popular", 0.8, plays=4), miss),
            Scored(answered("Medium", 0.5, plays=2), hit),
            Scored(answered("Not popular", 0.1, plays=3), miss),
            Scored(Reply("q", "not found"), hit),
        ]
    )
    assert (scores["asked"], scores["answered"], scores["not found"], scores["ambiguous"]) == (5, 4, 1, 0)
    assert (scores["right"], scores["wrong"], scores["medium"]) == (0.5, 0.25, 0.25)
    assert scores["right_of_decided"] == pytest.approx(2 / 3)
    assert scores["auc_probability"] == 0.75
    assert scores["auc_plays"] == 0.0
    assert ranking([True, True], [0.1, 0.2]) is None


def test_another_song_and_a_lesser_record_are_told_and_small_sources_have_no_figure() -> None:
    songs = [labelled(n, "big", 70 * (n % 2)) for n in range(200)] + [labelled(n, "small", 70) for n in range(200, 210)]
    replies = [Reply("q", "answered", song.title, "Band", 10, 10, 10, 0.5, "Medium") for song in songs]
    replies[3] = Reply("q", "answered", "Another", "Band", 9, 10, 10, 0.5, "Medium")
    scores = score_joined(songs, replies, {song.key: 10 for song in songs})
    assert scores["pooled"]["wrong_song"] == pytest.approx(1 / 210)
    assert scores["pooled"]["from_greatest_record"] == pytest.approx(209 / 210)
    assert list(scores["by_source"]) == ["big"]
    assert scores["within"]["auc_probability"] == 0.5


def test_split_songs_answered_from_a_lesser_record_are_listed() -> None:
    splits = split_songs(by_song([SMALL, GREAT]))
    wrong = score_split(splits, [Reply("q", "answered", SMALL.title, SMALL.artist, SMALL.listeners)], ())
    assert wrong["from_greatest"] == 0
    assert wrong["missed"][0]["records"][0] == [GREAT.title, GREAT.artist, GREAT.listeners]
    right = score_split(splits, [Reply("q", "answered", GREAT.title, GREAT.artist, GREAT.listeners)], ())
    assert (right["from_greatest"], right["missed"]) == (1, [])


def test_the_shop_finds_a_song_by_its_words_with_its_earliest_day() -> None:
    def row(track: str, artist: str, released: str) -> dict[str, str]:
        return {
            "track": track,
            "artist": artist,
            "album": "",
            "release_date": released,
            "duration_ms": "1000",
            "explicit": "1",
        }

    shop = Shop(
        records_on_sale(
            [
                row("Hello", "Adele;X", "2016"),
                row("Hello", "Adele", "2015"),
                row("Hello (Remastered)", "Adele", "2015-10-23"),
                row("Starboy", "The Weeknd", "2016-09"),
                row("Untold", "Adele", ""),
            ]
        )
    )
    assert [(one.title, one.released) for one in shop.records] == [
        ("Hello (Remastered)", "2015-10-23"),
        ("Starboy", "2016-09-01"),
    ]
    assert shop.find("Adele Hello", 5) == shop.find("hello adele", 5) == (0,)
    assert shop.find("The Weeknd Starboy (feat. Daft Punk)", 5) == (1,)
    assert shop.find("Adele Starboy", 5) == ()


async def test_questions_are_answered_in_their_order_and_failures_counted() -> None:
    known = prediction()

    async def predict(text: str) -> Prediction:
        await asyncio.sleep(0.01 if text == "a" else 0)
        if text == "b":
            raise UpstreamUnavailable("down")
        return known

    replies, _ = await ask_all(SimpleNamespace(predict=predict), ["a", "b", "c"])  # type: ignore[arg-type]
    assert [(reply.question, reply.outcome) for reply in replies] == [
        ("a", "answered"),
        ("b", "failed"),
        ("c", "answered"),
    ]
    assert replies[0].probability == known.assessment.probability
    assert replies[1].error == "UpstreamUnavailable"
