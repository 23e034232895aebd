"""Says an artist's ranking, or that there is no such artist, as platform-free replies."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bot import messages
from bot.replies import source_line
from bot.reply import Choice, Line, LineKind, Reply, ResultCode, text_reply, token_of
from core.domain import ArtistNotFound, ArtistRanking, Origin, RankedSong, Surprise
from core.errors import HOW_TO_ASK_FOR_ARTIST
from core.language import say, say_plural
from core.text import day, percent, short_count

ROWS_MAX: Final = 10
"""Songs told in words, as many as the picture shows; the others are in the menu."""


def ranking_reply(ranking: ArtistRanking, now: datetime) -> Reply:
    """Say an artist's likeliest songs: the likeliest and the surprise in a sentence each, then ten rows."""
    unlike = sum(one.song.listeners is None for one in ranking.songs)
    likeliest = ranking.songs[0]
    lines = [
        Line(
            LineKind.HEADLINE,
            say(messages.RANKING_LIKELIEST, title=likeliest.song.title, confidence=percent(likeliest.probability)),
        ),
        None if ranking.surprise is None else Line(LineKind.TEXT, _surprise(ranking.surprise)),
        *(Line(LineKind.RANK, _row(place, one)) for place, one in enumerate(ranking.songs[:ROWS_MAX], start=1)),
        Line(LineKind.DOUBT, say_plural(*messages.RANKING_UNLIKE, unlike)) if 0 < unlike < len(ranking.songs) else None,
        Line(LineKind.DOUBT, say(messages.RANKING_NOTE)),
        Line(LineKind.SOURCE, _source(ranking, now)),
    ]
    return Reply(
        code=ResultCode.RANKED,
        lines=tuple(line for line in lines if line is not None),
        title=say_plural(*messages.RANKING_TITLE, len(ranking.songs), artist=ranking.artist),
        verdict=likeliest.verdict,
        ranking=ranking,
        choices=tuple(
            Choice(
                messages.RANKING_CHOICE.format(title=one.song.title, confidence=percent(one.probability)),
                token_of(one.song.name),
            )
            for one in ranking.songs
        ),
    )


def artist_not_found_reply(missing: ArtistNotFound) -> Reply:
    """Say which artist was sought without result and what to try."""
    names = "; ".join(missing.suggestions)
    return text_reply(
        ResultCode.NOT_FOUND,
        say(messages.ARTIST_NOT_FOUND, name=missing.asked),
        say(messages.NOT_FOUND_SUGGESTIONS, names=names) if names else "",
        say(messages.KEY_MISSING if missing.key_missing else HOW_TO_ASK_FOR_ARTIST),
        private=True,
    )


def _source(ranking: ArtistRanking, now: datetime) -> str:
    """Say where the figures are from; a list in which some songs lack them is no plain answer of the catalogue."""
    if ranking.source.origin is Origin.CATALOGUE and any(one.song.listeners is not None for one in ranking.songs):
        template = messages.RANKING_RECORDED_STALE if ranking.source.stale else messages.RANKING_RECORDED
        return say(template, model_date=day(ranking.trained_at))
    return source_line(ranking.source, ranking.trained_at, now)


def _row(place: int, one: RankedSong) -> str:
    row = messages.RANKING_ROW.format(
        place=place, shape=messages.SHAPES[one.verdict], confidence=percent(one.probability), title=one.song.title
    )
    listeners = one.song.listeners
    if listeners is None:
        return row
    return f"{row} · {say_plural(*messages.RANKING_LISTENERS, listeners, n=short_count(listeners))}"


def _surprise(surprise: Surprise) -> str:
    low = surprise.place_by_listeners < surprise.place_by_chance
    template = messages.RANKING_SURPRISE_LOW if low else messages.RANKING_SURPRISE_HIGH
    return say(
        template,
        title=surprise.ranked.song.title,
        by_listeners=surprise.place_by_listeners,
        by_chance=surprise.place_by_chance,
        confidence=percent(surprise.ranked.probability),
    )
