"""How quickly and how rightly a misspelt song is found."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd
from rapidfuzz import fuzz

from core.domain import Song, SongName
from core.lookup.catalogue import Catalogue
from core.lookup.normalise import song_key
from core.query import parse_query
from scripts.benchmarks.measuring import Row, median, percentile, timed_ms
from scripts.benchmarks.noise import NoisyQuestion, noisy_questions
from scripts.benchmarks.songs import SongSet, made_up

QUESTIONS: Final = 1_000
SEED: Final = 5
SHOWN: Final = 5
SCANNED: Final = 10
BARE_SCANNED: Final = 10
"""Questions for which all songs are gone through, with and without a data frame."""

WARM_UP: Final = 20
"""Questions asked before the clock runs."""

TOP_1_PCT, TOP_5_PCT, P95_MS, TIMES_FASTER = 95.0, 99.0, 15.0, 300.0
GROWTH_MOST: Final = 3.0
MANY_SONGS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Searched:
    """How a search fared: milliseconds and the place of the right song (0 is first, None not there), by question."""

    taken_ms: tuple[float, ...]
    places: tuple[int | None, ...]

    def right_pct(self, within: int) -> float:
        """Percent of the questions whose song is among the first ``within``."""
        return 100 * sum(place is not None and place < within for place in self.places) / len(self.places)


def measure_search(songs: SongSet, catalogue: Path, *, scanned: int = SCANNED) -> Row:
    """Search ``catalogue``, built of ``songs``, beside the predecessor's scan for ``scanned`` of the questions."""
    questions = noisy_questions(songs.songs, QUESTIONS, SEED)
    ours = _search(catalogue, questions)
    scan = _scan(songs, questions[:scanned])
    bare_ms = median([timed_ms(lambda q=q: _bare_scan(songs, q)) for q in questions[:BARE_SCANNED]])  # type: ignore[misc]
    ratio = median(scan.taken_ms) / median(ours.taken_ms)
    top_1, top_5, p95_ms = ours.right_pct(1), ours.right_pct(SHOWN), percentile(ours.taken_ms, 95)
    on_sample = Searched(ours.taken_ms[:scanned], ours.places[:scanned]).right_pct(1)
    reached = top_1 >= TOP_1_PCT and top_5 >= TOP_5_PCT and p95_ms <= P95_MS and ratio >= TIMES_FASTER
    return Row(
        what=f"misspelt song among {len(songs.entries):,} ({songs.label})",
        against=f"partial_ratio row by row over a data frame, {scanned} questions: {median(scan.taken_ms):,.0f} ms, "
        f"first right {scan.right_pct(1):.0f} % (ours on these: {on_sample:.0f} %); as a bare list: {bare_ms:,.0f} ms",
        measured=f"first right {top_1:.1f} %, in the first {SHOWN} {top_5:.1f} %, "
        f"median {median(ours.taken_ms):.1f} ms, p95 {p95_ms:.1f} ms",
        ratio=ratio,
        target=f">= {TOP_1_PCT:.0f} %, >= {TOP_5_PCT:.0f} %, <= {P95_MS:.0f} ms, >= {TIMES_FASTER:.0f} times faster, "
        "more often right",
        reached=reached and on_sample > scan.right_pct(1),
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


def measure_growth_of_search(fewer: int, folder: Path, *, many: int = MANY_SONGS) -> Row:
    """Search among ``many`` made-up songs and among ``fewer`` of the same kind, by turns."""
    catalogues = {}
    for count in (fewer, many):
        songs = made_up(count, SEED)
        path = folder / f"made-up-{count}.sqlite"
        songs.build(path)
        catalogues[count] = (path, noisy_questions(songs.songs, QUESTIONS, SEED))
        del songs
    opened = {count: Catalogue.open(path) for count, (path, _) in catalogues.items()}
    searched: dict[int, tuple[list[float], list[int | None]]] = {count: ([], []) for count in opened}
    for number in range(-WARM_UP, QUESTIONS):
        for count, catalogue in opened.items():
            question = catalogues[count][1][number]
            taken_ms, place = _ask(catalogue, question)
            if number >= 0:
                searched[count][0].append(taken_ms)
                searched[count][1].append(place)
    for catalogue in opened.values():
        catalogue.close()
    few, lots = (Searched(tuple(taken), tuple(places)) for taken, places in searched.values())
    growth = percentile(lots.taken_ms, 95) / percentile(few.taken_ms, 95)
    return Row(
        what=f"the same among {many:,} made-up songs",
        against=f"{fewer:,} made-up songs: p95 {percentile(few.taken_ms, 95):.1f} ms, "
        f"first right {few.right_pct(1):.1f} %",
        measured=f"p95 {percentile(lots.taken_ms, 95):.1f} ms, first right {lots.right_pct(1):.1f} %",
        ratio=growth,
        target=f"p95 grows at most {GROWTH_MOST:.0f} times",
        reached=growth <= GROWTH_MOST,
        figures={
            "p95_ms": percentile(lots.taken_ms, 95),
            "p95_fewer_ms": percentile(few.taken_ms, 95),
            "top_1_pct": lots.right_pct(1),
            "top_1_fewer_pct": few.right_pct(1),
        },
    )


def _search(path: Path, questions: Sequence[NoisyQuestion]) -> Searched:
    catalogue = Catalogue.open(path)
    try:
        for question in questions[-WARM_UP:]:
            _ask(catalogue, question)
        taken_ms, places = zip(*(_ask(catalogue, question) for question in questions), strict=True)
    finally:
        catalogue.close()
    return Searched(taken_ms, places)


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
