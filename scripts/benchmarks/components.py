"""Search, prediction and card by themselves, each beside the predecessor's way in the same run."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count, cycle
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Polygon, Rectangle, Wedge
from PIL import Image
from rapidfuzz import fuzz

from core.domain import Cover, Prediction, Song, SongName
from core.lookup.catalogue import Catalogue
from core.lookup.normalise import song_key
from core.model.hit_model import HitModel
from core.query import parse_query
from core.render.animation import FRAMES, draw_animation
from core.render.card import draw_card, figures, source_words
from core.render.theme import ACCENTS, GROUND, HEIGHT_PX, QUIET, TEXT, WHITE, WIDTH_PX
from core.training.recipes import predecessor_forest
from scripts.benchmarks.measurement import Row, cores, interleaved_ms, median, percentile, timed_ms
from scripts.benchmarks.songs import NoisyQuestion, SongSet, made_up, noisy_questions
from tests.fakes.predictions import prediction

QUESTIONS: Final = 1_000
QUESTIONS_SEED: Final = 5
SHOWN: Final = 5
SCANNED: Final = 10
"""Questions for which all songs are gone through, with and without a data frame."""

WARM_UP: Final = 20
"""Questions asked before the clock runs."""

TOP_1_PCT, TOP_5_PCT, SEARCH_P95_MS, SEARCH_TIMES_FASTER = 95.0, 99.0, 15.0, 300.0
MANY_SONGS: Final = 1_000_000
MAX_GROWTH: Final = 3.0

FOREST_TREES: Final = 400
FOREST_ROWS: Final = 20_000
"""Made-up rows that the forest is fitted on; 114,000 as the data set has would fit for minutes."""

FOREST_COLUMNS: Final = 9
FOREST_POPULAR: Final = 0.13
FOREST_SEED: Final = 3
PREDICTIONS: Final = 60
PREDICTION_TIMES_FASTER: Final = 20.0

CARDS: Final = 40
ANIMATIONS: Final = 10
CARD_TIMES_FASTER, CARD_MS = 4.0, 40.0
ANIMATION_CARDS, ANIMATION_BYTES = 12.0, 900_000
NOW: Final = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
COVER_PX: Final = 420
GRAIN: Final = 0.06
JPEG_QUALITY: Final = 88
PLAIN_DPI: Final = 100


@dataclass(frozen=True, slots=True)
class Searched:
    """How a search fared: milliseconds and the place of the right song (0 is first, None not there), by question."""

    taken_ms: tuple[float, ...]
    places: tuple[int | None, ...]

    def right_pct(self, within: int) -> float:
        """Percent of the questions whose song is among the first ``within``."""
        return 100 * sum(place is not None and place < within for place in self.places) / len(self.places)


def measure_search(songs: SongSet, catalogue: Path) -> Row:
    """Search ``catalogue``, built of ``songs``, beside the predecessor's scan for the first of the questions."""
    questions = noisy_questions(songs.songs, QUESTIONS, QUESTIONS_SEED)
    (ours,) = _search([(catalogue, questions)])
    scan = _scan(songs, questions[:SCANNED])
    bare_ms = median([timed_ms(lambda q=q: _bare_scan(songs, q)) for q in questions[:SCANNED]])  # type: ignore[misc]
    ratio = median(scan.taken_ms) / median(ours.taken_ms)
    top_1, top_5, p95_ms = ours.right_pct(1), ours.right_pct(SHOWN), percentile(ours.taken_ms, 95)
    on_sample = Searched(ours.taken_ms[:SCANNED], ours.places[:SCANNED]).right_pct(1)
    quick = p95_ms <= SEARCH_P95_MS and ratio >= SEARCH_TIMES_FASTER
    return Row(
        what=f"misspelt song among {len(songs.entries):,} ({songs.label})",
        against=f"partial_ratio row by row over a data frame, {SCANNED} questions: {median(scan.taken_ms):,.0f} ms, "
        f"first right {scan.right_pct(1):.0f} % (ours on these: {on_sample:.0f} %); as a bare list: {bare_ms:,.0f} ms",
        measured=f"first right {top_1:.1f} %, in the first {SHOWN} {top_5:.1f} %, "
        f"median {median(ours.taken_ms):.1f} ms, p95 {p95_ms:.1f} ms",
        ratio=ratio,
        target=f">= {TOP_1_PCT:.0f} %, >= {TOP_5_PCT:.0f} %, <= {SEARCH_P95_MS:.0f} ms, "
        f">= {SEARCH_TIMES_FASTER:.0f} times faster, more often right",
        reached=top_1 >= TOP_1_PCT and top_5 >= TOP_5_PCT and quick and on_sample > scan.right_pct(1),
        figures={
            "top_1_pct": top_1,
            "top_5_pct": top_5,
            "median_ms": median(ours.taken_ms),
            "p95_ms": p95_ms,
            "scan_ms": median(scan.taken_ms),
            "bare_scan_ms": bare_ms,
            "top_1_of_sample_pct": on_sample,
            "scan_top_1_of_sample_pct": scan.right_pct(1),
        },
    )


