from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain import Reading
from core.errors import EmptyQuery, LinkSaysNothing, QueryError, QueryTooLong
from core.limits import QUERY_MAX_CHARS
from core.query import READINGS_MAX, parse_artist, parse_query, query_of

BLINDING = Reading("Blinding Lights", "The Weeknd")


def first(text: str) -> Reading:
    return parse_query(text).readings[0]


@pytest.mark.parametrize("dash", ["-", "–", "—", "―", "‐", "‑", "‒", "−", "⁃", "﹣", "－", "~", "--", "---"])
def test_every_dash_parts_title_and_artist(dash: str) -> None:
    query = parse_query(f"Blinding Lights {dash} The Weeknd")
    assert query.readings[:2] == (BLINDING, Reading("The Weeknd", "Blinding Lights"))


@pytest.mark.parametrize(
    "text",
    [
        "Blinding Lights | The Weeknd",
        "Blinding Lights by The Weeknd",
        "Blinding Lights performed by The Weeknd",
        '"Blinding Lights" The Weeknd',
        "“Blinding Lights” by The Weeknd",
        "„Blinding Lights“ - The Weeknd",
        "«Blinding Lights» The Weeknd",
        "‘Blinding Lights’ The Weeknd",
        "'Blinding Lights' by The Weeknd",
        "The Weeknd “Blinding Lights”",
        "Blinding Lights—The Weeknd",
        "Blinding Lights- The Weeknd",
        "- Blinding Lights - The Weeknd",
        "Blinding Lights\nThe Weeknd",
        "Blinding Lights (Official Video) - The Weeknd",
        "The Weeknd - Blinding Lights (Official Video)",
        "The Weeknd - Blinding Lights (Official Video) | XO Records",
        "Blinding Lights feat. Rosalía - The Weeknd",
        "Blinding Lights (ft. Rosalía) - The Weeknd",
        "Blinding Lights - The Weeknd feat. Rosalía",
        "Blinding Lights - 2020 Remaster - The Weeknd",
        "The Weeknd - Blinding Lights - Remastered 2020",
        "🔥 Blinding Lights 🔥 - The Weeknd 👍🏽",
        "**Blinding Lights** - *The Weeknd*",
        "/predict Blinding Lights - The Weeknd",
        "/predict@hitmeter_bot Blinding Lights - The Weeknd",
        "<@1234567890> Blinding Lights - The Weeknd",
        "Blin\u200bding\u202e Lights - The\u00a0Weeknd\x00",
        "  Blinding   Lights  -  The Weeknd  ",
    ],
)
def test_every_form_gives_the_song_first(text: str) -> None:
    assert first(text) == BLINDING


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("Anti-Hero", Reading("Anti-Hero")),
        ("Self-Esteem - The Offspring", Reading("Self-Esteem", "The Offspring")),
        ("99 Problems - Jay-Z", Reading("99 Problems", "Jay-Z")),
        ("Stand by Me", Reading("Stand by Me")),
        ("Stand by Me by Ben E. King", Reading("Stand by Me", "Ben E. King")),
        ("Stand By Me - Ben E. King", Reading("Stand By Me", "Ben E. King")),
        ("Down by the River", Reading("Down by the River")),
        ("Side by Side", Reading("Side by Side")),
        ("From Me to You - The Beatles", Reading("From Me to You", "The Beatles")),
        ("Hello, Goodbye", Reading("Hello, Goodbye")),
        ("'Till I Collapse - Eminem", Reading("'Till I Collapse", "Eminem")),
        ("Don't Stop Me Now - Queen", Reading("Don't Stop Me Now", "Queen")),
        ("Sweet Child O' Mine - Guns N' Roses", Reading("Sweet Child O' Mine", "Guns N' Roses")),
        ("...Baby One More Time - Britney Spears", Reading("...Baby One More Time", "Britney Spears")),
        ("÷ - Ed Sheeran", Reading("÷", "Ed Sheeran")),
        ("Must Be the Moon - !!!", Reading("Must Be the Moon", "!!!")),
        ("Ghost - Acoustic", Reading("Ghost - Acoustic")),
        ("Blinding Lights - Remix - The Weeknd", Reading("Blinding Lights - Remix", "The Weeknd")),
        ("「夜に駆ける」YOASOBI", Reading("夜に駆ける", "YOASOBI")),
        ("夜に駆ける", Reading("夜に駆ける")),
        ("Группа крови — Кино", Reading("Группа крови", "Кино")),
        ("चम्मक छल्लो - अकॉन", Reading("चम्मक छल्लो", "अकॉन")),
        ("بنی آدم - Coldplay", Reading("بنی آدم", "Coldplay")),
        ('David Bowie - "Heroes" (2017 Remaster)', Reading("Heroes", "David Bowie")),
    ],
)
def test_titles_survive(text: str, reading: Reading) -> None:
    assert reading in parse_query(text).readings[:2]


def test_a_name_that_may_be_title_or_artist_is_read_both_ways() -> None:
    assert set(parse_query("The Beatles - From Me to You").readings) >= {
        Reading("The Beatles", "From Me to You"),
        Reading("From Me to You", "The Beatles"),
    }
    assert Reading("Lightning Crashes", "Live") in parse_query("Lightning Crashes - Live").readings
    assert Reading("Stand", "Me") in parse_query("Stand by Me").readings


