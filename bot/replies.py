"""Turns answers into platform-free replies; the adapters only dress them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from urllib.parse import quote_plus

from bot import words
from bot.reply import Choice, Line, LineKind, Link, Picture, Reply, ResultCode, text_reply
from bot.throttle import Ruling, Scope
from core.age import ago
from core.domain import (
    Ambiguous,
    Assessment,
    Block,
    Candidate,
    FeatureValue,
    NotFound,
    Origin,
    Prediction,
    Reason,
    RecordedPopularity,
    Song,
    SongName,
    Verdict,
)
from core.history import song_token
from core.model.display import percent

TAGS_SHOWN: Final = 4
"""Tags named in an answer; more are noise."""


def day(moment: datetime) -> str:
    """Write a date, "22 Nov 2026"."""
    return f"{moment.day} {moment:%b %Y}"


def prediction_reply(prediction: Prediction, now: datetime, picture: Picture | None = None) -> Reply:
    """Say an answer: headline, song, meaning, recorded popularity, figures, reasons, source; what is unknown is not."""
    song = prediction.song
    return Reply(
        code=ResultCode.PREDICTED,
        lines=prediction_lines(prediction, now),
        title_url=song.url,
        verdict=prediction.assessment.verdict,
        prediction=prediction,
        links=song_links(song),
        token=song_token(song.name),
        choices=_choices(prediction.others),
        picture=picture,
    )


def prediction_lines(prediction: Prediction, now: datetime) -> tuple[Line, ...]:
    """Say an answer line by line."""
    assessment, song = prediction.assessment, prediction.song
    known = {
        block: [_figure(feature) for feature in assessment.features if feature.block is block]
        for block in (Block.TRACK, Block.ARTIST, Block.AUDIO, Block.AGE, None)
    }
    tags = (assessment.tags or song.genres)[:TAGS_SHOWN]
    artist = [*known[Block.ARTIST], *([words.TAGS.format(tags=", ".join(tags))] if tags else [])]
    lines = [
        Line(LineKind.HEADLINE, headline(assessment)),
        Line(LineKind.SONG, str(song.name)),
        Line(LineKind.MEANING, meaning(assessment)),
        _popularity(prediction.popularity, assessment.verdict),
        _figures(LineKind.TRACK, known[Block.TRACK]),
        _figures(LineKind.ARTIST, artist),
        _figures(LineKind.AUDIO, known[Block.AUDIO]),
        _figures(LineKind.OTHERS, [*known[Block.AGE], *known[None]]),
        _reasons(assessment.reasons),
        Line(LineKind.SOURCE, source_line(prediction, now)),
        Line(LineKind.DOUBT, words.NOT_MEANT_PICK) if prediction.others else None,
    ]
    return tuple(line for line in lines if line is not None)


def headline(assessment: Assessment) -> str:
    """Say the verdict with its shape and the confidence, "▲ Popular · 92.3 %"."""
    return words.HEADLINE.format(
        shape=words.SHAPES[assessment.verdict],
        verdict=assessment.verdict.value,
        confidence=percent(assessment.probability),
    )


def meaning(assessment: Assessment) -> str:
    """Say what the confidence means, beside the share of popular songs among all."""
    return words.MEANING.format(
        share=round(assessment.probability * 100),
        base=round(assessment.base_rate * 100),
    )


def source_line(prediction: Prediction, now: datetime) -> str:
    """Say where the figures are from, how old they are and which model judged them."""
    source = prediction.source
    templates = {
        Origin.LASTFM: (words.SOURCE_LIVE, words.SOURCE_STALE),
        Origin.RECORDED: (words.SOURCE_RECORDED, words.SOURCE_RECORDED_STALE),
        Origin.CATALOGUE: (words.SOURCE_CATALOGUE, words.SOURCE_CATALOGUE_STALE),
    }[source.origin]
    return templates[source.stale].format(
        origin=source.origin.value,
        age=ago(source.as_of, now),
        month=f"{source.as_of:%B %Y}",
        year=source.as_of.year,
        model_date=day(prediction.assessment.trained_at),
    )


def popularity_words(popularity: RecordedPopularity, verdict: Verdict) -> str:
    """Say what the popularity once was, and when the verdict says otherwise."""
    template = words.POPULARITY_RERELEASE if popularity.rerelease else words.POPULARITY
    if popularity.contradicts(verdict):
        then, not_then = words.POPULARITY_CONTRADICTS
        template = then if verdict is Verdict.NOT_POPULAR else not_then
    return template.format(value=popularity.value, year=popularity.year)


def why_reply(prediction: Prediction) -> Reply:
    """Explain one answer in words: the pushes, what was known, the base rate, how such answers fare."""
    assessment = prediction.assessment
    ups = [reason.text for reason in assessment.reasons if reason.push > 0]
    downs = [reason.text for reason in assessment.reasons if reason.push < 0]
    unknown = [block for block in Block if block not in assessment.view]
    record = assessment.record
    source = prediction.source
    texts = [
        words.WHY_CATALOGUE.format(year=source.as_of.year) if source.origin is Origin.CATALOGUE else "",
        words.WHY_UP.format(labels=_listed(ups)) if ups else "",
        words.WHY_DOWN.format(labels=_listed(downs)) if downs else "",
        words.WHY_KNOWN.format(blocks=_blocks(assessment.view)) if assessment.view else "",
        words.WHY_UNKNOWN.format(blocks=_blocks(unknown)) if unknown else "",
        words.WHY_BASE.format(base=percent(assessment.base_rate)),
    ]
    if record is not None:
        texts.append(
            words.WHY_RECORD.format(
                n=f"{record.n_songs:,}", verdict=record.verdict.value, share=percent(record.share_popular)
            )
        )
    title = words.WHY_TITLE.format(confidence=percent(assessment.probability), name=prediction.song.name)
    return text_reply(ResultCode.EXPLAINED, *texts, title=title, private=True)


def ambiguous_reply(ambiguous: Ambiguous, against: SongName | None = None) -> Reply:
    """Offer the songs that may be meant; ``against`` is what the picked one is to be compared with."""
    choices = _choices(ambiguous.candidates)
    lines = (Line(LineKind.TEXT, words.DID_YOU_MEAN),)
    return Reply(
        code=ResultCode.AMBIGUOUS,
        lines=lines,
        choices=choices,
        candidates=ambiguous.candidates,
        against=None if against is None else song_token(against),
        private=True,
    )


def not_found_reply(missing: NotFound) -> Reply:
    """Say what was searched in vain and what to try."""
    names = "; ".join(map(str, missing.suggestions))
    reply = text_reply(
        ResultCode.NOT_FOUND,
        words.NOT_FOUND.format(query=missing.query.text),
        words.NOT_FOUND_SUGGESTIONS.format(names=names) if names else "",
        words.KEY_MISSING if missing.key_missing else words.NOT_FOUND_EXAMPLE,
        private=True,
    )
    return replace(reply, suggestions=missing.suggestions)


def limited_reply(ruling: Ruling) -> Reply:
    """Say whose limit was met and when it frees."""
    one, many = words.SECONDS
    seconds = (one if ruling.wait_s == 1 else many).format(n=ruling.wait_s)
    template = words.LIMITED_CHAT if ruling.scope is Scope.CHAT else words.LIMITED_USER
    return text_reply(ResultCode.LIMITED, template.format(seconds=seconds), private=True)


def song_links(song: Song) -> tuple[Link, ...]:
    """List where to read about or hear the song."""
    searched = quote_plus(f"{song.title} {song.artist}", errors="replace")
    links = [Link(words.LINK_LASTFM, song.url)] if song.url else []
    links.append(Link(words.LINK_SPOTIFY, f"https://open.spotify.com/search/{searched.replace('+', '%20')}"))
    links.append(Link(words.LINK_YOUTUBE, f"https://www.youtube.com/results?search_query={searched}"))
    return tuple(links)


def _choices(candidates: Sequence[Candidate]) -> tuple[Choice, ...]:
    return tuple(
        Choice(
            str(candidate.name)
            if candidate.listeners is None
            else words.CANDIDATE_LISTENERS.format(name=candidate.name, listeners=f"{candidate.listeners:,}"),
            song_token(candidate.name),
        )
        for candidate in candidates
    )


def _figure(feature: FeatureValue) -> str:
    template = words.FIGURE if feature.standing is None else words.FIGURE_RANKED
    label = feature.label[:1].lower() + feature.label[1:]
    return template.format(label=label, value=feature.display, standing=feature.standing)


def _figures(kind: LineKind, figures: Sequence[str]) -> Line | None:
    """Join figures into a line that begins with a capital; None if there are none."""
    text = " · ".join(figures)
    return Line(kind, text[:1].upper() + text[1:]) if figures else None


def _popularity(popularity: RecordedPopularity | None, verdict: Verdict) -> Line | None:
    return None if popularity is None else Line(LineKind.POPULARITY, popularity_words(popularity, verdict))


def _reasons(reasons: Sequence[Reason]) -> Line | None:
    if not reasons:
        return None
    ranked = sorted(reasons, key=lambda reason: -abs(reason.push))[:3]
    pushes = [(words.PUSH_UP if reason.push > 0 else words.PUSH_DOWN).format(label=reason.text) for reason in ranked]
    return Line(LineKind.WHY, words.WHY_LINE.format(reasons=" · ".join(pushes)))


def _listed(labels: Sequence[str]) -> str:
    """Join labels that may hold commas themselves."""
    return "; ".join(labels)


def _blocks(blocks: Sequence[Block]) -> str:
    return ", ".join(words.BLOCK_NAMES[block] for block in blocks)
