from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain import Origin, Reading, SongName
from core.errors import DataError
from core.lookup.matching import Decision, match
from core.lookup.recorded import COLUMNS, RecordedFigures
from core.query import parse_query
from core.settings import ROOT

SHIPPED = RecordedFigures.load(ROOT / "data" / "demo_songs.csv")
HEADING = ",".join(COLUMNS)
GOOD = "Adele,Hello,25,909059,8112140,4926433,258258244,soul|pop,295502,false,2025-05,2015-10-23,hit"


def load(folder: Path, *lines: str) -> RecordedFigures:
    path = folder / "songs.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return RecordedFigures.load(path)


async def test_a_row_becomes_a_song_with_its_date(tmp_path: Path) -> None:
    found = await load(tmp_path, HEADING, GOOD).find(Reading("hello", "ADELE"))
    assert found is not None
    song = found.song
    assert (song.title, song.artist, song.album, song.tags) == ("Hello", "Adele", "25", ("soul", "pop"))
    assert (song.listeners, song.playcount) == (909_059, 8_112_140)
    assert (song.artist_listeners, song.artist_playcount) == (4_926_433, 258_258_244)
    assert (song.duration_ms, song.explicit, song.released) == (295_502, False, date(2015, 10, 23))
    assert found.source.origin is Origin.RECORDED
    assert found.source.as_of == datetime(2025, 5, 1, tzinfo=UTC)
    assert not found.source.stale


async def test_empty_cells_are_unknown_not_zero(tmp_path: Path) -> None:
    found = await load(tmp_path, HEADING, "Akon,Chammak Challo,,,,3191080,44742092,,,,2025-04,,").find(
        Reading("Chammak Challo", "Akon"), fresh=True
    )
    assert found is not None
    song = found.song
    assert (song.listeners, song.playcount, song.album, song.duration_ms, song.explicit, song.released) == (None,) * 6
    assert song.tags == ()


def test_songs_are_offered_with_their_kinds_the_best_known_first(tmp_path: Path) -> None:
    recorded = load(
        tmp_path,
        HEADING,
        "Akon,Chammak Challo,,,,,,,,,2025-04,2011,",
        "Akon,Smack That,,954833,6110583,,,,,,2025-05,2006, oldie ",
        GOOD,
    )
    assert [(one.found.song.title, one.kind) for one in recorded.recorded] == [
        ("Smack That", "oldie"),
        ("Hello", "hit"),
        ("Chammak Challo", ""),
    ]
    assert tuple(one.found for one in recorded.recorded) == recorded.songs
    assert recorded.songs[2].song.released == date(2011, 7, 1)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (GOOD.replace("909059", "many"), "row 2, column listeners: 'many' is not a count"),
        (GOOD.replace("909059", "-5"), "row 2, column listeners"),
        (GOOD.replace("909059", "٣"), "row 2, column listeners"),
        (GOOD.replace("Adele", ""), "row 2, column artist: is empty"),
        (GOOD.replace("false", "maybe"), "row 2, column explicit"),
        (GOOD.replace("2025-05", "May"), "row 2, column recorded"),
        (GOOD.replace("2025-05", ""), "row 2, column recorded"),
        (GOOD.replace("2015-10-23", "23.10.2015"), "row 2, column released: '23.10.2015' is neither"),
        (GOOD.replace("2015-10-23", "2015-02-30"), "row 2, column released"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, line: str, what: str) -> None:
    with pytest.raises(DataError, match=what):
        load(tmp_path, HEADING, line)


def test_a_lacking_column_or_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="lacks the column released, kind"):
        load(tmp_path, HEADING.removesuffix(",released,kind"))
    with pytest.raises(DataError, match=r"none\.csv"):
        RecordedFigures.load(tmp_path / "none.csv")


def test_as_many_songs_are_shipped_as_the_documents_say() -> None:
    assert len(SHIPPED) == 154
    for document in ("README.md", "data/README.md"):
        assert f"ecorded figures of {len(SHIPPED)} songs" in (ROOT / document).read_text(encoding="utf-8")