def test_guests_without_a_separator_stay_as_words() -> None:
    assert parse_query("Bloodstream feat. Someone twocolors").readings == (
        Reading("Bloodstream Someone twocolors"),
        Reading("Bloodstream"),
    )


def test_an_artist_behind_guests_is_not_lost() -> None:
    readings = parse_query("Black Water feat. Rihanna by Time, The Valuator").readings
    assert readings[0] == Reading("Black Water", "Time, The Valuator")


@pytest.mark.parametrize(
    "text", ["", "   ", "\u200b\u200e\u202e", "🔥🔥", "---", "!!!", '""', "/predict", "\x00\x07", "| | |"]
)
def test_nothing_is_said_to_be_empty(text: str) -> None:
    with pytest.raises(EmptyQuery):
        parse_query(text)


def test_length_counts_what_can_be_seen() -> None:
    assert parse_query("x" * QUERY_MAX_CHARS).text == "x" * QUERY_MAX_CHARS
    assert parse_query("\u200b" * 500 + "x" * QUERY_MAX_CHARS).readings
    with pytest.raises(QueryTooLong):
        parse_query("x" * (QUERY_MAX_CHARS + 1))


def test_accents_apart_from_their_letters_are_put_together() -> None:
    assert parse_query("Mi Nin\u0303a - Wisin") == parse_query("Mi Ni\u00f1a - Wisin")
    assert query_of("Mi Nin\u0303a", "Wisin") == query_of("Mi Ni\u00f1a", "Wisin")
    assert parse_artist("Beyonce\u0301") == "Beyonc\u00e9"


@pytest.mark.parametrize("unit", ["x", "\u200b", "- ", "'", '"a', "http://", "(", " feat. ", "www.a ", "é"])
def test_a_megabyte_is_refused_at_once(unit: str) -> None:
    with pytest.raises(QueryError):
        parse_query(unit * (1_000_000 // len(unit)))


def test_a_telling_link_is_read() -> None:
    assert parse_query("check this https://www.last.fm/music/The+Weeknd/_/Blinding+Lights !").readings == (BLINDING,)


def test_a_search_link_is_read_like_typed_text() -> None:
    text = "https://www.youtube.com/results?search_query=blinding+lights+-+the+weeknd"
    assert first(text) == Reading("blinding lights", "the weeknd")


@pytest.mark.parametrize("around", ["", "check this out: ", "what about this song? ", "🎵 "])
def test_a_mute_link_alone_says_so(around: str) -> None:
    with pytest.raises(LinkSaysNothing) as caught:
        parse_query(f"{around}https://open.spotify.com/track/0VjIjW4GlUZAMYd2vXMi3b?si=1")
    assert caught.value.sentence == "I could not find out which song that link leads to."


def test_a_song_beside_a_mute_link_is_read() -> None:
    assert first("Blinding Lights - The Weeknd https://youtu.be/4NRXx6U8ABQ") == BLINDING
    assert first("Blinding Lights - The Weeknd\nhttps://youtu.be/4NRXx6U8ABQ") == BLINDING


def test_a_long_link_does_not_count() -> None:
    link = "https://www.last.fm/music/The+Weeknd/_/Blinding+Lights?" + "x=1&" * 200
    assert parse_query(link).readings == (BLINDING,)


def test_text_from_a_link_keeps_the_limit() -> None:
    with pytest.raises(QueryTooLong):
        parse_query("https://www.last.fm/music/A/_/" + "b" * 300)


FORMS = (" - ", " — ", " by ", "|", '"', "“", "」", "(", ")", "[", "'", "`", "*", "/ ", "feat. ", "\n", "Blinding")
TRAPS = (
    "https://last.fm/music/",
    "/_/",
    "spotify:track:",
    "\u202e",
    "🔥",
    "%s",
    "<b>",
    "@everyone",
    "';--",
    "夜に",
    "شمس",
)
PIECES = st.sampled_from((*FORMS, *TRAPS))


@given(st.one_of(st.text(max_size=300), st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=20).map("".join)))
@settings(max_examples=400, deadline=None)
def test_any_text_gives_readings_or_a_query_error(text: str) -> None:
    try:
        query = parse_query(text)
    except QueryError:
        return
    assert len(query.text) <= QUERY_MAX_CHARS
    assert query.text.isprintable()
    assert 1 <= len(query.readings) <= READINGS_MAX
    assert len(set(query.readings)) == len(query.readings)
    for reading in query.readings:
        assert 0 < len(reading.title) <= QUERY_MAX_CHARS
        assert reading.title.isprintable()
        assert reading.artist is None or (reading.artist.strip() and reading.artist.isprintable())
        assert any(c.isalnum() for c in reading.title + (reading.artist or ""))


# Hypothesis tries words of the source as well: these letters make none that means anything, such as "featuring".
WORDS = st.text(st.sampled_from("bdgklmnräéñ"), min_size=3, max_size=12)


@given(st.lists(WORDS, min_size=1, max_size=3).map(" ".join), st.lists(WORDS, min_size=1, max_size=3).map(" ".join))
@settings(max_examples=200, deadline=None)
def test_both_orders_are_always_tried(title: str, artist: str) -> None:
    readings = parse_query(f"{title} - {artist}").readings
    assert Reading(title, artist) in readings
    assert Reading(artist, title) in readings
