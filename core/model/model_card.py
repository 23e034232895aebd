"""Writes the model card from the metrics, so that no figure in it is typed by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from core.model.report import LIMITS

CALIBRATION_PNG: Final = "calibration.png"
PRECISION_RECALL_PNG: Final = "precision_recall.png"

_COLUMNS: Final = (
    ("roc_auc", "ROC-AUC"),
    ("average_precision", "average precision"),
    ("f1", "F1"),
    ("precision", "precision"),
    ("recall", "recall"),
    ("accuracy", "accuracy"),
    ("brier", "Brier"),
    ("brier_skill", "Brier skill"),
    ("log_loss", "log loss"),
    ("ece", "ECE"),
)
_WITH_INTERVAL: Final = frozenset({"roc_auc", "average_precision", "f1"})

_NAMES: Final = {
    "full": "everything known",
    "live": "live: artist figures, tags, title facts",
    "no_tags": "no tags",
    "artist": "artist figures and title facts",
    "tags": "genres and title facts",
    "audio": "audio and title facts",
    "names": "title facts alone",
    "baseline_majority": '*"not popular" to everything*',
    "baseline_genre_rate": "*rate of the genres*",
    "baseline_logistic": "*logistic regression, all features*",
    "baseline_forest": "*the predecessor's forest, nine audio features*",
    "predecessor": "*the predecessor's forest, nine audio features*",
    "before": "before weighing",
    "live_before": "live, before weighing",
    "live_genres": "live with the data set's genres",
}

_TRIED: Final = (
    "Kept: one boosting model with whole groups of figures hidden at random in a second copy of each song. Hiding in "
    "both copies cost 0.003 ROC-AUC with everything known.",
    "Kept: a mark for each genre beside the genres' rates. Rates alone cost 0.003 ROC-AUC and 0.013 average precision.",
    "Kept: facts of the album's name (single, compilation words, year). Without them 0.934 ROC-AUC and 0.675 average "
    "precision instead of 0.943 and 0.728.",
    "Kept: weights for the second stage. Class weights alone take a usual song with figures for a rare one, since the "
    "base model's answer already holds the base rate.",
    "Kept: records that are likely stray spellings are left out when the second stage is fitted. They are measured.",
    "Dropped: boosting as the second stage. 0.883 ROC-AUC, no more than logistic regression.",
    "Dropped: the number of rows a song has in the data, its place in the file, the artist's number of songs there, "
    "and figures of similar or further credited artists: a live question cannot know them.",
    "Dropped: reading fewer than eight Last.fm tags. ROC-AUC with real tags fell from 0.757 to 0.732 with one tag.",
)


def model_card(metrics: Mapping[str, Any], trained_at: datetime) -> str:
    """Return the card as Markdown."""
    data, protocols = metrics["data"], metrics["protocols"]
    songs = protocols["songs"]["views"]
    sections = [
        "# Model card",
        f"Written by `scripts/train.py` on {trained_at:%d %B %Y} from `metrics.json`; the tables below are all in it.",
        "## What it predicts",
        "The probability that a song is popular: that its Spotify popularity, 0 to 100, is 60 or more. Of all songs, "
        f"{data['base_rate']:.1%} are. Popular is said from 70 %, Medium from 40 %, Not popular below.",
        "A gradient-boosted base model reads the artist's Last.fm figures, genres or tags, audio features, and facts "
        "of title, album and credits, whichever are known. A logistic regression then weighs the song's own Last.fm "
        "listeners and plays. Five models are trained, each without the artists of one fold; a song is answered by the "
        "one that never saw its artist, so that what is measured here is what is served.",
        "## Data",
        f"{data['n_rows']:,} rows of the Spotify Tracks Dataset (autumn 2022) make {data['n_songs']:,} songs of "
        f"{data['n_artists']:,} first artists, labelled by their greatest popularity. Artist figures are Last.fm's of "
        f"about April 2025. {data['n_with_track_figures']:,} songs have Last.fm figures of their own (2019 to 2026); "
        "they are mostly chart songs, and whether a song has such figures is never a feature.",
        "## Songs: artists it never saw",
        "One row per song, five folds disjoint in first artists, out of fold. Brackets hold 95 % intervals from "
        "drawing artists. Baselines are in italics. The threshold of each row is the one with the best F1 out of fold.",
        _table(songs, list(songs)),
        "### How often each verdict is right",
        _verdicts(songs),
        f"![Calibration]({CALIBRATION_PNG})",
        f"![Precision and recall]({PRECISION_RECALL_PNG})",
        "### By genre, everything known",
        _genres(protocols["songs"]["genres"]),
        "## The predecessor's own split",
        "Random 80/20 split of all rows, threshold 0.5. The same song stands on both sides, so this rewards memory and "
        "says nothing about new songs. The predecessor published accuracy 85.39 %, precision 45.36 %, recall 60.56 % "
        "and F1 51.87 %.",
        _table(protocols["predecessor"]["views"], list(protocols["predecessor"]["views"])),
        "## Songs with Last.fm figures of their own",
        "Weighted so that these songs count as all songs do; `unweighted` rows take them as they stand in the charts. "
        "The served answer stands between the two: it says somewhat too much for a song drawn from all songs and too "
        "little for one drawn from the charts, which is where people's questions come from.",
        _table(protocols["track_figures"]["views"], list(protocols["track_figures"]["views"])),
        "## What real tags cost",
        "The view `live` with genres from real Last.fm tags, on songs that have some, beside the same songs with the "
        f"data set's genres. Tags cost {_cost(protocols['tags']['views']):.3f} ROC-AUC unweighted, and their answers "
        "are shrunk accordingly. This is the largest known loss in serving.",
        _table(protocols["tags"]["views"], list(protocols["tags"]["views"])),
        "## Gates",
        _gates(metrics["gates"]),
        "## What it cannot know",
        _list(
            (
                *LIMITS,
                "Artists are kept apart by their first name on the credits; guests can stand on both sides.",
                "Unpopular rows of hits filed under compilations are labels too: for them the model is right to doubt.",
                "The chart songs behind the second stage hold few unpopular ones, so its weights lean on a choice: see "
                "`core/model/track_stage.py`.",
            )
        ),
        "## Use",
        "For curiosity about songs, in chat. Not for deciding what is signed, paid or promoted: it repeats what was "
        "popular in 2022, and it knows an artist's present audience, which success itself made.",
        "## What was tried",
        "Noted by hand from runs with one seed while the recipe was chosen; `metrics.json` does not hold them.",
        _list(_TRIED),
    ]
    return "\n\n".join(sections) + "\n"


def _table(views: Mapping[str, Any], names: Sequence[str]) -> str:
    lines = [
        "| view | n | base rate | " + " | ".join(title for _, title in _COLUMNS) + " |",
        "|" + "---|" * (len(_COLUMNS) + 3),
    ]
    for name in names:
        view = views[name]
        cells = " | ".join(_cell(view, metric) for metric, _ in _COLUMNS)
        lines.append(f"| {_name(name)} | {view['n']:,} | {view['base_rate']:.3f} | {cells} |")
    return "\n".join(lines)


def _name(view: str) -> str:
    plain = view.removesuffix("_unweighted")
    return _NAMES.get(plain, plain) + (", unweighted" if plain != view else "")


def _cell(view: Mapping[str, Any], metric: str) -> str:
    if metric not in _WITH_INTERVAL:
        return f"{view[metric]:.3f}"
    low, high = view[f"{metric}_ci"]
    return f"{view[metric]:.3f} [{low:.3f}, {high:.3f}]"


def _verdicts(views: Mapping[str, Any]) -> str:
    lines = ["| view | verdict | songs | popular |", "|---|---|---|---|"]
    for name in ("full", "live", "artist", "audio"):
        for verdict, found in views[name]["verdicts"].items():
            lines.append(f"| {_name(name)} | {verdict} | {found['n']:,} | {found['share_popular']:.1%} |")
    return "\n".join(lines)


def _genres(genres: Mapping[str, Any]) -> str:
    lines = ["| genre | songs | popular | ROC-AUC | average precision | ECE |", "|---|---|---|---|---|---|"]
    for genre, found in genres.items():
        ranked = " | ".join(
            f"{found[metric]:.3f}" if metric in found else "too few"
            for metric in ("roc_auc", "average_precision", "ece")
        )
        lines.append(f"| {genre} | {found['n']:,} | {found['base_rate']:.1%} | {ranked} |")
    return "<details><summary>All genres</summary>\n\n" + "\n".join(lines) + "\n\n</details>"


def _gates(gates: Sequence[Mapping[str, Any]]) -> str:
    lines = ["| gate | asked | found | |", "|---|---|---|---|"]
    lines += [
        f"| {gate['name']} | {gate['demand']} | {gate['found']:.3f} | {'reached' if gate['passed'] else '**missed**'} |"
        for gate in gates
    ]
    return "\n".join(lines)


def _cost(views: Mapping[str, Any]) -> float:
    return float(views["live_genres_unweighted"]["roc_auc"] - views["live_unweighted"]["roc_auc"])


def _list(items: Sequence[str]) -> str:
    return "\n".join(f"- {item}" for item in items)
