from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.replies import (
    ambiguous_reply,
    comparison_reply,
    meaning,
    model_reply,
    not_found_reply,
    prediction_lines,
    prediction_reply,
    record_words,
    song_links,
    why_reply,
)
from bot.reply import LineKind, ResultCode
from core.domain import (
    Ambiguous,
    Assessment,
    BandRecord,
    Block,
    Candidate,
    FeatureValue,
    ModelReport,
    NotFound,
    Origin,
    Prediction,
    Reading,
    Reason,
    RecordedPopularity,
    ReportRow,
    Song,
    SongName,
    SongQuery,
    Source,
    Verdict,
    VerdictBands,
)
from core.predictor import Comparison

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ASSESSMENT = Assessment(
    probability=0.923,
    verdict=Verdict.POPULAR,
    features=(
        FeatureValue("listeners", "Listeners", 2_275_434, "listeners", 99.4, Block.TRACK),
        FeatureValue("plays_per_listener", "Plays per listener", 16.4, "plays per listener", None, Block.TRACK),
        FeatureValue("artist_listeners", "Artist's listeners", 4_512_003, "listeners", 99.9, Block.ARTIST),
        FeatureValue("duration_ms", "Length", 200_040, "ms", 38.0),
    ),
    reasons=(
        Reason("listeners", "listeners", 2.1),
        Reason("artist", "the artist's audience", 1.0),
        Reason("duration_ms", "long for a hit", -0.2),
    ),
    view=(Block.TRACK, Block.ARTIST, Block.TAGS),
    bands=VerdictBands(),
    base_rate=0.117,
    trained_at=datetime(2026, 11, 22, tzinfo=UTC),
    record=BandRecord(Verdict.POPULAR, 0.84, 4_321),
    tags=("synthpop", "pop"),
)
SONG = Song(
    title="Blinding Lights",
    artist="The Weeknd",
    tags=("one troll's joke", "synthpop", "pop"),
    url="https://www.last.fm/music/The+Weeknd/_/Blinding+Lights",
)
PREDICTION = Prediction(song=SONG, assessment=ASSESSMENT, source=Source(Origin.LASTFM, NOW - timedelta(minutes=2)))


def test_an_answer_reads_in_the_agreed_order() -> None:
    assert prediction_reply(PREDICTION, NOW).text == (
        "▲ Popular · 92.3 %\n"
        "Blinding Lights — The Weeknd\n"
        "About 92 of 100 songs with figures like these are popular; of all songs, 12 % are.\n"
        "Listeners 2,275,434 (top 1 %) · Artist's listeners 4,512,003 (top 1 %)\n"
        "Length 3:20 (bottom 38 %)\n"
        "Why: ↑ listeners · ↑ the artist's audience · ↓ long for a hit\n"
        "Last.fm, 2 minutes ago · model of 22 Nov 2026"
    )


def test_what_is_unknown_is_left_out() -> None:
    assessment = replace(ASSESSMENT, features=(), tags=())
    bare = replace(PREDICTION, song=replace(SONG, tags=(), url=None), assessment=assessment)
    kinds = [line.kind for line in prediction_lines(bare, NOW)]
    assert kinds == [LineKind.HEADLINE, LineKind.SONG, LineKind.MEANING, LineKind.WHY, LineKind.SOURCE]
    assert [link.label for link in song_links(bare.song)] == ["Spotify", "YouTube"]


def test_stale_and_recorded_figures_say_so() -> None:
    stale = replace(PREDICTION, source=Source(Origin.LASTFM, NOW - timedelta(hours=7), stale=True))
    recorded = replace(PREDICTION, source=Source(Origin.RECORDED, datetime(2025, 4, 1, tzinfo=UTC)))
    assert prediction_lines(stale, NOW)[-1].text.startswith("Last.fm is not answering; figures from 7 hours ago")
    assert prediction_lines(recorded, NOW)[-1].text.startswith("Last.fm, recorded in April 2025, not live")


