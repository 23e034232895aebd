"""Turns answers, reports and everything else the bot says into platform-free replies; the adapters only format them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import quote_plus

from rich.cells import cell_len

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
from core import text, words
from core.domain import (
    Ambiguous,
    Assessment,
    BandRecord,
    Block,
    Candidate,
    FeatureValue,
    Growth,
    ModelReport,
    NotFound,
    Origin,
    Prediction,
    Reason,
    RecordedPopularity,
    ReportRow,
    Song,
    Source,
    Verdict,
)
from core.errors import HOW_TO_ASK
from core.language import ENGLISH, mark, say, say_in, say_plural, speaking
from core.predictor import Comparison

if TYPE_CHECKING:
    from bot.monitoring import Percentiles, Stats

TAGS_SHOWN: Final = 4
"""Tags named in an answer; more are noise."""


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
    assessment = prediction.assessment
    lines = [
        Line(LineKind.HEADLINE, headline(assessment)),
        Line(LineKind.SONG, str(prediction.song.name)),
        Line(LineKind.MEANING, meaning(assessment)),
        None if prediction.growth is None else Line(LineKind.GROWTH, growth_words(prediction.growth)),
        _popularity(prediction.popularity, assessment.verdict),
        _figures(LineKind.FIGURES, assessment.main_features),
        _figures(LineKind.AUDIO, _of_blocks(assessment, Block.AUDIO)),
        _figures(LineKind.OTHERS, _of_blocks(assessment, Block.AGE, None)),
        _reasons(assessment.reasons),
        Line(LineKind.SOURCE, source_line(prediction.source, assessment.trained_at, now)),
        Line(LineKind.DOUBT, say(messages.NOT_MEANT_PICK)) if prediction.others else None,
    ]
    return tuple(line for line in lines if line is not None)


def headline(assessment: Assessment) -> str:
    """Say the verdict with its shape and the confidence, "▲ Popular · 92.3 %"."""
    return messages.HEADLINE.format(
        shape=messages.SHAPES[assessment.verdict],
        verdict=words.verdict_name(assessment.verdict),
        confidence=text.percent(assessment.probability),
    )


def meaning(assessment: Assessment) -> str:
    """Say what the confidence means, beside the share of popular songs among all, and never more than it says."""
    probability, base = assessment.probability, text.share(assessment.base_rate)
    if text.is_hardly(probability):
        return say(messages.MEANING_HARDLY, base=base)
    if text.is_hardly(1 - probability):
        return say(messages.MEANING_NEARLY_ALL, base=base)
    # Of 100 songs, unless that would be none or all of them.
    of = 100 if 0 < round(probability * 100) < 100 else 1000
    return say_plural(*messages.MEANING, round(probability * of), of=text.count(of), base=base)


def source_line(source: Source, trained_at: datetime, now: datetime) -> str:
    """Say where the figures are from, how old they are and which model judged them."""
    sentences = {
        Origin.LASTFM: (messages.SOURCE_LIVE, messages.SOURCE_STALE),
        Origin.RECORDED: (messages.SOURCE_RECORDED, messages.SOURCE_RECORDED_STALE),
        Origin.CATALOGUE: (messages.SOURCE_CATALOGUE, messages.SOURCE_CATALOGUE_STALE),
    }[source.origin]
    return say(
        sentences[source.stale],
        age=text.ago(source.as_of, now),
        month=text.month(source.as_of),
        year=source.as_of.year,
        model_date=text.day(trained_at),
    )


def growth_words(growth: Growth) -> str:
    """Say what became of a song's listeners, and how that compares with other songs where it is known."""
    return say(
        messages.GROWTH if growth.faster_than is None else messages.GROWTH_RANKED,
        span=text.duration(timedelta(days=growth.days)),
        change=text.change(growth.listeners),
        share="" if growth.faster_than is None else text.share(int(growth.faster_than * 100) / 100),
    )


def popularity_words(popularity: RecordedPopularity, verdict: Verdict) -> str:
    """Say what the popularity once was, and when the verdict says otherwise."""
    sentence = messages.POPULARITY_RERELEASE if popularity.rerelease else messages.POPULARITY
    if popularity.contradicts(verdict):
        then, not_then = messages.POPULARITY_CONTRADICTS
        sentence = then if verdict is Verdict.NOT_POPULAR else not_then
    return say(sentence, value=popularity.value, year=popularity.year)


