from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain import Candidate, Reading, SongName, SongQuery
from core.errors import QueryError
from core.limits import CANDIDATES_MAX
from core.lookup.matching import Decision, Match, match, prominence, rank
from core.lookup.normalise import song_key
from core.query import parse_query


def song(title: str, artist: str, popularity: int | None = None, listeners: int | None = None) -> Candidate:
    return Candidate(SongName(title, artist), 0.0, listeners=listeners, popularity=popularity)


def ask(text: str, *candidates: Candidate) -> Match:
    return match(parse_query(text), candidates)


BLINDING = song("Blinding Lights", "The Weeknd", 91)
COVER = song("Blinding Lights", "Lucas Estrada", 51)
HELLOS = (song("Hello", "Adele", 74), song("Hello", "Lionel Richie", 68), song("Hello", "Nobody", 3))


@pytest.mark.parametrize(
    "text",
    [
        "Blinding Lights - The Weeknd",
        "The Weeknd - Blinding Lights",
        "blindng lihgts by teh weeknd",
        "weeknd blinding lights",
        "blinding lights",
        "blindinglights weeknd",
        "Blinding Lights feat. Someone - The Weeknd",
    ],
)
def test_the_song_is_sure_in_any_wording(text: str) -> None:
    decided = ask(text, COVER, song("The Hills", "The Weeknd", 88), BLINDING)
    assert decided.decision is Decision.SURE
    assert decided.candidates[0].name == BLINDING.name


def test_the_better_known_of_namesakes_comes_first() -> None:
    obscure, known = song("Hello", "Nobody", listeners=300), song("Hello", "Adele", listeners=900_000)
    decided = ask("hello", obscure, known)
    assert decided.decision is Decision.SURE
    assert decided.candidates[0].name == known.name


def test_a_title_of_several_well_known_songs_is_asked_about() -> None:
    decided = ask("Hello", *HELLOS)
    assert decided.decision is Decision.NEARLY
    assert [candidate.name.artist for candidate in decided.candidates] == ["Adele", "Lionel Richie", "Nobody"]


def test_naming_the_artist_settles_it() -> None:
    decided = ask("Hello - Lionel Richie", *HELLOS)
    assert decided.decision is Decision.SURE
    assert decided.candidates[0].name.artist == "Lionel Richie"


def test_a_clear_wording_beats_fame() -> None:
    decided = ask("Hello - Nobody", *HELLOS)
    assert decided.decision is Decision.SURE
    assert decided.candidates[0].name.artist == "Nobody"


@pytest.mark.parametrize(
    "version",
    [
        "Blinding Lights - Remix",
        "Blinding Lights (Live)",
        "Blinding Lights - Karaoke Version",
        "Blinding Lights (Acoustic)",
    ],
)
def test_the_original_beats_its_versions(version: str) -> None:
    other = song(version, "The Weeknd", 99)
    decided = ask("Blinding Lights - The Weeknd", other, song("Blinding Lights", "The Weeknd", 10))
    assert decided.decision is Decision.SURE
    assert decided.candidates[0].name.title == "Blinding Lights"


@pytest.mark.parametrize(
    ("asked", "version"),
    [
        ("Blinding Lights remix - The Weeknd", "Blinding Lights - Remix"),
        ("blinding lights live weeknd", "Blinding Lights (Live)"),
        ("Blinding Lights (Acoustic) - The Weeknd", "Blinding Lights - Acoustic"),
    ],
)
def test_a_version_asked_for_beats_the_original(asked: str, version: str) -> None:
    decided = ask(asked, BLINDING, song(version, "The Weeknd", 20))
    assert decided.candidates[0].name.title == version


def test_records_of_one_song_are_one_candidate_under_the_most_heard_name() -> None:
    plain, heard = (
        song("Enemy", "Imagine Dragons", listeners=26_784),
        song("Enemy (with JID)", "Imagine Dragons", None, 9),
    )
    for records in ((plain, heard), (heard, plain), (song("Enemy (with JID)", "Imagine Dragons", 86), plain)):
        decided = ask("Enemy - Imagine Dragons", *records)
        assert [(one.name.title, one.listeners) for one in decided.candidates] == [("Enemy", 26_784)]


def test_version_words_of_a_name_ask_for_nothing() -> None:
    decided = ask("Live Forever - Oasis", song("Live Forever - Live", "Oasis", 70), song("Live Forever", "Oasis", 60))
    assert decided.candidates[0].name.title == "Live Forever"
    assert ask("Piano Man - Billy Joel", song("Piano Man", "Billy Joel", 80)).candidates[0].score == 100


def test_another_song_of_the_artist_is_not_the_one() -> None:
    decided = ask("Burn in Hell - Dimmu Borgir", song("Dimmu Borgir", "Dimmu Borgir", 50))
    assert decided.decision is not Decision.SURE


def test_an_artist_alone_is_no_song() -> None:
    decided = ask("the weeknd", song("The Weekend", "Michael Gray", 67), BLINDING)
    assert decided.decision is Decision.NEARLY
    assert ask("toto", song("Africa", "TOTO", 83)).decision is not Decision.SURE
    assert ask("dimmu borgir", song("Dimmu Borgir", "Dimmu Borgir", 50)).decision is Decision.SURE


def test_short_titles_are_not_found_inside_long_ones() -> None:
    assert ask("one", song("Someone Like You", "Adele", 90)).decision is Decision.NOTHING


def test_another_artist_is_offered_not_taken() -> None:
    decided = ask("Hello - Somebody Else", song("Hello", "Adele", 74))
    assert decided.decision is Decision.NEARLY


def test_nonsense_finds_nothing() -> None:
    assert ask("qwertzuiop asdfghjkl", BLINDING, COVER, *HELLOS).decision is Decision.NOTHING
    assert ask("hello") == Match(Decision.NOTHING, ())


