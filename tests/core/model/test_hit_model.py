from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from core.domain import Block, Song, Verdict
from core.errors import ModelMissing, ModelRejected
from core.model.artifact import MANIFEST
from core.model.ensemble import sigmoid
from core.model.features import pattern_of
from core.model.hit_model import PROBES, HitModel
from core.settings import ROOT
from core.training.data import TrainingSongs
from core.training.train import Trained
from core.words import figure, reason_with_figure
from tests.fakes.training_files import TRAINED_AT

DAY = date(2026, 1, 1)
BARE = Song(title="Nowhere Song", artist="Nobody At All")


def test_a_training_song_gets_its_out_of_fold_probability(
    hit_model: HitModel, trained: Trained, songs: TrainingSongs
) -> None:
    """Catalogue songs without tags look the same in training and in an answer; others are drawn tags."""
    checked = 0
    for place in np.flatnonzero(songs.in_catalogue & songs.labelled & ~songs.has_track_figures)[::29]:
        song = replace(songs.songs[place], tags=())
        assessment = hit_model.assess(song, as_of=songs.labelled_on[place])
        expected = float(sigmoid(trained.fitted.base[pattern_of(assessment.view)][place : place + 1])[0])
        assert assessment.probability == pytest.approx(expected, abs=1e-9)
        checked += 1
    assert checked > 20


def test_one_song_and_many_are_answered_alike(hit_model: HitModel, songs: TrainingSongs) -> None:
    some = [songs.songs[place] for place in range(0, len(songs.songs), 41)]
    one_by_one = [hit_model.assess(song, as_of=DAY).probability for song in some]
    np.testing.assert_allclose(hit_model.probabilities(some, as_of=DAY), one_by_one, atol=1e-12)
    days = [DAY + timedelta(days=400 * place) for place in range(len(some))]
    each = [hit_model.assess(song, as_of=day).probability for song, day in zip(some, days, strict=True)]
    np.testing.assert_allclose(hit_model.probabilities(some, as_of=days), each, atol=1e-12)


def test_the_answer_depends_on_what_is_known(hit_model: HitModel, songs: TrainingSongs) -> None:
    nothing = hit_model.assess(BARE)
    assert nothing.view == ()
    assert nothing.features == ()
    assert nothing.verdict is Verdict.NOT_POPULAR
    song = replace(
        songs.songs[int(np.flatnonzero(songs.has_track_figures & ~songs.in_catalogue)[0])], tags=("pop", "joke")
    )
    assessment = hit_model.assess(song, as_of=DAY)
    assert assessment.view == tuple(Block)
    assert assessment.tags == ("pop",)


@pytest.mark.parametrize("released", [DAY + timedelta(days=7), DAY - timedelta(days=1), date(1958, 7, 1)])
def test_songs_of_next_week_of_yesterday_and_of_1958_are_answered(hit_model: HitModel, released: date) -> None:
    song = Song(title="A", artist="B", listeners=5000, playcount=30_000, released=released, tags=("pop",))
    assessment = hit_model.assess(song, as_of=DAY)
    assert 0 < assessment.probability < 1
    if released > DAY:
        today = hit_model.assess(replace(song, released=DAY), as_of=DAY)
        assert today.probability == assessment.probability


def test_features_are_ordered_and_written_for_people(hit_model: HitModel) -> None:
    song = Song(
        title="A", artist="B", listeners=2275434, playcount=37246021, artist_listeners=4512003,
        artist_playcount=400000000, tags=("pop",), duration_ms=200040, released=date(2025, 12, 11),
    )  # fmt: skip
    shown = {feature.key: feature for feature in hit_model.assess(song, as_of=DAY).features}
    assert list(shown) == [
        "listeners", "playcount", "plays_per_listener", "artist_listeners", "artist_playcount", "age_years",
        "duration_ms",
    ]  # fmt: skip
    assert [figure(shown[key]) for key in ("listeners", "plays_per_listener", "age_years", "duration_ms")] == [
        "2,275,434", "16.4", "3 weeks ago", "3:20",
    ]  # fmt: skip
    assert all(0 <= feature.percentile <= 100 for feature in shown.values() if feature.percentile is not None)