def why_reply(prediction: Prediction) -> Reply:
    """Explain one answer in words: the pushes, what was known, the base rate, how such answers fare, all figures."""
    assessment = prediction.assessment
    ups = [words.reason_with_figure(reason) for reason in assessment.reasons if reason.push > 0]
    downs = [words.reason_with_figure(reason) for reason in assessment.reasons if reason.push < 0]
    unknown = [block for block in Block if block not in assessment.view]
    source = prediction.source
    tags = (assessment.tags or prediction.song.genres)[:TAGS_SHOWN]
    texts = [
        say(messages.WHY_CATALOGUE, year=source.as_of.year) if source.origin is Origin.CATALOGUE else "",
        say(messages.WHY_UP, reasons=_parted(ups)) if ups else "",
        say(messages.WHY_DOWN, reasons=_parted(downs)) if downs else "",
        say(messages.WHY_KNOWN, blocks=_blocks(assessment.view)) if assessment.view else "",
        say(messages.WHY_UNKNOWN, blocks=_blocks(unknown)) if unknown else "",
        say(messages.WHY_BASE, base=text.percent(assessment.base_rate)),
        "" if assessment.record is None else record_words(assessment.record),
    ]
    rest = [
        _popularity(prediction.popularity, assessment.verdict),
        _figures(LineKind.FIGURES, _of_blocks(assessment, Block.TRACK, Block.ARTIST)),
        _figures(LineKind.AUDIO, _of_blocks(assessment, Block.AUDIO)),
        _figures(LineKind.OTHERS, _of_blocks(assessment, Block.AGE, None)),
        Line(LineKind.OTHERS, say(messages.TAGS, names=", ".join(tags))) if tags else None,
        *_credit(prediction),
    ]
    title = say(messages.WHY_TITLE, confidence=text.percent(assessment.probability), name=prediction.song.name)
    reply = text_reply(ResultCode.EXPLAINED, *texts, title=title, private=True)
    return replace(reply, lines=(*reply.lines, *(line for line in rest if line is not None)))


def record_words(record: BandRecord) -> str:
    """Say how often a verdict was right, in whole songs of 100; never all of them."""
    right = 1 - record.share_popular if record.verdict is Verdict.NOT_POPULAR else record.share_popular
    return say(messages.RECORDS[record.verdict], n=min(99, round(right * 100)))


def ambiguous_reply(ambiguous: Ambiguous, against: Question | None = None) -> Reply:
    """Offer the songs that may be meant; ``against`` is what the picked one is to be compared with."""
    counted = any(candidate.listeners is not None for candidate in ambiguous.candidates)
    lines = [Line(LineKind.TEXT, say(messages.DID_YOU_MEAN))]
    if counted:
        lines.append(Line(LineKind.SOURCE, say(messages.CREDIT)))
    return Reply(
        code=ResultCode.AMBIGUOUS,
        lines=tuple(lines),
        choices=_choices(ambiguous.candidates),
        candidates=ambiguous.candidates,
        against=against,
        private=True,
    )


def not_found_reply(missing: NotFound) -> Reply:
    """Say what was searched without result and what to try."""
    names = "; ".join(map(str, missing.suggestions))
    hints = [messages.KEY_MISSING] if missing.key_missing else [messages.NOT_FOUND_TRY, HOW_TO_ASK]
    reply = text_reply(
        ResultCode.NOT_FOUND,
        say(messages.NOT_FOUND, query=missing.query.text),
        say(messages.NOT_FOUND_SUGGESTIONS, names=names) if names else "",
        *map(say, hints),
        private=True,
    )
    return replace(reply, suggestions=missing.suggestions)


def limited_reply(decision: RateDecision) -> Reply:
    """Say whose limit was met and when it frees."""
    sentence = messages.LIMITED_CHAT if decision.scope is Scope.CHAT else messages.LIMITED_USER
    return text_reply(ResultCode.LIMITED, say_plural(*sentence, decision.wait_s), private=True)


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
            else say_plural(*messages.CANDIDATE_LISTENERS, candidate.listeners, name=candidate.name),
            token_of(candidate.name),
        )
        for candidate in candidates
    )


def _of_blocks(assessment: Assessment, *blocks: Block | None) -> list[FeatureValue]:
    return [feature for feature in assessment.features if feature.block in blocks]


def _figures(kind: LineKind, features: Sequence[FeatureValue]) -> Line | None:
    """Say figures on one line; None if there are none."""
    said = [
        (messages.FIGURE_RANKED if words.standing(feature) else messages.FIGURE).format(
            label=say(feature.label), value=words.figure(feature), standing=words.standing(feature)
        )
        for feature in features
    ]
    return Line(kind, " · ".join(said)) if said else None


def _popularity(popularity: RecordedPopularity | None, verdict: Verdict) -> Line | None:
    return None if popularity is None else Line(LineKind.POPULARITY, popularity_words(popularity, verdict))