def test_why_tells_pushes_what_was_known_and_how_such_answers_fare() -> None:
    reasons = (
        Reason("listeners", "few listeners", -1.0, 494, "listeners"),
        Reason("artist_listeners", "big artist", 0.6, 4_512_003, "listeners"),
        Reason("tags", "tags: {names}", 0.5, names=("synthpop", "pop")),
    )
    reply = why_reply(replace(PREDICTION, assessment=replace(ASSESSMENT, reasons=reasons)))
    assert reply.private
    assert reply.title == "Why 92.3 % for Blinding Lights — The Weeknd"
    assert reply.text.splitlines() == [
        "Speaks for it: big artist (4.5M listeners); tags: synthpop, pop.",
        "Speaks against it: few listeners (494).",
        "Known: the song's own listeners and plays, the artist's audience and tags.",
        "Not known: genres, how it sounds and when it came out.",
        "Of all songs of the catalogue 11.7 % are popular; of those that people ask for, most are.",
        "When I say Popular, I am right 84 times in 100.",
        "Listeners 2,275,434 (top 1 %) · Plays per listener 16.4 · Artist's listeners 4,512,003 (top 1 %)",
        "Length 3:20 (bottom 38 %)",
        "Tags: synthpop, pop",
        "Figures from Last.fm.",
    ]


@pytest.mark.parametrize(
    ("probability", "sentence"),
    [
        (0.0, "Hardly one in 1,000 songs with figures like these is popular; of all songs, 12 % are."),
        (0.0014, "About 1 of 1,000 songs with figures like these is popular; of all songs, 12 % are."),
        (0.004, "About 4 of 1,000 songs with figures like these are popular; of all songs, 12 % are."),
        (0.0062, "About 1 of 100 songs with figures like these is popular; of all songs, 12 % are."),
        (0.993, "About 99 of 100 songs with figures like these are popular; of all songs, 12 % are."),
        (0.9962, "About 996 of 1,000 songs with figures like these are popular; of all songs, 12 % are."),
        (1.0, "More than 999 of 1,000 songs with figures like these are popular; of all songs, 12 % are."),
    ],
)
def test_the_meaning_never_says_none_or_all(probability: float, sentence: str) -> None:
    assert meaning(replace(ASSESSMENT, probability=probability)) == sentence


@pytest.mark.parametrize(
    ("verdict", "share", "sentence"),
    [
        (Verdict.POPULAR, 0.84, "When I say Popular, I am right 84 times in 100."),
        (Verdict.MEDIUM, 0.55, "When I say Medium, 55 in 100 songs turn out popular."),
        (Verdict.NOT_POPULAR, 0.05, "When I say Not popular, I am right 95 times in 100."),
        (Verdict.NOT_POPULAR, 0.001, "When I say Not popular, I am right 99 times in 100."),
    ],
)
def test_how_a_verdict_fared_is_told_by_how_often_it_was_right(verdict: Verdict, share: float, sentence: str) -> None:
    assert record_words(BandRecord(verdict, share, 4_321)) == sentence


def test_last_fm_is_named_wherever_its_figures_are() -> None:
    catalogue = replace(PREDICTION, source=Source(Origin.CATALOGUE, NOW))
    recorded = replace(PREDICTION, source=Source(Origin.RECORDED, NOW))
    assert "Last.fm" in prediction_reply(recorded, NOW).text
    assert "Last.fm" in why_reply(recorded).text
    assert "Last.fm" in comparison_reply(Comparison(recorded, catalogue)).text
    assert "Last.fm" not in why_reply(catalogue).text
    counted = Candidate(SongName("Hello", "Adele"), 100, listeners=1)
    query = SongQuery("hello", (Reading("hello"),))
    assert ambiguous_reply(Ambiguous(query, (counted,))).lines[-1].text == "Figures from Last.fm."
    assert ambiguous_reply(Ambiguous(query, (counted,))).choices[0].label == "Hello — Adele · 1 listener"
    assert len(ambiguous_reply(Ambiguous(query, (replace(counted, listeners=None),))).lines) == 1


def test_how_good_the_model_is_takes_four_sentences_and_the_rest_when_asked_for() -> None:
    report = ModelReport(
        trained_at=NOW,
        n_songs=21_912,
        base_rate=0.781,
        rows=(ReportRow("A live question", 0.79, 0.918, None, 0.8, 0.1, 0.014),),
        bands=(
            BandRecord(Verdict.POPULAR, 0.9, 15_000),
            BandRecord(Verdict.MEDIUM, 0.6, 4_000),
            BandRecord(Verdict.NOT_POPULAR, 0.25, 2_912),
        ),
        verdict_bands=VerdictBands(),
        calibration=(),
        limits=("Some songs look smaller than they are.",),
        ranked_right=0.79,
        ranked_right_by_plays=0.736,
    )
    short = model_reply(report)
    assert [line.text for line in short.lines if line.kind is LineKind.TEXT] == [
        "I was tested on 21,912 songs by artists I had never met; 78.1 % of them are popular: 60 or more of 100 on "
        "Spotify.",
        "When I say Popular, I am right 90 times in 100.",
        "When I say Not popular, I am right 75 times in 100.",
        "Given a popular song and another one, I put the popular one first 79 times in 100; Last.fm's plays alone do "
        "so 74 times.",
        "The full table, and what I cannot know: /model full",
    ]
    full = model_reply(report, full=True)
    assert "Medium: 60.0 % really were popular (songs: 4,000)." in full.text
    assert "What it cannot know: Some songs look smaller than they are." in full.text
    (table,) = (line.cells for line in full.lines if line.kind is LineKind.TABLE)
    assert table[1] == ("A live question", "0.790", "0.918", "–", "0.800", "0.100", "0.014")


