from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from bot import messages
from bot.rankings import artist_not_found_reply, ranking_reply
from bot.reply import LineKind, ResultCode, token_of
from core.domain import ArtistNotFound, Origin, Source, Surprise, Verdict
from tests.fakes.predictor import NOW, ranking

MADE = ranking("The Weeknd")


def texts(kind: LineKind, made=MADE) -> list[str]:
    return [line.text for line in ranking_reply(made, NOW).lines if line.kind is kind]


def test_it_names_the_likeliest_and_lists_ten_with_the_listeners() -> None:
    reply = ranking_reply(MADE, NOW)
    assert reply.code is ResultCode.RANKED
    assert reply.title == "The Weeknd: 30 songs by their chance to be popular"
    assert reply.verdict is Verdict.POPULAR
    assert texts(LineKind.HEADLINE) == ["The likeliest hit is Song 1, at 93.0 %."]
    rows = texts(LineKind.RANK)
    assert len(rows) == 10
    assert rows[0] == "1. ▲ 93.0 % · Song 1 · 999K listeners"
    assert texts(LineKind.SOURCE) == ["Last.fm, just now · model of 22 Nov 2026"]


def test_each_song_can_be_opened() -> None:
    choices = ranking_reply(MADE, NOW).choices
    assert [choice.label for choice in choices[:2]] == ["Song 1 · 93.0 %", "Song 2 · 91.0 %"]
    assert [choice.token for choice in choices] == [token_of(one.song.name) for one in MADE.songs]


def test_the_surprise_is_said_both_ways_and_left_out_if_there_is_none() -> None:
    assert texts(LineKind.TEXT) == [
        "The surprise is Song 3: only number 20 by listeners, but number 3 by its chance (89.0 %)."
    ]
    low = replace(MADE, surprise=Surprise(MADE.songs[29], 2, 30))
    assert texts(LineKind.TEXT, low) == [
        "The surprise is Song 30: number 2 by listeners, but only number 30 by its chance (35.0 %)."
    ]
    assert texts(LineKind.TEXT, replace(MADE, surprise=None)) == []


def test_songs_without_figures_among_others_are_told_of() -> None:
    songs = tuple(replace(one, song=replace(one.song, listeners=None)) for one in MADE.songs)
    catalogue = Source(Origin.CATALOGUE, datetime(2022, 10, 15, tzinfo=UTC))
    mixed = replace(MADE, songs=(*MADE.songs[:3], *songs[3:]), source=catalogue)
    assert messages.RANKING_UNLIKE[1].format(n=27) in texts(LineKind.DOUBT, mixed)
    assert texts(LineKind.SOURCE, mixed) == ["Last.fm, recorded, not live · model of 22 Nov 2026"]
    bare = replace(MADE, songs=songs, source=catalogue)
    assert texts(LineKind.DOUBT, bare) == [messages.RANKING_NOTE]
    assert texts(LineKind.SOURCE, bare) == ["Recorded 2022, no listener figures · model of 22 Nov 2026"]
    assert texts(LineKind.RANK, bare)[0] == "1. ▲ 93.0 % · Song 1"


def test_an_unknown_artist_is_told_with_what_is_near_and_how_to_ask() -> None:
    reply = artist_not_found_reply(ArtistNotFound("Nobody", ("Nobody Known",)))
    assert (reply.code, reply.private) == (ResultCode.NOT_FOUND, True)
    assert reply.text.splitlines() == [
        "I found no artist like “Nobody”.",
        "The nearest I know: Nobody Known.",
        "Ask like this: /artist The Weeknd",
    ]
    assert "Last.fm key" in artist_not_found_reply(ArtistNotFound("Nobody", key_missing=True)).text