def measure_growth_of_search(fewer: int, folder: Path) -> Row:
    """Search among ``MANY_SONGS`` made-up songs and among ``fewer`` of the same kind, by turns."""
    asked = []
    for songs_count in (fewer, MANY_SONGS):
        songs = made_up(songs_count, QUESTIONS_SEED)
        path = folder / f"made-up-{songs_count}.sqlite"
        songs.build(path)
        asked.append((path, noisy_questions(songs.songs, QUESTIONS, QUESTIONS_SEED)))
        del songs
    few, many = _search(asked)
    few_ms, many_ms = percentile(few.taken_ms, 95), percentile(many.taken_ms, 95)
    return Row(
        what=f"the same among {MANY_SONGS:,} made-up songs",
        against=f"{fewer:,} made-up songs: p95 {few_ms:.1f} ms, first right {few.right_pct(1):.1f} %",
        measured=f"p95 {many_ms:.1f} ms, first right {many.right_pct(1):.1f} %",
        ratio=many_ms / few_ms,
        target=f"p95 grows at most {MAX_GROWTH:.0f} times",
        reached=many_ms / few_ms <= MAX_GROWTH,
        figures={
            "p95_ms": many_ms,
            "p95_fewer_ms": few_ms,
            "top_1_pct": many.right_pct(1),
            "top_1_fewer_pct": few.right_pct(1),
        },
    )


def _search(asked: Sequence[tuple[Path, Sequence[NoisyQuestion]]]) -> list[Searched]:
    """Ask each catalogue its questions, by turns, after some that are not timed."""
    catalogues = [Catalogue.open(path) for path, _ in asked]
    found: list[list[tuple[float, int | None]]] = [[] for _ in asked]
    for number in range(-WARM_UP, QUESTIONS):
        for place, catalogue in enumerate(catalogues):
            answer = _ask(catalogue, asked[place][1][number])
            if number >= 0:
                found[place].append(answer)
    for catalogue in catalogues:
        catalogue.close()
    return [Searched(*zip(*answers, strict=True)) for answers in found]


def _ask(catalogue: Catalogue, question: NoisyQuestion) -> tuple[float, int | None]:
    started = time.perf_counter()
    found = catalogue.search(parse_query(question.text), SHOWN)
    taken_ms = (time.perf_counter() - started) * 1000
    return taken_ms, _place([candidate.name for candidate in found], question.song)


def _scan(songs: SongSet, questions: Sequence[NoisyQuestion]) -> Searched:
    """Do as the predecessor: go through a data frame row by row, and keep what ``partial_ratio`` likes best."""
    frame = pd.DataFrame(
        {
            "artists": song.artist,
            "track_name": song.title,
            "album_name": song.album,
            "duration_ms": song.duration_ms,
            "explicit": song.explicit,
            "popularity": entry.popularity,
        }
        for entry in songs.entries
        for song in [entry.song]
    )
    taken, places = [], []
    for question in questions:
        started = time.perf_counter()
        asked = question.text.lower()
        scores = []
        for _, row in frame.iterrows():
            name = f"{row['track_name']} - {row['artists']}".lower()
            scores.append((fuzz.partial_ratio(asked, name), SongName(row["track_name"], row["artists"])))
        scores.sort(key=lambda score: -score[0])
        taken.append((time.perf_counter() - started) * 1000)
        places.append(_place([name for _, name in scores[:SHOWN]], question.song))
    return Searched(tuple(taken), tuple(places))


def _bare_scan(songs: SongSet, question: NoisyQuestion) -> float:
    """Make the same calls of ``partial_ratio`` without the data frame, as quickly as a plain loop can."""
    asked = question.text.lower()
    return max(
        fuzz.partial_ratio(asked, f"{entry.song.title} - {entry.song.artist}".lower()) for entry in songs.entries
    )


def _place(found: Sequence[SongName], wanted: Song) -> int | None:
    key = song_key(wanted.title, wanted.artist)
    return next((place for place, name in enumerate(found) if song_key(name.title, name.artist) == key), None)


