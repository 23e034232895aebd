"""Reasons: each push is what swapping the figure for a usual one does, and each label names the figure."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from core.domain import Song
from core.model import explain
from core.model.hit_model import HitModel
from core.training.data import TrainingSongs
from core.words import reason_with_figure

DAY = date(2026, 1, 1)
HEARD = Song(
    title="A", artist="B", album="A", listeners=2_275_434, playcount=30_000_000, artist_listeners=9_000_000,
    artist_playcount=90_000_000, tags=("pop",), duration_ms=200_040, released=date(1975, 10, 31),
)  # fmt: skip


@pytest.fixture
def every_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell all reasons, however weak."""
    monkeypatch.setattr(explain, "LEAST_PUSH", 0.0)
    monkeypatch.setattr(explain, "MOST_REASONS", 100)


def labels(model: HitModel, song: Song) -> dict[str, str]:
    return {reason.key: reason_with_figure(reason) for reason in model.assess(song, as_of=DAY).reasons}


def log_odds(model: HitModel, song: Song) -> float:
    p = model.assess(song, as_of=DAY).probability
    return float(np.log(p / (1 - p)))


@pytest.mark.usefixtures("every_reason")
def test_each_push_is_the_whole_difference_of_the_swap(hit_model: HitModel, songs: TrainingSongs) -> None:
    seen: set[str] = set()
    for place in range(0, len(songs.songs), 97):
        song = songs.songs[place]
        own = log_odds(hit_model, song)
        for reason in hit_model.assess(song, as_of=DAY).reasons:
            swapped = hit_model.with_usual(song, reason.key, as_of=DAY)
            if swapped is not None:
                # The usual figures of a song are whole numbers and days, those of a reason are not.
                assert own - log_odds(hit_model, swapped) == pytest.approx(reason.push, abs=0.02), (song, reason)
                seen.add(reason.key)
    assert {"artist_listeners", "age_years", "tags", "genres", "duration_ms"} <= seen
    assert seen & {"listeners", "playcount"}


@pytest.mark.usefixtures("every_reason")
def test_labels_name_the_figure(hit_model: HitModel) -> None:
    told = set(labels(hit_model, HEARD).values())
    assert {"big artist (9M listeners)", "released in 1975", "tag: pop"} <= told
    assert told & {"many listeners (2.3M)", "many plays (30M)"}


@pytest.mark.parametrize(
    ("ago", "label"),
    [
        (timedelta(days=21), "released 3 weeks ago"), (timedelta(days=1), "released 1 day ago"),
        (timedelta(0), "released today or later"), (timedelta(days=-7), "released today or later"),
        (timedelta(days=400), "released 1 year ago"), (timedelta(days=900), "released in 2023"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("every_reason")
def test_release_dates_are_told_as_people_do(hit_model: HitModel, ago: timedelta, label: str) -> None:
    assert labels(hit_model, replace(HEARD, released=DAY - ago))["age_years"] == label


@pytest.mark.usefixtures("every_reason")
def test_two_tags_at_most_are_named_and_unknown_ones_never(hit_model: HitModel) -> None:
    song = replace(HEARD, tags=("joke of 3", "pop", "party", "chill"))
    assert labels(hit_model, song)["tags"] == "tags: pop, party"
    assert "tags" not in labels(hit_model, replace(HEARD, tags=("joke of 3",)))


@pytest.mark.usefixtures("every_reason")
def test_what_is_unknown_gives_no_reason(hit_model: HitModel) -> None:
    told = labels(hit_model, Song(title="A", artist="B", duration_ms=200_040))
    assert set(told) <= {"duration_ms"}