def _reasons(reasons: Sequence[Reason]) -> Line | None:
    if not reasons:
        return None
    ranked = sorted(reasons, key=lambda reason: -abs(reason.push))[:3]
    pushes = [
        (messages.PUSH_UP if reason.push > 0 else messages.PUSH_DOWN).format(reason=words.reason_words(reason))
        for reason in ranked
    ]
    return Line(LineKind.WHY, say(messages.WHY_LINE, reasons=" · ".join(pushes)))


def _parted(reasons: Sequence[str]) -> str:
    """Join reasons that may hold commas themselves."""
    return "; ".join(reasons)


def _blocks(blocks: Sequence[Block]) -> str:
    return text.listing([say(messages.BLOCK_NAMES[block]) for block in blocks])


def _credit(*predictions: Prediction) -> tuple[Line, ...]:
    """Name Last.fm, as its terms ask for, if figures of any of the answers are its own."""
    owed = any(prediction.source.origin is not Origin.CATALOGUE for prediction in predictions)
    return (Line(LineKind.SOURCE, say(messages.CREDIT)),) if owed else ()


CALIBRATION_NAME: Final = "hitmeter-calibration.png"
"""File name of the model's picture."""

# Translators: headings of a table of measurements, as short as can be; ROC-AUC, F1, Brier and ECE keep their names.
COLUMNS: Final = (
    ("ROC-AUC", "roc_auc"),
    (mark("avg. prec."), "average_precision"),
    ("F1", "f1"),
    (mark("accuracy"), "accuracy"),
    ("Brier", "brier"),
    ("ECE", "ece"),
)
"""Heading and attribute of each metric in the honest table."""


def comparison_reply(comparison: Comparison) -> Reply:
    """Say which of two songs is the likelier hit, then each one's verdict."""
    first, second = comparison.first, comparison.second
    winner = comparison.winner
    shown_first, shown_second = text.percent(first.assessment.probability), text.percent(second.assessment.probability)
    if winner is None:
        outcome = say(messages.COMPARE_DRAW, first=shown_first)
    else:
        higher, lower = (shown_first, shown_second) if winner is first else (shown_second, shown_first)
        outcome = say(messages.COMPARE_WINNER, winner=winner.song.name, first=higher, second=lower)
    lines = (
        Line(LineKind.HEADLINE, outcome),
        Line(LineKind.SONG, _one_line(first)),
        Line(LineKind.SONG, _one_line(second)),
        *_unlike(first, second),
        *_credit(first, second),
    )
    verdict = (winner or first).assessment.verdict
    return Reply(code=ResultCode.COMPARED, lines=lines, verdict=verdict, compared=(first, second))


def _unlike(first: Prediction, second: Prediction) -> tuple[Line, ...]:
    """Warn if the figures of only one of the songs are known, without which most hits come out low."""
    bare = [one.song.name for one in (first, second) if Block.TRACK not in one.assessment.view]
    return (Line(LineKind.TEXT, say(messages.COMPARE_UNLIKE, name=bare[0])),) if len(bare) == 1 else ()


def model_reply(report: ModelReport, calibration: bytes | None = None, *, full: bool = False) -> Reply:
    """Say in four sentences how good the model is; ``full`` with its whole table and what it cannot know.

    ``calibration`` is the picture of how stated probabilities were kept, PNG.
    """
    card = None
    if calibration is not None:
        alt = say(messages.CALIBRATION_ALT, bands=" ".join(_bands(report)))
        card = stored_card(Picture(calibration, CALIBRATION_NAME, "image/png", alt))
    lines = _full_report(report) if full else _short_report(report)
    lines.append(Line(LineKind.SOURCE, say(messages.MODEL_DATE, date=text.day(report.trained_at))))
    return Reply(code=ResultCode.INFORMED, lines=tuple(lines), title=say(messages.MODEL_TITLE), card=card)


def _short_report(report: ModelReport) -> list[Line]:
    records = {band.verdict: record_words(band) for band in report.bands}
    sentences = [
        say(messages.MODEL_TESTED, n=text.count(report.n_songs), base=text.percent(report.base_rate)),
        *(records[verdict] for verdict in (Verdict.POPULAR, Verdict.NOT_POPULAR) if verdict in records),
    ]
    if report.ranked_right is not None and report.ranked_right_by_plays is not None:
        own, plays = round(report.ranked_right * 100), round(report.ranked_right_by_plays * 100)
        sentences.append(say(messages.MODEL_RANKS, n=own, plays=plays))
    return [*(Line(LineKind.TEXT, sentence) for sentence in sentences), Line(LineKind.TEXT, say(messages.MODEL_MORE))]