def measure_prediction(songs: Sequence[Song], models_dir: Path) -> Row:
    """Assess songs of which everything is known, beside one row through the predecessor's 400 trees on all cores.

    The forest is fitted on made-up figures, and fewer of them than the data set's: that can only make it quicker.
    """
    model = HitModel.load(models_dir)
    figures_known = {"playcount": 1_500_000, "artist_listeners": 900_000, "artist_playcount": 20_000_000}
    known = cycle(
        replace(song, listeners=100_000 + place, tags=("pop", "rock"), **figures_known)
        for place, song in enumerate(songs[:PREDICTIONS])
    )
    rng = np.random.default_rng(FOREST_SEED)
    figures = rng.random((FOREST_ROWS, FOREST_COLUMNS))
    popular = rng.random(FOREST_ROWS) < FOREST_POPULAR
    forest = predecessor_forest(FOREST_SEED, trees=FOREST_TREES, jobs=cores()).fit(figures, popular)
    forest.set_params(randomforestclassifier__n_jobs=-1)
    row = figures[:1]
    taken = interleaved_ms(
        {"ours": lambda: model.assess(next(known)), "forest": lambda: forest.predict_proba(row)}, PREDICTIONS
    )
    ours_ms, forest_ms = median(taken["ours"]), median(taken["forest"])
    return Row(
        what="one prediction with reasons",
        against=f"{FOREST_TREES}-tree forest, n_jobs=-1, one row: {forest_ms:.0f} ms",
        measured=f"{ours_ms:.1f} ms, p95 {percentile(taken['ours'], 95):.1f} ms",
        ratio=forest_ms / ours_ms,
        target=f">= {PREDICTION_TIMES_FASTER:.0f} times faster",
        reached=forest_ms / ours_ms >= PREDICTION_TIMES_FASTER,
        figures={"prediction_ms": ours_ms, "forest_ms": forest_ms},
    )


def measure_card() -> Row:
    """Draw cards that were never drawn before, covers included, beside the plain way."""
    cover = _photograph()
    fresh = count()
    drawn = interleaved_ms(
        {
            "ours": lambda: draw_card(_another(next(fresh)), cover, NOW),
            "plain": lambda: _draw_plainly(_another(next(fresh)), cover, NOW),
        },
        CARDS,
    )
    ours_ms, plain_ms = median(drawn["ours"]), median(drawn["plain"])
    return Row(
        what="one card, cover included, none drawn before",
        against=f"a fresh matplotlib figure of the same content: {plain_ms:.0f} ms",
        measured=f"{ours_ms:.1f} ms, p95 {percentile(drawn['ours'], 95):.1f} ms",
        ratio=plain_ms / ours_ms,
        target=f">= {CARD_TIMES_FASTER:.0f} times faster, <= {CARD_MS:.0f} ms",
        reached=plain_ms / ours_ms >= CARD_TIMES_FASTER and ours_ms <= CARD_MS,
        figures={"card_ms": ours_ms, "card_p95_ms": percentile(drawn["ours"], 95), "plain_ms": plain_ms},
    )


def measure_animation() -> Row:
    """Draw moving cards beside still ones."""
    cover = _photograph()
    fresh = count(1000)
    sizes: list[int] = []
    drawn = interleaved_ms(
        {
            "moving": lambda: sizes.append(len(draw_animation(_another(next(fresh)), cover, NOW))),
            "still": lambda: draw_card(_another(next(fresh)), cover, NOW),
        },
        ANIMATIONS,
    )
    with Image.open(io.BytesIO(draw_animation(_another(0), cover, NOW))) as film:
        frames = getattr(film, "n_frames", 1)
    ratio = median(drawn["moving"]) / median(drawn["still"])
    return Row(
        what=f"animated card, {frames} frames",
        against=f"one card: {median(drawn['still']):.1f} ms",
        measured=f"{median(drawn['moving']):.0f} ms, {max(sizes) / 1000:,.0f} kB at most",
        ratio=ratio,
        target=f"<= {ANIMATION_CARDS:.0f} times one card, <= {ANIMATION_BYTES // 1000} kB",
        reached=frames == FRAMES and ratio <= ANIMATION_CARDS and max(sizes) <= ANIMATION_BYTES,
        figures={"animation_ms": median(drawn["moving"]), "animation_bytes": max(sizes), "frames": frames},
    )


def card_alone_ms() -> float:
    """Return the median time of one card with a drawn cover, drawn alone."""
    for number in range(3):
        draw_card(_another(number), None, NOW)
    return median([timed_ms(lambda n=n: draw_card(_another(10_000 + n), None, NOW)) for n in range(CARDS)])  # type: ignore[misc]


def _another(number: int) -> Prediction:
    """Make a prediction whose every line of text and confidence differ from the others'."""
    made = prediction(
        f"Blinding Lights {number}",
        f"The Weeknd {number}",
        probability=(0.05 + 0.017 * number) % 1,
        age=timedelta(minutes=number % 50),
    )
    features = tuple(
        replace(feature, value=feature.value * (1 + number % 97), percentile=(7.3 * number + 11 * place) % 100)
        for place, feature in enumerate(made.assessment.features)
    )
    return replace(made, assessment=replace(made.assessment, features=features))


