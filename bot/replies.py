"""Turns answers, reports and everything else the bot says into platform-free replies; the adapters only format them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import quote_plus

from bot import messages
from bot.messages import Command, Surface
from bot.rate_limits import RateDecision, Scope
from bot.reply import (
    Choice,
    Line,
    LineKind,
    Link,
    Picture,
    Question,
    Reply,
    ResultCode,
    stored_card,
    text_reply,
    token_of,
)
from core.domain import (
    Ambiguous,
    Assessment,
    Block,
    Candidate,
    FeatureValue,
    ModelReport,
    NotFound,
    Origin,
    Prediction,
    Reason,
    RecordedPopularity,
    ReportRow,
    Song,
    Verdict,
)
from core.predictor import Comparison
from core.text import ago, percent, span

if TYPE_CHECKING:
    from bot.monitoring import Percentiles, Stats

TAGS_SHOWN: Final = 4
"""Tags named in an answer; more are noise."""


def format_date(moment: datetime) -> str:
    """Write a date, "22 Nov 2026"."""
    return f"{moment.day} {moment:%b %Y}"


def prediction_reply(prediction: Prediction, now: datetime) -> Reply:
    """Say an answer: headline, song, meaning, recorded popularity, figures, reasons, source; what is unknown is not."""
    song = prediction.song
    return Reply(
        code=ResultCode.PREDICTED,
        lines=prediction_lines(prediction, now),
        title_url=song.url,
        verdict=prediction.assessment.verdict,
        prediction=prediction,
        links=song_links(song),
        token=token_of(song.name),
        choices=_choices(prediction.others),
    )


def prediction_lines(prediction: Prediction, now: datetime) -> tuple[Line, ...]:
    """Say an answer line by line."""
    assessment, song = prediction.assessment, prediction.song
    known = {
        block: [_figure(feature) for feature in assessment.features if feature.block is block]
        for block in (Block.TRACK, Block.ARTIST, Block.AUDIO, Block.AGE, None)
    }
    tags = (assessment.tags or song.genres)[:TAGS_SHOWN]
    artist = [*known[Block.ARTIST], *([messages.TAGS.format(tags=", ".join(tags))] if tags else [])]
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
        Line(LineKind.DOUBT, messages.NOT_MEANT_PICK) if prediction.others else None,
    ]
    return tuple(line for line in lines if line is not None)


def headline(assessment: Assessment) -> str:
    """Say the verdict with its shape and the confidence, "▲ Popular · 92.3 %"."""
    return messages.HEADLINE.format(
        shape=messages.SHAPES[assessment.verdict],
        verdict=assessment.verdict.value,
        confidence=percent(assessment.probability),
    )


def meaning(assessment: Assessment) -> str:
    """Say what the confidence means, beside the share of popular songs among all."""
    return messages.MEANING.format(
        share=round(assessment.probability * 100),
        base=round(assessment.base_rate * 100),
    )


def source_line(prediction: Prediction, now: datetime) -> str:
    """Say where the figures are from, how old they are and which model judged them."""
    source = prediction.source
    templates = {
        Origin.LASTFM: (messages.SOURCE_LIVE, messages.SOURCE_STALE),
        Origin.RECORDED: (messages.SOURCE_RECORDED, messages.SOURCE_RECORDED_STALE),
        Origin.CATALOGUE: (messages.SOURCE_CATALOGUE, messages.SOURCE_CATALOGUE_STALE),
    }[source.origin]
    return templates[source.stale].format(
        origin=source.origin.value,
        age=ago(source.as_of, now),
        month=f"{source.as_of:%B %Y}",
        year=source.as_of.year,
        model_date=format_date(prediction.assessment.trained_at),
    )


def popularity_words(popularity: RecordedPopularity, verdict: Verdict) -> str:
    """Say what the popularity once was, and when the verdict says otherwise."""
    template = messages.POPULARITY_RERELEASE if popularity.rerelease else messages.POPULARITY
    if popularity.contradicts(verdict):
        then, not_then = messages.POPULARITY_CONTRADICTS
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
        messages.WHY_CATALOGUE.format(year=source.as_of.year) if source.origin is Origin.CATALOGUE else "",
        messages.WHY_UP.format(labels=_listed(ups)) if ups else "",
        messages.WHY_DOWN.format(labels=_listed(downs)) if downs else "",
        messages.WHY_KNOWN.format(blocks=_blocks(assessment.view)) if assessment.view else "",
        messages.WHY_UNKNOWN.format(blocks=_blocks(unknown)) if unknown else "",
        messages.WHY_BASE.format(base=percent(assessment.base_rate)),
    ]
    if record is not None:
        texts.append(
            messages.WHY_RECORD.format(
                n=f"{record.n_songs:,}", verdict=record.verdict.value, share=percent(record.share_popular)
            )
        )
    title = messages.WHY_TITLE.format(confidence=percent(assessment.probability), name=prediction.song.name)
    return text_reply(ResultCode.EXPLAINED, *texts, title=title, private=True)


def ambiguous_reply(ambiguous: Ambiguous, against: Question | None = None) -> Reply:
    """Offer the songs that may be meant; ``against`` is what the picked one is to be compared with."""
    choices = _choices(ambiguous.candidates)
    lines = (Line(LineKind.TEXT, messages.DID_YOU_MEAN),)
    return Reply(
        code=ResultCode.AMBIGUOUS,
        lines=lines,
        choices=choices,
        candidates=ambiguous.candidates,
        against=against,
        private=True,
    )


def not_found_reply(missing: NotFound) -> Reply:
    """Say what was searched without result and what to try."""
    names = "; ".join(map(str, missing.suggestions))
    reply = text_reply(
        ResultCode.NOT_FOUND,
        messages.NOT_FOUND.format(query=missing.query.text),
        messages.NOT_FOUND_SUGGESTIONS.format(names=names) if names else "",
        messages.KEY_MISSING if missing.key_missing else messages.NOT_FOUND_EXAMPLE,
        private=True,
    )
    return replace(reply, suggestions=missing.suggestions)


def limited_reply(decision: RateDecision) -> Reply:
    """Say whose limit was met and when it frees."""
    one, many = messages.SECONDS
    seconds = (one if decision.wait_s == 1 else many).format(n=decision.wait_s)
    template = messages.LIMITED_CHAT if decision.scope is Scope.CHAT else messages.LIMITED_USER
    return text_reply(ResultCode.LIMITED, template.format(seconds=seconds), private=True)


def song_links(song: Song) -> tuple[Link, ...]:
    """List where to read about or hear the song."""
    searched = quote_plus(f"{song.title} {song.artist}", errors="replace")
    links = [Link(messages.LINK_LASTFM, song.url)] if song.url else []
    links.append(Link(messages.LINK_SPOTIFY, f"https://open.spotify.com/search/{searched.replace('+', '%20')}"))
    links.append(Link(messages.LINK_YOUTUBE, f"https://www.youtube.com/results?search_query={searched}"))
    return tuple(links)


def _choices(candidates: Sequence[Candidate]) -> tuple[Choice, ...]:
    return tuple(
        Choice(
            str(candidate.name)
            if candidate.listeners is None
            else messages.CANDIDATE_LISTENERS.format(name=candidate.name, listeners=f"{candidate.listeners:,}"),
            token_of(candidate.name),
        )
        for candidate in candidates
    )


def _figure(feature: FeatureValue) -> str:
    template = messages.FIGURE if feature.standing is None else messages.FIGURE_RANKED
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
    pushes = [
        (messages.PUSH_UP if reason.push > 0 else messages.PUSH_DOWN).format(label=reason.text) for reason in ranked
    ]
    return Line(LineKind.WHY, messages.WHY_LINE.format(reasons=" · ".join(pushes)))


def _listed(labels: Sequence[str]) -> str:
    """Join labels that may hold commas themselves."""
    return "; ".join(labels)


def _blocks(blocks: Sequence[Block]) -> str:
    return ", ".join(messages.BLOCK_NAMES[block] for block in blocks)


CALIBRATION_NAME: Final = "hitmeter-calibration.png"
"""File name of the model's picture."""