def _full_report(report: ModelReport) -> list[Line]:
    intro = say(messages.MODEL_INTRO, n=text.count(report.n_songs), base=text.percent(report.base_rate))
    cells = model_cells(report.rows)
    limits = say(messages.MODEL_LIMITS, limits=" ".join(map(say, report.limits)))
    return [
        *(Line(LineKind.TEXT, sentence) for sentence in (intro, *_bands(report))),
        Line(LineKind.TABLE, set_in_columns(cells), cells),
        Line(LineKind.TEXT, limits),
    ]


def _bands(report: ModelReport) -> list[str]:
    return [
        say(
            messages.MODEL_BAND,
            verdict=words.verdict_name(band.verdict),
            share=text.percent(band.share_popular),
            n=text.count(band.n_songs),
        )
        for band in report.bands
    ]


def help_reply(*, localized: bool = False) -> Reply:
    """Say how to ask, with the commands that everybody has everywhere.

    ``localized`` gives them the names that Discord lists them by in the language spoken here.
    """
    everybody = [command for command in messages.COMMANDS.values() if not command.administrators]
    shared = [command for command in everybody if command.surfaces == frozenset(Surface)]
    shared.sort(key=lambda command: command.name == "help")  # the one that was just used comes last
    listed = [command_line(command, localized=localized) for command in shared]
    lines = [say(messages.HELP_BEGIN), *listed, *map(say, messages.HELP_END)]
    return text_reply(ResultCode.INFORMED, *lines, title=say(messages.HELP_TITLE), private=True)


def command_line(command: Command, *, localized: bool = False) -> str:
    """Say in a line of /help how to write a command and what it does; see :func:`help_reply`."""
    name = say_in(messages.COMMAND_NAME, command.name) if localized else command.name
    written = f"{name} {say(command.usage) if command.usage else ''}".strip()
    return messages.HELP_COMMAND.format(command=written, meaning=say(command.help or command.brief))


def no_command_reply(written: str, commands: Iterable[Command]) -> Reply:
    """Say that nothing is called so, and what there is instead."""
    listed = text.listing([f"/{command.name}" for command in commands])
    sentence = say(messages.NO_COMMAND, command=written, commands=listed)
    return text_reply(ResultCode.BAD_QUESTION, sentence, private=True)


def privacy_reply() -> Reply:
    """Say what is stored."""
    return text_reply(ResultCode.INFORMED, *map(say, messages.PRIVACY), title=say(messages.PRIVACY_TITLE), private=True)


def stats_reply(stats: Stats | None) -> Reply:
    """Say how the bot has fared since it started, in English; what has not happened yet is left out."""
    with speaking(ENGLISH):
        return _stats_reply(stats)


def _stats_reply(stats: Stats | None) -> Reply:
    if stats is None:
        return text_reply(ResultCode.INFORMED, messages.STATS_NONE, private=True)
    looked = sum(stats.cache_lookups.values())
    errors = sum(stats.upstream_errors.values())
    texts = [
        messages.STATS_UPTIME.format(span=text.duration(timedelta(seconds=stats.uptime_s))),
        messages.STATS_ANSWERS.format(
            n=f"{sum(n for _, n in stats.answers):,}", codes=_counted((code.value, n) for code, n in stats.answers)
        ),
        _latency(messages.STATS_ANSWER_LATENCY, stats.answer_latency),
        messages.STATS_CACHE.format(
            share=text.percent(stats.cache_lookups.get("hit", 0) / looked),
            n=f"{looked:,}",
            stale=f"{stats.cache_lookups.get('stale', 0):,}",
        )
        if looked
        else "",
        messages.STATS_UPSTREAM.format(
            n=f"{stats.upstream_requests:,}", errors=f"{errors:,}", share=text.percent(errors / stats.upstream_requests)
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
    headings = ("", *(say(heading) for heading, _ in COLUMNS))
    return headings, *((say(row.name), *(_metric(getattr(row, attribute)) for _, attribute in COLUMNS)) for row in rows)


def set_in_columns(cells: tuple[tuple[str, ...], ...]) -> str:
    """Set a table in columns for a monospaced face, in which Japanese letters are as wide as two others."""
    widths = [max(cell_len(line[column]) for line in cells) for column in range(len(cells[0]))]

    def padded(column: int, cell: str) -> str:
        padding = " " * (widths[column] - cell_len(cell))
        return f"{cell}{padding}" if column == 0 else f"{padding}{cell}"

    return "\n".join("  ".join(padded(*placed) for placed in enumerate(line)).rstrip() for line in cells)


def _metric(value: float | None) -> str:
    return "–" if value is None else text.decimal(value, 3)


def _one_line(prediction: Prediction) -> str:
    return f"{headline(prediction.assessment)} · {prediction.song.name}"
