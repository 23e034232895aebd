"""Writes the model card from the metrics, so that no figure in it is typed by hand."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import average_precision_score, precision_recall_curve

from core.model.ensemble import FloatArray
from core.model.hit_model import LIMITS
from core.training.metrics import BoolArray

GROUND: Final = "#ffffff"
INK: Final = "#1f2328"
FAINT: Final = "#d0d7de"
COLOURS: Final = ("#1a7f37", "#0969da", "#bc4c00", "#8250df")
SIZE_IN: Final = (7.2, 5.2)
DPI: Final = 120


def precision_recall_picture(answers: Mapping[str, FloatArray], popular: BoolArray) -> bytes:
    """Draw precision against recall beside the base rate; PNG bytes."""
    figure, axes = _sheet("How precise is the top of the list?", "recall", "precision")
    for (name, p), colour in zip(answers.items(), COLOURS, strict=False):
        precision, recall, _ = precision_recall_curve(popular, p)
        label = f"{name} (AP {average_precision_score(popular, p):.2f})"
        axes.plot(recall, precision, color=colour, linewidth=1.6, label=label)
    rate = float(popular.mean())
    axes.axhline(rate, color=INK, linewidth=1, linestyle=(0, (4, 3)), label=f"guessing ({rate:.2f})")
    axes.legend(frameon=False, loc="upper right")
    return _png(figure)


def _sheet(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=SIZE_IN, dpi=DPI, facecolor=GROUND, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", color=INK, fontsize=13, fontweight="bold")
    axes.set(xlabel=x, ylabel=y, xlim=(0, 1), ylim=(0, 1.005))
    axes.grid(color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


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
    "live": "asked for live: figures, artist, tags, date",
    "live_with_catalogue": "the same, with genres and audio of the catalogue",
    "live_without_date": "without a release date",
    "live_without_tags": "without tags",
    "live_without_artist": "without figures of the artist",
    "plays_alone": "*ranking by Last.fm plays*",
    "listeners_alone": "*ranking by Last.fm listeners*",
    "artist_listeners_alone": "*ranking by the artist's listeners*",
    "full": "everything known",
    "no_tags": "no tags",
    "no_audio": "no audio",
    "catalogue": "catalogue alone: genres, audio, title",
    "artist": "artist figures and title facts",
    "audio": "audio and title facts",
    "names": "title facts alone",
    "baseline_majority": '*"not popular" to everything*',
    "baseline_genre_rate": "*rate of the genres*",
    "baseline_logistic": "*logistic regression, all features*",
    "baseline_forest": "*the predecessor's forest, nine audio features*",
    "predecessor": "*the predecessor's forest, nine audio features*",
}

_TRIED: Final = (
    "Kept: leaving re-releases out of the labels. They were 4.6 % of the songs and most of the unpopular ones with "
    "figures; with them the second stage learnt that a great artist speaks against a song.",
    "Kept: tags learnt as a group of their own. Mapped to genres by hand they were worse than no tags in three of five "
    "collections.",
    "Kept: songs by small artists in the second stage, with a made-up part of the artist's listeners. Without them 300 "
    "listeners beside an artist of 1,000 gave 15 %, with them 1 %; inside collections nothing was lost.",
    "Kept: a logistic regression that rises with each figure. Monotone boosting on the same figures gave .770 inside "
    "collections, the regression .770, the mean of both .772: not worth a second model.",
    "Kept: two live copies of each song, dates hidden in one of ten only, and dated collections of half the former "
    "weight: on one fold of artists ROC-AUC with real tags rose by .011 to .017, average precision of clean songs by "
    ".011.",
    "Dropped: 540 smaller steps with trees of at most eight levels and 160 marked tags. On one fold real tags rose by "
    ".001 to .004; over all five they fell by .001 (ROC-AUC .857, .815, .892, .850), live questions stayed (.766 "
    "inside collections), and training took half as long again.",
    "Dropped: rates of tags learnt without a song's own group of artists (the same to .005 either way), and a logistic "
    "regression on all tags as a further column (+.001).",
    "Dropped: plays for each year since the release as a further term (.769 instead of .770).",
    "Dropped: fewer knots (.762 instead of .770).",
    "Dropped: release dates on the catalogue's rows. Songs that have one in another table are popular three times as "
    "often, so that having a date would have been the answer.",
    "Dropped: the number of rows a song has in the data, its place in the file, the artist's number of songs there, "
    "plays per listener of the artist, and figures of similar or further credited artists.",
)


@dataclass(frozen=True, slots=True)
class KnownSong:
    """A song that everybody can judge, and the answer to it."""

    name: str
    kind: str
    listeners: int | None
    released: date | None
    probability: float
    verdict: str
    reasons: tuple[str, ...]


def model_card(metrics: Mapping[str, Any], trained_at: datetime, known_songs: Sequence[KnownSong] = ()) -> str:
    """Return the card as Markdown.

    Args:
        metrics: The content of ``metrics.json``.
        trained_at: When the model was trained.
        known_songs: Well-known songs with their answers, for people to judge.
    """
    data, protocols = metrics["data"], metrics["protocols"]
    live, clean = protocols["live"], protocols["songs_clean"]
    figures = protocols["artist_figures"]["views"]
    sections = [
        "# Model card",
        f"Written by `scripts/train.py` on {trained_at:%d %B %Y} from `metrics.json`; the tables below are all in it.",
        "## What it predicts",
        "The probability that a song is popular: that its Spotify popularity, 0 to 100, is 60 or more. Popular is said "
        "from 70 %, Medium from 40 %, Not popular below.",
        "A gradient-boosted base model reads the artist's Last.fm figures, tags, the age since release, the "
        "catalogue's genres and audio features, and facts of title, album and credits, whichever are known. A logistic "
        "regression then weighs the song's own Last.fm listeners and plays, the artist's listeners and the age; it "
        "rises with each of these counts. Five models are trained, each without the artists of one fold; a song is "
        "answered by the one that never saw its artist, so that what is measured here is what is served.",
        "## Live questions: artists it never saw",
        f"{live['views']['live']['n']:,} songs with Last.fm figures of their own, of all collections, as they are "
        "asked for: figures, the song's or its artist's tags, release date, album; no genres and no audio. *Within* is "
        "the mean of the ROC-AUC inside each collection of 150 songs or more, which no difference between collections "
        "can flatter. Brackets hold 95 % intervals from drawing artists; baselines are in italics.",
        _live_table(live["views"]),
        "### Each collection by itself",
        "ROC-AUC of the answer and of ranking by plays; what was said on average beside what was so.",
        _sources(live["sources"]),
        "### How often each verdict is right",
        _verdicts(live["views"], ("live", "live_with_catalogue", "live_without_date", "live_without_tags")),
        f"![Calibration]({CALIBRATION_PNG})",
        f"![Precision and recall]({PRECISION_RECALL_PNG})",
        _said(live),
        "### Which population",
        "People ask about songs they have heard of. So the second stage is weighed for the songs that charts, "
        "playlists and discographies hold, each collection counting by the square root of its size, and most of those "
        "are popular. Of little known artists such tables hold the exceptions alone; songs by artists of fewer than "
        "30,000 listeners stand beside them, a tenth of the weight, with a made-up share of the artist's listeners.",
        "### By age",
        "The mean answer to these songs, were each released so many years ago, all else as it is.",
        _age_curve(metrics["age_curve"]),
        "## Songs without figures of their own",
        f"{figures['live']['n']:,} songs whose artist has figures.",
        _live_table(figures),
        "## Real tags",
        "The catalogue's songs with the tags that one collection gives their artist, genres and audio unknown, and "
        "the same songs without tags. Labels: those that can be trusted.",
        _table(protocols["real_tags"]["views"], list(protocols["real_tags"]["views"])),
        "## All songs of the catalogue",
        f"{data['n_songs']:,} songs, {data['base_rate']:.1%} of them popular in autumn 2022. Labels: rows on albums "
        f"that three or more first artists share are no labels ({data['n_songs_unlabelled']:,} songs have no other and "
        "are left out); another table's popularity of the same song within two years mends a popularity of 5 or less. "
        "The album is that of a release chosen without the label.",
        _table(clean["views"], list(clean["views"])),
        "### By genre, everything known",
        _genres(clean["genres"]),
        "### With the greatest popularity as label",
        "Every song with its greatest popularity, and the album of that row. These figures flattered: the album was "
        "chosen by the label, and re-releases stood as unpopular songs that a compilation's name gives away.",
        _table(protocols["songs"]["views"], list(protocols["songs"]["views"])),
        "## The predecessor's own split",
        "Random 80/20 split of all rows, threshold 0.5, labels as in the file. The same song stands on both sides, so "
        "this rewards memory and says nothing about new songs. The predecessor published accuracy 85.39 %, precision "
        "45.36 %, recall 60.56 % and F1 51.87 %.",
        _table(protocols["predecessor"]["views"], list(protocols["predecessor"]["views"])),
        "## Songs everybody can judge",
        "Answered from recorded figures, as on the day of the training, without the catalogue. In no way chosen by the "
        "answer.",
        _known_songs(known_songs),
        "## Data",
        f"{data['n_rows']:,} rows of the Spotify Tracks Dataset (autumn 2022); {data['n_dated']:,} songs of dated "
        f"collections with Spotify popularity of 2019 to 2025; Last.fm figures of artists of about April 2025; "
        f"{data['n_with_track_figures']:,} songs with Last.fm figures of their own (2019 to 2026); {data['n_tags']:,} "
        "tags known by name. Within each collection popular songs count as much as in the catalogue, and each "
        "collection by the square root of its size. That a song has figures, tags or a date is never a figure.",
        "### Data and terms",
        "The catalogue's genres, audio features and popularity are of the Spotify Tracks Dataset by Maharshi Pandya "
        '(on Hugging Face and Kaggle, stated licence "bsd"), which took them from Spotify\'s Web API about 2022. '
        "Listeners, plays and tags are Last.fm's, used under its API terms: not commercially, and with credit. Days of "
        "release and albums were told by iTunes, Deezer and MusicBrainz (MusicBrainz's core data is CC0). None of "
        "these tables is part of this repository but the figures of its demo songs; the model file holds trees and "
        "numbers, no rows. The MIT licence of the code gives no rights to the data: whoever retrains the model or uses "
        "it commercially has to look at those services' terms.",
        "## Gates",
        _gates(metrics["gates"]),
        "## What it cannot know",
        _list(
            (
                *LIMITS,
                "Artists are kept apart by their first name on the credits; guests can stand on both sides.",
                "Song figures of today stand beside labels of earlier years; for new songs, whose plays are still few, "
                "the answer is more doubtful than for old ones.",
            )
        ),
        "## Use",
        "For curiosity about songs, in chat. Not for deciding what is signed, paid or promoted: it repeats what was "
        "popular, and it knows an artist's present audience, which success itself made.",
        "## What was tried",
        "Noted by hand from runs with one seed while the recipe was chosen; `metrics.json` does not hold them.",
        _list(_TRIED),
    ]
    return "\n\n".join(sections) + "\n"


def _live_table(views: Mapping[str, Any]) -> str:
    lines = ["| view | songs | popular | ROC-AUC | within | average precision | ECE |", "|---|---|---|---|---|---|---|"]
    for name, view in views.items():
        roc = _cell(view, "roc_auc") if "roc_auc_ci" in view else f"{view['roc_auc']:.3f}"
        ece = f"{view['ece']:.3f}" if "ece" in view else "–"
        within = f"{view['roc_auc_within']:.3f}" if "roc_auc_within" in view else "–"
        lines.append(
            f"| {_name(name)} | {view['n']:,} | {view['base_rate']:.1%} | {roc} | {within} | "
            f"{view['average_precision']:.3f} | {ece} |"
        )
    return "\n".join(lines)


def _sources(sources: Mapping[str, Any]) -> str:
    lines = ["| collection | songs | popular | said | answer | plays alone |", "|---|---|---|---|---|---|"]
    for name, found in sources.items():
        ranked = " | ".join(f"{found[key]:.3f}" if key in found else "–" for key in ("live", "plays_alone"))
        lines.append(
            f"| {name} | {found['n']:,} | {found['base_rate']:.1%} | {found['mean_probability']:.1%} | {ranked} |"
        )
    return "\n".join(lines)


def _said(live: Mapping[str, Any]) -> str:
    groups = "; ".join(
        f"{name}: ECE {found['ece']:.3f} on {found['n']:,} songs, {found['base_rate']:.1%} popular"
        for name, found in live["groups"].items()
    )
    lines = ["| listeners from | songs | said | popular |", "|---|---|---|---|"]
    lines += [
        f"| {step['from']:,} | {step['n']:,} | {step['mean_probability']:.1%} | {step['base_rate']:.1%} |"
        for step in live["by_listeners"]
    ]
    return f"Calibration by kind of collection: {groups}.\n\n" + "\n".join(lines)


def _age_curve(curve: Sequence[Mapping[str, float]]) -> str:
    heads = " | ".join(f"{point['age_years']:g}" for point in curve)
    cells = " | ".join(f"{point['mean_probability']:.1%}" for point in curve)
    return f"| years since release | {heads} |\n" + "|---" * (len(curve) + 1) + f"|\n| mean answer | {cells} |"


def _known_songs(songs: Sequence[KnownSong]) -> str:
    lines = ["| kind | song | released | listeners | answer | why |", "|---|---|---|---|---|---|"]
    for song in songs:
        listeners = "–" if song.listeners is None else f"{song.listeners:,}"
        released = "–" if song.released is None else str(song.released.year)
        name, reasons = (text.replace("|", "/") for text in (song.name, ", ".join(song.reasons)))
        lines.append(
            f"| {song.kind} | {name} | {released} | {listeners} | {song.verdict}, {song.probability:.1%} | {reasons} |"
        )
    return "\n".join(lines)


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
    plain = view.removesuffix("_without_tags")
    return _NAMES.get(view) or plain + (", without tags" if plain != view else "")


def _cell(view: Mapping[str, Any], metric: str) -> str:
    if metric not in _WITH_INTERVAL:
        return f"{view[metric]:.3f}"
    low, high = view[f"{metric}_ci"]
    return f"{view[metric]:.3f} [{low:.3f}, {high:.3f}]"


def _verdicts(views: Mapping[str, Any], names: Sequence[str]) -> str:
    lines = ["| view | verdict | songs | popular |", "|---|---|---|---|"]
    for name in names:
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


def _list(items: Sequence[str]) -> str:
    return "\n".join(f"- {item}" for item in items)