COLUMNS: Final = (
    ("ROC-AUC", "roc_auc"),
    ("avg. prec.", "average_precision"),
    ("F1", "f1"),
    ("accuracy", "accuracy"),
    ("Brier", "brier"),
    ("ECE", "ece"),
)
"""Heading and attribute of each metric in the honest table."""


def comparison_reply(comparison: Comparison) -> Reply:
    """Say which of two songs is the likelier hit, then each one's verdict."""
    first, second = comparison.first, comparison.second
    winner = comparison.winner
    shown_first, shown_second = percent(first.assessment.probability), percent(second.assessment.probability)
    if winner is None:
        outcome = messages.COMPARE_DRAW.format(first=shown_first)
    else:
        higher, lower = (shown_first, shown_second) if winner is first else (shown_second, shown_first)
        outcome = messages.COMPARE_WINNER.format(winner=winner.song.name, first=higher, second=lower)
    lines = (
        Line(LineKind.HEADLINE, outcome),
        Line(LineKind.SONG, _one_line(first)),
        Line(LineKind.SONG, _one_line(second)),
        *_unlike(first, second),
    )
    verdict = (winner or first).assessment.verdict
    return Reply(code=ResultCode.COMPARED, lines=lines, verdict=verdict, compared=(first, second))


def _unlike(first: Prediction, second: Prediction) -> tuple[Line, ...]:
    """Warn if the figures of only one of the songs are known, without which most hits come out low."""
    bare = [one.song.name for one in (first, second) if Block.TRACK not in one.assessment.view]
    return (Line(LineKind.TEXT, messages.COMPARE_UNLIKE.format(name=bare[0])),) if len(bare) == 1 else ()