def test_candidates_become_choices_with_their_own_tokens() -> None:
    query = SongQuery("hello", (Reading("hello"),))
    candidates = (
        Candidate(SongName("Hello", "Adele"), 100, listeners=1_900_000),
        Candidate(SongName("Hello", "Lionel Richie"), 100),
    )
    reply = ambiguous_reply(Ambiguous(query, candidates))
    assert reply.code is ResultCode.AMBIGUOUS
    assert [choice.label for choice in reply.choices] == [
        "Hello — Adele · 1,900,000 listeners",
        "Hello — Lionel Richie",
    ]
    assert len({choice.token for choice in reply.choices}) == 2


def test_not_found_says_what_was_searched_and_what_to_do() -> None:
    query = SongQuery("blindng lihgts", (Reading("blindng lihgts"),))
    plain = not_found_reply(NotFound(query, (SongName("Blinding Lights", "The Weeknd"),)))
    assert "“blindng lihgts”" in plain.text
    assert "The nearest I know: Blinding Lights — The Weeknd." in plain.text
    assert "Blinding Lights - The Weeknd" in plain.text
    keyless = not_found_reply(NotFound(query, key_missing=True))
    assert "LASTFM_API_KEY" in keyless.text


def test_links_survive_any_title() -> None:
    wild = Song(title='A&B "C" #1 / ?x=y\ud800', artist="日本語")
    urls = [link.url for link in song_links(wild)]
    assert all(url.isascii() and '"' not in url and " " not in url for url in urls)
    assert "A%26B" in urls[0]


def popularity_line(popularity: RecordedPopularity, verdict: Verdict) -> str:
    prediction = replace(PREDICTION, assessment=replace(ASSESSMENT, verdict=verdict), popularity=popularity)
    (said,) = (line.text for line in prediction_lines(prediction, NOW) if line.kind is LineKind.POPULARITY)
    return said


def test_the_recorded_popularity_is_a_line_that_says_when_it_disagrees() -> None:
    then, not_then = RecordedPopularity(71, 2022), RecordedPopularity(30, 2022)
    plain = "Spotify popularity 71 of 100 in 2022"
    assert popularity_line(then, Verdict.POPULAR) == popularity_line(then, Verdict.MEDIUM) == plain
    assert popularity_line(then, Verdict.NOT_POPULAR) == f"{plain}: it was popular then, unlike the verdict"
    assert popularity_line(not_then, Verdict.NOT_POPULAR) == "Spotify popularity 30 of 100 in 2022"
    assert popularity_line(not_then, Verdict.POPULAR).endswith(": it was not popular then, unlike the verdict")
    rerelease = popularity_line(replace(not_then, rerelease=True), Verdict.POPULAR)
    assert rerelease == "Spotify popularity 30 of 100 in 2022, of a compilation with it"
    assert all(line.kind is not LineKind.POPULARITY for line in prediction_lines(PREDICTION, NOW))


def test_an_answer_of_the_catalogue_alone_says_so() -> None:
    source = Source(Origin.CATALOGUE, datetime(2022, 10, 15, tzinfo=UTC))
    alone = replace(PREDICTION, source=source)
    assert prediction_lines(alone, NOW)[-1].text == "Recorded 2022, no listener figures · model of 22 Nov 2026"
    down = replace(alone, source=replace(source, stale=True))
    assert prediction_lines(down, NOW)[-1].text.startswith("Last.fm is not answering; recorded 2022, no listener fig")
    assert "Answered from the song catalogue alone: recorded 2022, no listener figures." in why_reply(alone).text
    assert "catalogue alone" not in why_reply(PREDICTION).text