def _photograph() -> Cover:
    """Make a cover with the colours and the unrest of a photograph, as it comes out of a JPEG file."""
    rng = random.Random(1)  # noqa: S311 - repeats, guards nothing
    coarse = Image.frombytes("RGB", (24, 24), rng.randbytes(24 * 24 * 3))
    smooth = coarse.resize((COVER_PX, COVER_PX), Image.Resampling.BICUBIC)
    grain = Image.frombytes("RGB", (COVER_PX, COVER_PX), rng.randbytes(COVER_PX * COVER_PX * 3))
    file = io.BytesIO()
    Image.blend(smooth, grain, GRAIN).save(file, "JPEG", quality=JPEG_QUALITY)
    with Image.open(file) as photo:
        return Cover(photo.convert("RGB").tobytes(), COVER_PX)


def _draw_plainly(prediction: Prediction, cover: Cover, now: datetime) -> bytes:
    """Draw cover, title, artist, gauge, verdict, feature bars and small print with one figure; PNG, 1200 x 630."""
    assessment, accent = prediction.assessment, ACCENTS[prediction.assessment.verdict].unit
    figure = Figure(figsize=(WIDTH_PX / PLAIN_DPI, HEIGHT_PX / PLAIN_DPI), dpi=PLAIN_DPI, facecolor=GROUND.unit)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, WIDTH_PX)
    axes.set_ylim(HEIGHT_PX, 0)
    axes.axis("off")
    _draw_cover(axes, cover, accent)
    axes.text(520, 105, prediction.song.title, fontsize=38, fontweight="bold", color=WHITE.unit)
    axes.text(520, 148, prediction.song.artist, fontsize=21, color=TEXT.unit)
    _draw_gauge(axes, prediction, accent)
    for place, row in enumerate(figures(assessment)):
        y = 480 + 37 * place
        axes.text(524, y, row.label, fontsize=19, color=TEXT.unit)
        axes.text(1000, y, row.value, fontsize=19, color=WHITE.unit, ha="right", fontweight="bold")
        axes.text(1148, y, row.standing, fontsize=19, color=QUIET.unit, ha="right")
    small = f"{source_words(prediction.source, now)} · {assessment.base_rate:.0%} of all songs are popular"
    axes.text(52, 594, small, fontsize=14, color=QUIET.unit)
    axes.text(1148, 594, "Hitmeter", fontsize=15, color=QUIET.unit, ha="right", fontweight="bold")
    file = io.BytesIO()
    figure.savefig(file, format="png", facecolor=figure.get_facecolor())
    return file.getvalue()


def _draw_cover(axes: Axes, cover: Cover, accent: tuple[float, float, float]) -> None:
    for reach in range(48, 0, -8):
        corner = (52 - reach, 68 - reach)
        axes.add_patch(Rectangle(corner, 420 + 2 * reach, 420 + 2 * reach, color=accent, alpha=0.05, lw=0))
    art = np.frombuffer(cover.rgb, dtype=np.uint8).reshape(cover.side_px, cover.side_px, 3)
    shown = axes.imshow(art, extent=(52, 472, 488, 68), interpolation="lanczos", aspect="auto")
    shown.set_clip_path(
        FancyBboxPatch((75, 91), 374, 374, boxstyle="round,pad=23,rounding_size=23", transform=axes.transData)
    )


def _draw_gauge(axes: Axes, prediction: Prediction, accent: tuple[float, float, float]) -> None:
    bands, share = prediction.assessment.bands, prediction.assessment.probability
    hub = (664, 362)
    for start, end, colour in (
        (0, bands.medium, "#EF4444"),
        (bands.medium, bands.popular, "#F59E0B"),
        (bands.popular, 1, "#1DB954"),
    ):
        axes.add_patch(Wedge(hub, 140, 180 + 180 * start, 180 + 180 * end, width=31, color=colour, alpha=0.3, lw=0))
    axes.add_patch(Wedge(hub, 140, 180, 180 + 180 * share, width=31, color=accent, lw=0))
    angle = np.pi * (1 + share)
    tip = (hub[0] + 126 * np.cos(angle), hub[1] + 126 * np.sin(angle))
    side = (7 * np.sin(angle), -7 * np.cos(angle))
    blade = [(hub[0] + side[0], hub[1] + side[1]), tip, (hub[0] - side[0], hub[1] - side[1])]
    axes.add_patch(Polygon(blade, color=WHITE.unit))
    axes.add_patch(Wedge(hub, 12, 0, 360, color=WHITE.unit))
    axes.text(846, 300, f"{prediction.confidence_pct:.1f} %", fontsize=66, fontweight="bold", color=WHITE.unit)
    axes.text(846, 360, f"▲ {prediction.assessment.verdict}", fontsize=28, fontweight="bold", color=accent)