def test_one_song_from_two_sources_is_one_candidate() -> None:
    live = song("Blinding Lights", "The Weeknd", listeners=2_000_000)
    catalogued = Candidate(
        SongName("Blinding Lights (Remastered)", "the weeknd"), 0.0, popularity=91, credits=("A", "B")
    )
    (only,) = ask("blinding lights", live, catalogued).candidates
    assert (only.name, only.listeners, only.popularity, only.credits) == (live.name, 2_000_000, 91, ("A", "B"))


def test_versions_of_the_same_song_do_not_raise_a_question() -> None:
    decided = ask("Raise Me - Choir", song("Raise Me", "Choir", 40), song("Raise Me (Studio Version)", "Choir", 45))
    assert decided.decision is Decision.SURE


def test_at_most_five_are_shown() -> None:
    decided = ask("hello", *(song("Hello", f"Artist {n}", 50) for n in range(20)))
    assert decided.decision is Decision.NEARLY
    assert len(decided.candidates) == CANDIDATES_MAX


def test_prominence_puts_listeners_and_popularity_on_one_scale() -> None:
    assert prominence(song("a", "b")) == 0
    assert prominence(song("a", "b", listeners=100_000)) == pytest.approx(60)
    assert prominence(song("a", "b", popularity=70, listeners=10)) == 70
    assert prominence(song("a", "b", listeners=10**12)) == 100


NAMES = st.text(max_size=40)
CANDIDATES = st.builds(
    Candidate,
    st.builds(SongName, NAMES, NAMES),
    st.floats(0, 100),
    st.one_of(st.none(), st.integers(0, 10**9)),
    st.one_of(st.none(), st.integers(0, 100)),
    st.lists(NAMES, max_size=3).map(tuple),
)
QUERIES = st.builds(
    SongQuery,
    NAMES,
    st.lists(st.builds(Reading, NAMES, st.one_of(st.none(), NAMES)), min_size=1, max_size=4).map(tuple),
)


@given(QUERIES, st.lists(CANDIDATES, max_size=12))
@settings(max_examples=200, deadline=None)
def test_any_candidates_are_decided_within_the_limits(query: SongQuery, candidates: list[Candidate]) -> None:
    decided = match(query, candidates)
    assert len(decided.candidates) <= CANDIDATES_MAX
    assert all(0 <= candidate.score <= 100 for candidate in decided.candidates)
    keys = [song_key(c.name.title, c.name.artist) for c in rank(query, candidates)]
    assert len(keys) == len(set(keys)) == len({song_key(c.name.title, c.name.artist) for c in candidates})
    assert (decided.decision is Decision.NOTHING) or decided.candidates


@given(st.text(max_size=80), st.lists(CANDIDATES, max_size=5))
@settings(max_examples=200, deadline=None)
def test_any_question_can_be_matched(text: str, candidates: list[Candidate]) -> None:
    try:
        query = parse_query(text)
    except QueryError:
        return
    assert isinstance(match(query, iter(candidates)).decision, Decision)


KARAOKE = (
    song("Snow", "Red Hot Chili Peppers Tribute Band", 99),
    song("Snow (Karaoke Version)", "Red Hot Chili Peppers", 99),
    song("Snow (Cover)", "Red Hot Chili Peppers", 99),
    song("Snow", "Party Tyme Karaoke", 99),
    song("Snow (Originally Performed by Red Hot Chili Peppers)", "Ameritz", 99),
)


@pytest.mark.parametrize("karaoke", KARAOKE)
@pytest.mark.parametrize(
    "text",
    ["Snow - Red Hot Chili Peppers", "snow", "snow red hot chili peppers", "Red Hot Chili Peppers Band - Snow", "snwo"],
)
def test_karaoke_and_tributes_come_after_the_original(text: str, karaoke: Candidate) -> None:
    decided = ask(text, karaoke, song("Snow (Hey Oh)", "Red Hot Chili Peppers", 5))
    assert decided.candidates[0].name.title == "Snow (Hey Oh)"


def test_a_tribute_that_alone_fits_is_offered_not_taken() -> None:
    tribute = song("Snow", "Red Hot Chili Peppers Tribute Band", 60)
    decided = ask("Snow - Red Hot Chili Peppers", tribute, song("Winter", "Tori Amos", 60))
    assert decided.decision is Decision.NEARLY
    assert [one.name for one in decided.candidates] == [tribute.name]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Snow - Party Tyme Karaoke", SongName("Snow", "Party Tyme Karaoke")),
        ("Snow by The Hit Crew", SongName("Snow", "The Hit Crew")),
        ("Snow - Red Hot Chili Peppers Tribute Band", SongName("Snow", "Red Hot Chili Peppers Tribute Band")),
    ],
)
def test_karaoke_asked_for_is_taken(text: str, name: SongName) -> None:
    decided = ask(text, song("Snow", "Red Hot Chili Peppers", 90), Candidate(name, 0.0, popularity=3))
    assert decided.decision is Decision.SURE
    assert decided.candidates[0].name == name


def test_karaoke_asked_for_in_a_word_comes_first() -> None:
    decided = ask("snow karaoke", song("Snow", "Red Hot Chili Peppers", 90), song("Snow", "Party Tyme Karaoke", 3))
    assert decided.candidates[0].name.artist == "Party Tyme Karaoke"


@pytest.mark.parametrize("nobody", ["[unknown]", "[Unknown]", "<unknown>"])
def test_a_record_by_nobody_is_no_song(nobody: str) -> None:
    decided = ask("Hello", song("Hello", nobody, listeners=9_000_000), song("Hello", "Unknown", listeners=9_000))
    assert [one.name.artist for one in decided.candidates] == ["Unknown"]
