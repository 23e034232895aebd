from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.domain import SongName
from core.errors import CatalogueError, QueryError
from core.lookup.catalogue import Catalogue
from core.lookup.catalogue_build import build_catalogue
from core.query import parse_query
from tests.fakes.spotify_rows import SONGS, row, write_csv


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("catalogue")
    out = folder / "catalogue #1?.sqlite"
    build_catalogue(write_csv(folder / "d.csv"), out, source="test")
    return out


@pytest.fixture(scope="module")
def catalogue(built: Path) -> Iterator[Catalogue]:
    with closing(Catalogue.open(built)) as opened:
        yield opened


def best(catalogue: Catalogue, text: str) -> str:
    return str(catalogue.search(parse_query(text))[0].name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Blinding Lights - The Weeknd", "Blinding Lights — The Weeknd"),
        ("weeknd blindng lihgts", "Blinding Lights — The Weeknd"),
        ("blinding lights remix", "Blinding Lights - Remix — The Weeknd"),
        ("blinding lights lucas", "Blinding Lights — Lucas Estrada"),
        ("chamak chalo", "Chammak Challo — Akon"),
        ("Chammak Challo by Hamsika Iyer", "Chammak Challo — Akon"),
        ("David Bowie - Under Pressure", "Under Pressure — Queen"),
        ("bohemian rapsody", "Bohemian Rhapsody — Queen"),
        ("helo", "Hello — Adele"),
        ("hello richie", "Hello — Lionel Richie"),
        ("beyonce halo", "Halo — Beyoncé"),
        ("BEYÓNCE – HÂLO", "Halo — Beyoncé"),
        ("夜に駆ける", "夜に駆ける — YOASOBI"),
        ("夜に駆け", "夜に駆ける — YOASOBI"),
        ("사랑", "사랑 — Some One"),
        ("судно", "Судно (Борис Рижий) — Molchat Doma"),
        ("yoru ni kakeru", "夜に駆ける — YOASOBI"),
        ("sudno molchat doma", "Судно (Борис Рижий) — Molchat Doma"),
        ("sarang - some one", "사랑 — Some One"),
        ("snow", "Snow (Hey Oh) — Red Hot Chili Peppers"),
        ("None - NA", "None — NA"),
    ],
)
def test_misspelt_questions_find_their_song(catalogue: Catalogue, text: str, name: str) -> None:
    assert best(catalogue, text) == name


def test_candidates_carry_popularity_and_credits(catalogue: Catalogue) -> None:
    first = catalogue.search(parse_query("Under Pressure - Queen"), limit=1)
    assert [(c.popularity, c.credits, c.score) for c in first] == [(79, ("Queen", "David Bowie"), 100)]


def test_nothing_like_it_is_nothing_near(catalogue: Catalogue) -> None:
    assert all(candidate.score < 60 for candidate in catalogue.search(parse_query("qqqq wwww xxxx")))


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("b", "Blinding Lights — The Weeknd"),
        ("bli", "Blinding Lights — The Weeknd"),
        ("blinding lights lu", "Blinding Lights — Lucas Estrada"),
        ("lights week", "Blinding Lights — The Weeknd"),
        ("the weeknd - bli", "Blinding Lights — The Weeknd"),
        ("blindng li", "Blinding Lights — The Weeknd"),
        ("bohemain", "Bohemian Rhapsody — Queen"),
        ("hel", "Hello — Adele"),
        ("beyoncé", "Halo — Beyoncé"),
        ("夜", "夜に駆ける — YOASOBI"),
        ("суд", "Судно (Борис Рижий) — Molchat Doma"),
        ("hamsika", "Chammak Challo — Akon"),
    ],
)
def test_half_typed_names_are_completed(catalogue: Catalogue, typed: str, first: str) -> None:
    assert str(catalogue.complete(typed)[0]) == first


