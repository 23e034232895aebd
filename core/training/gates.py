"""What a model must reach before it may replace another, and whether it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import numpy as np

from core.domain import Song
from core.model.hit_model import HitModel
from core.training.data import TrainingSongs

AT_LEAST: Final[tuple[tuple[str, str, str, float], ...]] = (
    ("live", "live", "roc_auc_within", 0.75),
    ("real_tags", "teotu2024", "roc_auc", 0.81),
    ("real_tags", "mattsandy2019", "roc_auc", 0.855),
    ("real_tags", "hetrec2011", "roc_auc", 0.89),
    ("real_tags", "adammertel", "roc_auc", 0.85),
    ("songs_clean", "full", "roc_auc", 0.942),
    ("songs_clean", "full", "average_precision", 0.74),
    ("predecessor", "full", "f1", 0.64),
)
"""Protocol, view, metric and the least value."""

AT_MOST: Final[tuple[tuple[str, str, str, float], ...]] = (
    ("live", "live", "ece", 0.04),
    ("songs_clean", "full", "ece", 0.010),
)
"""Protocol, view, metric and the greatest value."""

AHEAD: Final[tuple[tuple[str, str, str, str, float], ...]] = (
    ("live", "live", "plays_alone", "roc_auc_within", 0.04),
    ("artist_figures", "live", "artist_listeners_alone", "roc_auc_within", 0.05),
    ("real_tags", "teotu2024", "teotu2024_without_tags", "roc_auc", 0.0),
    ("real_tags", "mattsandy2019", "mattsandy2019_without_tags", "roc_auc", 0.0),
    ("real_tags", "hetrec2011", "hetrec2011_without_tags", "roc_auc", 0.0),
    ("real_tags", "adammertel", "adammertel_without_tags", "roc_auc", 0.0),
)
"""Protocol, view, the view it must be ahead of, metric and by how much at least."""

BEHIND_PLAYS_MAX: Final = 0.02
"""How far the ranking inside a collection may fall behind that by plays."""

BIG_COLLECTION: Final = 500
"""Songs from which a collection counts for that; one of them may fall further behind."""

OBSCURE_BELOW: Final = 0.10
"""Greatest probability for 300 listeners by an artist nobody knows."""

FAMOUS_ABOVE: Final = 0.85
"""Least probability for two million listeners and thirty million plays."""

SMALL_AUDIENCE: Final = 500
GREAT_AUDIENCE: Final = 3_000_000
"""Listeners of an artist nobody knows and of a famous one."""

ASKED_ON: Final = date(2026, 1, 1)
"""The day of the made-up questions, so that the same model always passes or fails alike."""

HIT: Final = Song(
    title="Blinding Lights", artist="The Weeknd", album="After Hours", released=date(2019, 11, 29), listeners=2_418_351,
    playcount=37_246_021, artist_listeners=4_512_003, artist_playcount=850_931_524,
    tags=("synthpop", "pop", "80s"), duration_ms=200_040, explicit=False,
)  # fmt: skip
"""A song everybody knows, with its figures on Last.fm."""

TELLING_TAGS: Final = ("romantic", "study", "gospel", "sleep", "classical", "black metal", "comedy", "karaoke")
"""Tags that mostly stand on songs few people play."""

STEPS: Final = tuple(int(value) for value in np.geomspace(100, 8_000_000, 25))
"""Listeners of the grid on which more must never mean less."""

TOLERANCE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Gate:
    """One demand: what was asked for, what was found, and whether that is enough."""

    name: str
    demand: str
    found: float
    passed: bool


def metric_gates(metrics: Mapping[str, Any]) -> tuple[Gate, ...]:
    """Check the metrics against ``AT_LEAST`` and ``AT_MOST``."""
    protocols = metrics["protocols"]
    gates = []
    for sign, demands in ((1, AT_LEAST), (-1, AT_MOST)):
        for protocol, view, metric, bound in demands:
            if view not in protocols[protocol]["views"]:
                continue  # a collection of tags that this data lacks
            found = float(protocols[protocol]["views"][view].get(metric, np.nan))
            demand = f"{'>=' if sign > 0 else '<='} {bound:g}"
            gates.append(Gate(f"{protocol} {view} {metric}", demand, found, sign * (found - bound) >= 0))
    for protocol, view, rival, metric, least in AHEAD:
        views = protocols[protocol]["views"]
        if view in views:
            ahead = float(views[view].get(metric, np.nan)) - float(views[rival].get(metric, np.nan))
            gates.append(Gate(f"{protocol} {view} {metric} ahead of {rival}", f">= {least:g}", ahead, ahead >= least))
    sources = [
        found for found in protocols["live"]["sources"].values() if found["n"] >= BIG_COLLECTION and "live" in found
    ]
    behind = sum(found["plays_alone"] - found["live"] > BEHIND_PLAYS_MAX for found in sources)
    gates.append(Gate("collections where plays alone rank better", "<= 1", float(behind), behind <= 1))
    return tuple(gates)


def sense_gates(model: HitModel) -> tuple[Gate, ...]:
    """Check on a grid what any listener would expect of an answer, whatever else is known.

    More listeners, more plays or a bigger artist never lower an answer, each alone and all together; nobody's song is
    no hit and everybody's is one; no single tag turns a hit into a flop.
    """
    drops: dict[str, float] = {}
    greatest_obscure, least_famous = 0.0, 1.0
    settings = _settings()
    for name, sweep in _SWEEPS.items():
        answers = model.probabilities([sweep(song, step) for song in settings for step in STEPS], as_of=ASKED_ON)
        drops[name] = max(0.0, -float(np.diff(answers.reshape(len(settings), len(STEPS))).min()))
    for song in settings:
        if song.artist_listeners == SMALL_AUDIENCE:
            heard = replace(song, listeners=300, playcount=1200)
            greatest_obscure = max(greatest_obscure, float(model.probabilities([heard], as_of=ASKED_ON)[0]))
        if song.artist_listeners == GREAT_AUDIENCE:
            heard = replace(song, listeners=2_000_000, playcount=30_000_000)
            least_famous = min(least_famous, float(model.probabilities([heard], as_of=ASKED_ON)[0]))
    tagged = model.probabilities([replace(HIT, tags=(*HIT.tags, tag)) for tag in TELLING_TAGS], as_of=ASKED_ON)
    alone = model.probabilities([replace(HIT, tags=(tag,)) for tag in TELLING_TAGS], as_of=ASKED_ON)
    least_tagged = float(min(tagged.min(), alone.min()))
    return (
        *(Gate(f"greatest drop for {name}", "<= 0", drop, drop <= TOLERANCE) for name, drop in drops.items()),
        Gate("300 listeners, small artist", f"< {OBSCURE_BELOW:g}", greatest_obscure, greatest_obscure < OBSCURE_BELOW),
        Gate("2 million listeners, 30 million plays", f"> {FAMOUS_ABOVE:g}", least_famous, least_famous > FAMOUS_ABOVE),
        Gate(
            "a hit with one strange tag",
            f">= {model.bands.popular:g}",
            least_tagged,
            least_tagged >= model.bands.popular,
        ),
    )


def reason_gates(model: HitModel, songs: TrainingSongs, n_songs: int) -> tuple[Gate, ...]:
    """Check that each reason's sign is that of what swapping the figure for a usual one does to the served answer."""
    places = np.flatnonzero(songs.labelled & songs.has_track_figures)
    wrong = 0
    for place in places[:: max(1, len(places) // n_songs)]:
        song = songs.songs[place]
        own = model.assess(song, as_of=ASKED_ON)
        for reason in own.reasons:
            swapped = model.with_usual(song, reason.key, as_of=ASKED_ON)
            if swapped is not None:
                other = model.assess(swapped, as_of=ASKED_ON).probability
                wrong += (own.probability - other) * reason.push < 0
    return (Gate(f"reasons of {n_songs} songs with the wrong sign", "<= 0", float(wrong), wrong == 0),)


def _settings() -> list[Song]:
    """List songs of artists in every fold: artist unknown, hardly heard or famous; tags, date, album known or not."""
    audiences = (None, SMALL_AUDIENCE, 40_000, GREAT_AUDIENCE)
    return [
        Song(
            title="Morning Light",
            artist=f"The Example {number}",
            album="Morning Light" if tags else None,
            released=released,
            artist_listeners=audience,
            artist_playcount=None if audience is None else audience * 40,
            tags=tags,
            duration_ms=200_000 if tags else None,
        )
        for number in range(10)
        for audience in audiences
        for tags in ((), ("pop",), ("rock", "indie"))
        for released in (None, date(2025, 6, 1), date(1985, 7, 1))
    ]


def _more_listeners(song: Song, step: int) -> Song:
    return replace(song, listeners=step, playcount=30_000_000)


def _more_plays(song: Song, step: int) -> Song:
    return replace(song, listeners=20_000, playcount=step * 4)


def _more_of_both(song: Song, step: int) -> Song:
    return replace(song, listeners=step, playcount=step * 12)


def _bigger_artist(song: Song, step: int) -> Song:
    return replace(song, listeners=100_000, playcount=600_000, artist_listeners=step, artist_playcount=step * 40)


def _bigger_artist_without_figures(song: Song, step: int) -> Song:
    return replace(song, artist_listeners=step, artist_playcount=step * 40)


def _more_of_all(song: Song, step: int) -> Song:
    return replace(_bigger_artist(song, step * 3), listeners=step, playcount=step * 12)


_SWEEPS: Final = {
    "more listeners": _more_listeners,
    "more plays": _more_plays,
    "more listeners and plays": _more_of_both,
    "a bigger artist": _bigger_artist,
    "a bigger artist, no figures of the song": _bigger_artist_without_figures,
    "more of all": _more_of_all,
}