def test_the_shipped_figures_make_sense() -> None:
    scripts: set[str] = set()
    for song in (found.song for found in SHIPPED.songs):
        assert (song.artist_listeners is None) == (song.artist_playcount is None)
        assert (song.listeners is None) == (song.playcount is None)
        assert song.listeners or song.artist_listeners
        if song.listeners is not None and song.playcount is not None:
            assert song.listeners <= song.playcount
        if song.artist_listeners is not None and song.artist_playcount is not None:
            assert (song.listeners or 0) <= song.artist_listeners <= song.artist_playcount
            assert (song.playcount or 0) <= song.artist_playcount
        assert song.duration_ms is None or 20_000 < song.duration_ms < 900_000
        scripts |= {script for script, (low, high) in SCRIPTS.items() if any(low <= c <= high for c in song.title)}
    assert scripts == set(SCRIPTS)


def test_the_shipped_kinds_are_many_songs_each() -> None:
    kinds = Counter(one.kind for one in SHIPPED.recorded if one.kind)
    assert kinds == {
        "hit": 14,
        "oldie": 10,
        "deep cut": 8,
        "new name": 6,
        "Christmas": 5,
        "classical": 5,
        "children's": 5,
        "world": 4,
        "spoken": 3,
    }


def test_the_shipped_oldies_are_older_than_the_new_names() -> None:
    days = {
        kind: [one.found.song.released for one in SHIPPED.recorded if one.kind == kind]
        for kind in ("oldie", "new name")
    }
    assert all(day is not None and day < date(1990, 1, 1) for day in days["oldie"])
    assert all(day is not None and day > date(2024, 1, 1) for day in days["new name"])


async def test_a_shipped_song_knows_its_release() -> None:
    found = await SHIPPED.find(Reading("Smells Like Teen Spirit", "Nirvana"))
    assert found is not None
    assert found.song.released == date(1991, 9, 10)


SCRIPTS = {
    "Latin": ("A", "z"),
    "Greek": ("Ͱ", "Ͽ"),
    "Cyrillic": ("Ѐ", "ӿ"),
    "Arabic": ("\u0600", "\u06ff"),
    "Devanagari": ("\u0900", "\u097f"),
    "Kana": ("\u3040", "\u30ff"),
    "Han": ("\u4e00", "\u9fff"),
    "Hangul": ("\uac00", "\ud7a3"),
}


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Blinding Lights - The Weeknd", "Blinding Lights"),
        ("teh weeknd - blindng lihgts", "Blinding Lights"),
        ("chamak chalo", "Chammak Challo"),
        ("夜に駆ける", "夜に駆ける"),
        ("hello", "Hello"),
        ("molchat doma sudno судно", "Судно (Борис Рижий)"),
        ("Eminem | Without Me", "Without Me"),
    ],
)
async def test_misspelt_questions_find_recorded_songs(text: str, title: str) -> None:
    query = parse_query(text)
    decided = match(query, [one for reading in query.readings for one in await SHIPPED.search(reading)])
    assert decided.decision is not Decision.NOTHING
    assert decided.candidates[0].name.title == title


async def test_other_songs_are_not_found() -> None:
    assert await SHIPPED.find(Reading("Blinding Lights", "Nobody")) is None
    assert await SHIPPED.search(Reading("qwertz uiop", "asdf")) == ()
    await SHIPPED.aclose()


def test_half_typed_names_are_completed_the_best_known_first() -> None:
    assert str(SHIPPED.complete("blindi")[0]) == "Blinding Lights — The Weeknd"
    assert str(SHIPPED.complete("blndng")[0]) == "Blinding Lights — The Weeknd"
    assert [name.title for name in SHIPPED.complete("weeknd", limit=2)] == ["Blinding Lights", "Starboy"]
    assert SHIPPED.complete("\u200b") == ()


def test_an_empty_name_lists_the_best_known_songs() -> None:
    assert SHIPPED.complete("", limit=3) == SHIPPED.complete("  ", limit=3)
    assert SHIPPED.complete("", limit=3) == tuple(found.song.name for found in SHIPPED.songs[:3])


@given(st.text(max_size=40))
@settings(max_examples=60, deadline=None)
def test_any_prefix_is_taken(prefix: str) -> None:
    assert len(SHIPPED.complete(prefix, limit=7)) <= 7


async def test_a_recorded_song_has_one_record_however_it_is_decorated() -> None:
    (record,) = await SHIPPED.records(SongName("blinding lights (feat. Nobody)", "weeknd"))
    assert record.name == SongName("Blinding Lights", "The Weeknd")
    assert await SHIPPED.records(SongName("Blinding Lights (Live)", "The Weeknd")) == ()
