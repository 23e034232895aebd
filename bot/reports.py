"""Replies that set figures side by side: comparisons and the model's own report."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from bot import words
from bot.metrics import Figures, Percentiles
from bot.replies import day, headline
from bot.reply import Line, LineKind, Picture, Reply, ResultCode, text_reply
from core.age import span
from core.domain import Block, ModelReport, Prediction, ReportRow
from core.model.display import percent
from core.predictor import Comparison

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


def comparison_reply(comparison: Comparison, picture: Picture | None = None) -> Reply:
    """Say which of two songs is the likelier hit, then each one's verdict."""
    first, second = comparison.first, comparison.second
    winner = comparison.winner
    shown_first, shown_second = percent(first.assessment.probability), percent(second.assessment.probability)
    if winner is None:
        outcome = words.COMPARE_DRAW.format(first=shown_first)
    else:
        higher, lower = (shown_first, shown_second) if winner is first else (shown_second, shown_first)
        outcome = words.COMPARE_WINNER.format(winner=winner.song.name, first=higher, second=lower)
    lines = (
        Line(LineKind.HEADLINE, outcome),
        Line(LineKind.SONG, _one_line(first)),
        Line(LineKind.SONG, _one_line(second)),
        *_unlike(first, second),
    )
    verdict = (winner or first).assessment.verdict
    return Reply(code=ResultCode.COMPARED, lines=lines, verdict=verdict, compared=(first, second), picture=picture)


def _unlike(first: Prediction, second: Prediction) -> tuple[Line, ...]:
    """Warn if the figures of only one of the songs are known, without which most hits come out low."""
    bare = [one.song.name for one in (first, second) if Block.TRACK not in one.assessment.view]
    return (Line(LineKind.TEXT, words.COMPARE_UNLIKE.format(name=bare[0])),) if len(bare) == 1 else ()


def model_reply(report: ModelReport, calibration: bytes | None = None) -> Reply:
    """Say how good the model is, what its verdicts are worth and what it cannot know.

    ``calibration`` is the picture of how stated probabilities were kept, PNG.
    """
    bands = [
        words.MODEL_BAND.format(verdict=band.verdict.value, share=percent(band.share_popular), n=f"{band.n_songs:,}")
        for band in report.bands
    ]
    texts = [words.MODEL_INTRO.format(n=f"{report.n_songs:,}", base=percent(report.base_rate)), *bands]
    picture = None
    if calibration is not None:
        alt = words.CALIBRATION_ALT.format(bands=" ".join(bands))
        picture = Picture(calibration, CALIBRATION_NAME, "image/png", alt)
    lines = [Line(LineKind.TEXT, text) for text in texts]
    cells = model_cells(report.rows)
    lines.append(Line(LineKind.TABLE, set_in_columns(cells), cells))
    lines.append(Line(LineKind.TEXT, f"{words.MODEL_LIMITS}: {' '.join(report.limits)}"))
    lines.append(Line(LineKind.SOURCE, words.MODEL_DATE.format(date=day(report.trained_at))))
    return Reply(code=ResultCode.INFORMED, lines=tuple(lines), title=words.MODEL_TITLE, picture=picture)


def stats_reply(figures: Figures) -> Reply:
    """Say how the bot has fared since it started; what has not happened yet is left out."""
    looked = sum(figures.cache_lookups.values())
    errors = sum(figures.upstream_errors.values())
    texts = [
        words.STATS_UPTIME.format(span=span(timedelta(seconds=figures.uptime_s))),
        words.STATS_ANSWERS.format(
            n=f"{sum(n for _, n in figures.answers):,}", codes=_counted((code.value, n) for code, n in figures.answers)
        ),
        _latency(words.STATS_ANSWER_LATENCY, figures.answer_latency),
        words.STATS_CACHE.format(
            share=percent(figures.cache_lookups.get("hit", 0) / looked),
            n=f"{looked:,}",
            stale=f"{figures.cache_lookups.get('stale', 0):,}",
        )
        if looked
        else "",
        words.STATS_UPSTREAM.format(
            n=f"{figures.upstream_requests:,}", errors=f"{errors:,}", share=percent(errors / figures.upstream_requests)
        )
        if figures.upstream_requests
        else "",
        words.STATS_UPSTREAM_ERRORS.format(outcomes=_counted(figures.upstream_errors.items())) if errors else "",
        _latency(words.STATS_UPSTREAM_LATENCY, figures.upstream_latency),
    ]
    return text_reply(ResultCode.INFORMED, *texts, title=words.STATS_TITLE, private=True)


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