def test_completions_are_distinct_popular_first_and_limited(catalogue: Catalogue) -> None:
    names = catalogue.complete("he", limit=3)
    assert names == (
        SongName("Hello", "Adele"),
        SongName("Help!", "The Beatles"),
        SongName("Hello", "Lionel Richie"),
    )
    everything = catalogue.complete("e", limit=100)
    assert len(set(everything)) == len(everything)


def test_an_empty_name_lists_the_best_known_songs(catalogue: Catalogue) -> None:
    names = catalogue.complete("", limit=3)
    assert names[0] == SongName("Blinding Lights", "The Weeknd")
    assert len(set(names)) == 3
    assert catalogue.complete(" ", limit=3) == names


@pytest.mark.parametrize("typed", ["", " ", "\u200b", "zzzzqqq", '"', "*", "AND OR NOT", "NEAR(a b)", "a*b^c:d"])
def test_odd_prefixes_give_no_error(catalogue: Catalogue, typed: str) -> None:
    assert len(catalogue.complete(typed)) <= 25
    assert catalogue.complete(typed, limit=0) == ()


@pytest.mark.parametrize("unit", ["a b ", "hello ", "夜", "blinding lights weeknd queen ", '"', "\u202e"])
def test_overlong_prefixes_give_no_error(catalogue: Catalogue, unit: str) -> None:
    assert len(catalogue.complete(unit * (1_000_000 // len(unit)))) <= 25


def test_the_longest_question_is_searched(catalogue: Catalogue) -> None:
    letters = "".join(chr(ord("a") + i * 7 % 26) + chr(ord("a") + i * 11 % 26) for i in range(100))
    assert catalogue.search(parse_query(letters)) == ()
    assert best(catalogue, f"blinding lights weeknd {letters}"[:60]) == "Blinding Lights — The Weeknd"


@pytest.mark.parametrize(
    "name",
    [
        SongName("Under Pressure", "Queen"),
        SongName("under pressure (2011 remaster)", "QUEEN"),
        SongName("Under Pressure", "David Bowie"),
        SongName("Under Pressure (feat. Someone)", "Queen feat. David Bowie"),
    ],
)
def test_facts_are_found_by_key_and_by_guests(catalogue: Catalogue, name: SongName) -> None:
    entry = catalogue.find(name)
    assert entry is not None
    assert (entry.popularity, entry.full_title) == (79, "Under Pressure - Remastered 2011")
    song = entry.song
    assert (song.title, song.artist, song.credits) == ("Under Pressure", "Queen", ("Queen", "David Bowie"))
    assert (song.genres, song.duration_ms, song.explicit) == (("rock",), 200_040, False)
    assert (song.listeners, song.playcount) == (None, None)


def test_audio_is_one_rows_and_popularity_and_genres_are_all_rows(catalogue: Catalogue) -> None:
    entry = catalogue.find(SongName("Blinding Lights", "The Weeknd"))
    assert entry is not None
    assert entry.song.audio is not None
    assert (entry.song.audio.danceability, entry.song.audio.key, entry.song.audio.time_signature) == (0.514, 1, 4)
    assert (entry.popularity, entry.full_title, entry.rerelease) == (91, "", False)
    assert entry.song.genres == ("pop", "dance")


def test_another_artist_of_the_same_title_is_not_found(catalogue: Catalogue) -> None:
    assert catalogue.find(SongName("Under Pressure", "Nobody")) is None


def test_it_counts_its_songs(catalogue: Catalogue) -> None:
    assert len(catalogue) == len(SONGS) - 1


def test_threads_share_one_catalogue(catalogue: Catalogue) -> None:
    texts = ["weeknd blindng lihgts", "helo", "chamak chalo", "snow"] * 20
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: best(catalogue, text), texts))
    assert found == [best(catalogue, text) for text in texts]


def test_the_file_is_never_written(built: Path) -> None:
    built.chmod(0o444)
    before = built.read_bytes()
    with closing(Catalogue.open(built)) as opened:
        opened.search(parse_query("hello"))
    assert built.read_bytes() == before
    assert sorted(path.name for path in built.parent.iterdir()) == [built.name, "d.csv"]


def test_an_absent_catalogue_is_none_or_an_error(tmp_path: Path) -> None:
    assert Catalogue.open_if_present(tmp_path / "none.sqlite") is None
    with pytest.raises(CatalogueError, match=r"no catalogue at none\.sqlite"):
        Catalogue.open(tmp_path / "none.sqlite")
    with pytest.raises(CatalogueError):
        Catalogue.open_if_present(tmp_path)


def damaged(built: Path, folder: Path, how: str) -> Path:
    path = folder / "damaged.sqlite"
    data = built.read_bytes()
    match how:
        case "text":
            path.write_bytes(b"no database at all\n" * 100)
        case "empty":
            path.write_bytes(b"")
        case "half":
            path.write_bytes(data[: len(data) // 2])
        case "zeroed":
            path.write_bytes(data[:100] + bytes(len(data) - 100))
        case _:
            path.write_bytes(data)
            with closing(sqlite3.connect(path)) as db:
                db.execute(how)
                db.commit()
    return path


@pytest.mark.parametrize(
    "how",
    [
        *("text", "empty", "half", "zeroed", "DROP TABLE gram", "DROP TABLE song_gram", "DROP TABLE song"),
        "UPDATE meta SET value = '0' WHERE name = 'format'",
        "UPDATE meta SET value = '99' WHERE name = 'songs'",
        "DELETE FROM meta WHERE name = 'songs'",
        "DELETE FROM meta",
    ],
)
def test_a_damaged_catalogue_is_refused(built: Path, tmp_path: Path, how: str) -> None:
    with pytest.raises(CatalogueError, match="damaged"):
        Catalogue.open(damaged(built, tmp_path, how))


def test_damage_found_later_is_said(built: Path, tmp_path: Path) -> None:
    path = damaged(built, tmp_path, "DROP INDEX song_title")
    with closing(sqlite3.connect(path)) as db:
        db.execute("ALTER TABLE song RENAME COLUMN credits TO people")
        db.commit()
    with closing(Catalogue.open(path)) as opened, pytest.raises(CatalogueError, match="cannot be read"):
        opened.search(parse_query("hello"))


@given(st.one_of(st.text(max_size=60), st.text(st.sampled_from("ab \"'*:^()-|夜ाé\x00\u202e"), max_size=20)))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_can_be_searched_and_completed(catalogue: Catalogue, text: str) -> None:
    assert len(catalogue.complete(text, limit=5)) <= 5
    catalogue.find(SongName(text, text))
    try:
        query = parse_query(text)
    except QueryError:
        return
    assert len(catalogue.search(query, limit=5)) <= 5


def test_letters_of_which_no_key_is_left_are_searched_without_an_error(catalogue: Catalogue) -> None:
    for text in ("\u0640\u0640", "\u02bc"):
        assert catalogue.search(parse_query(text)) == ()
    for text in ("\u0640 - Live", "\u0640 (live)"):
        assert len(catalogue.search(parse_query(text), limit=5)) <= 5


def test_tracks_are_found_by_every_id_of_their_song(tmp_path: Path) -> None:
    first, second = "0VjIjW4GlUZAMYd2vXMi3b", "7qiZfU4dY1lWllzX7mPBI3"
    rows = (
        row("Blinding Lights", "The Weeknd", 91, track_id=first),
        row("Blinding Lights", "The Weeknd", 3, "dance", track_id=second),
        row("Hello", "Adele", 74, track_id="0"),
    )
    build_catalogue(write_csv(tmp_path / "d.csv", rows), tmp_path / "c.sqlite", source="test")
    with closing(Catalogue.open(tmp_path / "c.sqlite")) as opened:
        assert opened.track(first) == opened.track(second) == SongName("Blinding Lights", "The Weeknd")
        for unknown in ("1Yk0cQdMLx5RzzFTYwmuld", "0", "", "é" * 22, "z" * 22, "Z" * 22, "' OR 1=1 --"):
            assert opened.track(unknown) is None