def model_reply(report: ModelReport, calibration: bytes | None = None) -> Reply:
    """Say how good the model is, what its verdicts are worth and what it cannot know.

    ``calibration`` is the picture of how stated probabilities were kept, PNG.
    """
    bands = [
        messages.MODEL_BAND.format(verdict=band.verdict.value, share=percent(band.share_popular), n=f"{band.n_songs:,}")
        for band in report.bands
    ]
    texts = [messages.MODEL_INTRO.format(n=f"{report.n_songs:,}", base=percent(report.base_rate)), *bands]
    card = None
    if calibration is not None:
        alt = messages.CALIBRATION_ALT.format(bands=" ".join(bands))
        card = stored_card(Picture(calibration, CALIBRATION_NAME, "image/png", alt))
    lines = [Line(LineKind.TEXT, text) for text in texts]
    cells = model_cells(report.rows)
    lines.append(Line(LineKind.TABLE, set_in_columns(cells), cells))
    lines.append(Line(LineKind.TEXT, f"{messages.MODEL_LIMITS}: {' '.join(report.limits)}"))
    lines.append(Line(LineKind.SOURCE, messages.MODEL_DATE.format(date=format_date(report.trained_at))))
    return Reply(code=ResultCode.INFORMED, lines=tuple(lines), title=messages.MODEL_TITLE, card=card)


def help_reply() -> Reply:
    """Say how to ask, with the commands that everybody has everywhere."""
    everybody = [command for command in messages.COMMANDS.values() if not command.administrators]
    shared = [command for command in everybody if command.surfaces == frozenset(Surface)]
    shared.sort(key=lambda command: command.name == "help")  # the one that was just used comes last
    lines = [messages.HELP_BEGIN, *map(command_line, shared), *messages.HELP_END.splitlines()]
    return text_reply(ResultCode.INFORMED, *lines, title=messages.HELP_TITLE, private=True)


def command_line(command: Command) -> str:
    """Say in a line of /help how to write a command and what it does."""
    written = f"{command.name} {command.usage}".strip()
    return messages.HELP_COMMAND.format(command=written, meaning=command.help or command.brief)


def privacy_reply() -> Reply:
    """Say what is stored."""
    lines = messages.PRIVACY.splitlines()
    return text_reply(ResultCode.INFORMED, *lines, title=messages.PRIVACY_TITLE, private=True)


def stats_reply(stats: Stats | None) -> Reply:
    """Say how the bot has fared since it started; what has not happened yet is left out."""
    if stats is None:
        return text_reply(ResultCode.INFORMED, messages.STATS_NONE, private=True)
    looked = sum(stats.cache_lookups.values())
    errors = sum(stats.upstream_errors.values())
    texts = [
        messages.STATS_UPTIME.format(span=span(timedelta(seconds=stats.uptime_s))),
        messages.STATS_ANSWERS.format(
            n=f"{sum(n for _, n in stats.answers):,}", codes=_counted((code.value, n) for code, n in stats.answers)
        ),
        _latency(messages.STATS_ANSWER_LATENCY, stats.answer_latency),
        messages.STATS_CACHE.format(
            share=percent(stats.cache_lookups.get("hit", 0) / looked),
            n=f"{looked:,}",
            stale=f"{stats.cache_lookups.get('stale', 0):,}",
        )
        if looked
        else "",
        messages.STATS_UPSTREAM.format(
            n=f"{stats.upstream_requests:,}", errors=f"{errors:,}", share=percent(errors / stats.upstream_requests)
        )
        if stats.upstream_requests
        else "",
        messages.STATS_UPSTREAM_ERRORS.format(outcomes=_counted(stats.upstream_errors.items())) if errors else "",
        _latency(messages.STATS_UPSTREAM_LATENCY, stats.upstream_latency),
    ]
    return text_reply(ResultCode.INFORMED, *texts, title=messages.STATS_TITLE, private=True)


def _counted(counts: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in counts) or "–"


def _latency(template: str, latency: Percentiles | None) -> str:
    if latency is None:
        return ""
    p50, p95, p99 = (f"{seconds:.2f} s" for seconds in (latency.p50_s, latency.p95_s, latency.p99_s))
    return template.format(p50=p50, p95=p95, p99=p99)


def model_cells(rows: tuple[ReportRow, ...]) -> tuple[tuple[str, ...], ...]:
    """Write the honest table as cells: the headings, then a line for each row of the report."""
    headings = ("", *(heading for heading, _ in COLUMNS))
    return headings, *((row.name, *(_metric(getattr(row, attribute)) for _, attribute in COLUMNS)) for row in rows)


def set_in_columns(cells: tuple[tuple[str, ...], ...]) -> str:
    """Set a table in columns of equal width, for a monospaced face."""
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    )


def _metric(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _one_line(prediction: Prediction) -> str:
    return f"{headline(prediction.assessment)} · {prediction.song.name}"