def test_percentiles_are_the_share_of_songs_below(hit_model: HitModel, songs: TrainingSongs) -> None:
    known = sorted(
        song.artist_listeners or 0
        for song, own, label in zip(songs.songs, songs.in_catalogue, songs.labelled, strict=True)
        if own and label
    )
    middle = known[len(known) // 2]
    song = Song(title="A", artist="B", artist_listeners=middle, artist_playcount=middle * 9)
    shown = {feature.key: feature.percentile for feature in hit_model.assess(song).features}
    assert shown["artist_listeners"] == pytest.approx(50, abs=1)


def test_a_figure_that_many_songs_share_has_no_rank() -> None:
    song = Song(title="A", artist="B", audio=replace(PROBES[-1].audio, instrumentalness=0.0))  # type: ignore[type-var]
    shown = {feature.key: feature.percentile for feature in HitModel.load(ROOT / "models").assess(song).features}
    assert shown["instrumentalness"] is None
    assert shown["danceability"] == pytest.approx(55, abs=20)


def test_reasons_are_at_most_three_each_way_and_name_their_figure(hit_model: HitModel) -> None:
    big = Song(
        title="A", artist="B", listeners=2_275_434, playcount=30_000_000, artist_listeners=9_000_000,
        artist_playcount=90_000_000, tags=("tango", "joke of 3"), released=date(1975, 10, 31), duration_ms=200_000,
    )  # fmt: skip
    reasons = hit_model.assess(big, as_of=DAY).reasons
    assert sum(reason.push > 0 for reason in reasons) <= 3
    assert sum(reason.push < 0 for reason in reasons) <= 3
    assert [abs(reason.push) for reason in reasons] == sorted((abs(r.push) for r in reasons), reverse=True)
    labels = {reason_with_figure(reason): reason.push for reason in reasons}
    assert labels["big artist (9M listeners)"] > 0
    assert any(label.startswith(("many listeners (2.3M)", "many plays (30M)")) for label in labels)
    assert not any("joke" in label for label in labels)


def test_each_reason_has_the_sign_of_the_swap(hit_model: HitModel, songs: TrainingSongs) -> None:
    checked = 0
    for place in np.flatnonzero(songs.has_track_figures)[::9]:
        song = songs.songs[place]
        own = hit_model.assess(song, as_of=DAY)
        for reason in own.reasons:
            swapped = hit_model.with_usual(song, reason.key, as_of=DAY)
            if swapped is not None:
                other = hit_model.assess(swapped, as_of=DAY).probability
                assert (own.probability - other) * reason.push >= 0, (song, reason)
                checked += 1
    assert checked > 50


def test_report_comes_from_the_metrics(hit_model: HitModel, trained: Trained) -> None:
    report = hit_model.report()
    assert report.trained_at == TRAINED_AT
    live = trained.metrics["protocols"]["live"]["views"]["live"]
    assert report.n_songs == live["n"]
    assert report.rows[0].roc_auc == live["roc_auc"]
    assert report.rows[1].ece is None
    assert {record.verdict for record in report.bands} <= set(Verdict)


def test_a_missing_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="There is no model in"):
        HitModel.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"format": 99}, "format 99"),
        ({"features": "0"}, "other rules"),
        ({"artifact": {"file": "../x.joblib", "bytes": 1, "sha256": "0"}}, "names no artifact"),
        ({"artifact": {}}, "lacks or garbles"),
        ({"artifact": {"file": "x", "bytes": float("inf"), "sha256": "0"}}, "lacks or garbles"),
        ({"trained_at": "yesterday"}, "lacks or garbles"),
    ],
)
def test_a_doubtful_manifest_is_refused(
    models_dir: Path, tmp_path: Path, change: dict[str, object], match: str
) -> None:
    manifest = json.loads((models_dir / MANIFEST).read_text()) | change
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(ModelRejected, match=match):
        HitModel.load(tmp_path)
