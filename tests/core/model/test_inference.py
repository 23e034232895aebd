from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.domain import Block, Song, Verdict
from core.errors import ModelMissing, ModelRejected
from core.model.artifact import MANIFEST
from core.model.calibration import sigmoid
from core.model.inference import HitModel
from core.model.songs import TrainingSongs
from core.model.training import Trained
from core.model.views import pattern_of
from tests.fakes.training_files import TRAINED_AT

BARE = Song(title="Nowhere Song", artist="Nobody At All")


def test_a_training_song_gets_its_out_of_fold_probability(
    hit_model: HitModel, trained: Trained, songs: TrainingSongs
) -> None:
    for place in range(0, len(songs.songs), 97):
        assessment = hit_model.assess(songs.songs[place])
        pattern = pattern_of(assessment.view)
        source = trained.fitted.weighed if Block.TRACK in assessment.view else trained.fitted.base
        expected = float(sigmoid(source[pattern][place : place + 1])[0])
        assert assessment.probability == pytest.approx(expected, abs=1e-9)


def test_the_answer_depends_on_what_is_known(hit_model: HitModel, songs: TrainingSongs) -> None:
    nothing = hit_model.assess(BARE)
    assert nothing.view == ()
    assert nothing.features == ()
    assert nothing.verdict is Verdict.NOT_POPULAR
    song = songs.songs[int(np.flatnonzero(songs.has_track_figures)[0])]
    assert hit_model.assess(song).view == (Block.TRACK, Block.ARTIST, Block.TAGS, Block.AUDIO)


def test_features_are_ordered_and_written_for_people(hit_model: HitModel) -> None:
    song = Song(
        title="A", artist="B", listeners=2275434, playcount=37246021, artist_listeners=4512003,
        artist_playcount=400000000, tags=("pop",), duration_ms=200040,
    )  # fmt: skip
    shown = {feature.key: feature for feature in hit_model.assess(song).features}
    assert list(shown) == [
        "listeners", "playcount", "plays_per_listener", "artist_listeners", "artist_playcount",
        "artist_plays_per_listener", "duration_ms",
    ]  # fmt: skip
    assert [shown[key].display for key in ("listeners", "plays_per_listener", "duration_ms")] == [
        "2,275,434", "16.4", "3:20",
    ]  # fmt: skip
    assert all(0 <= feature.percentile <= 100 for feature in shown.values() if feature.percentile is not None)


def test_percentiles_are_the_share_of_songs_below(hit_model: HitModel, songs: TrainingSongs) -> None:
    known = sorted(song.artist_listeners or 0 for song in songs.songs)
    middle = known[len(known) // 2]
    song = Song(title="A", artist="B", artist_listeners=middle, artist_playcount=middle * 9)
    shown = {feature.key: feature.percentile for feature in hit_model.assess(song).features}
    assert shown["artist_listeners"] == pytest.approx(50, abs=1)


def test_reasons_are_at_most_three_each_way_and_point_the_right_way(hit_model: HitModel) -> None:
    big = Song(title="A", artist="B", artist_listeners=9_000_000, artist_playcount=90_000_000, tags=("tango", "x"))
    reasons = hit_model.assess(big).reasons
    assert sum(reason.push > 0 for reason in reasons) <= 3
    assert sum(reason.push < 0 for reason in reasons) <= 3
    pushes = {reason.key: reason.push for reason in reasons}
    assert pushes["artist"] > 0 > pushes["tags"]
    assert [abs(reason.push) for reason in reasons] == sorted((abs(r.push) for r in reasons), reverse=True)
    assert {reason.label for reason in reasons} >= {"the artist's audience", "tags: tango, x"}


def test_report_comes_from_the_metrics(hit_model: HitModel, trained: Trained) -> None:
    report = hit_model.report()
    assert report.trained_at == TRAINED_AT
    assert report.n_songs == len(trained.songs.songs)
    full = trained.metrics["protocols"]["songs"]["views"]["full"]
    assert report.rows[0].roc_auc == full["roc_auc"]
    assert {record.verdict for record in report.bands} <= set(Verdict)


def test_a_missing_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="There is no model in"):
        HitModel.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"format": 99}, "format 99"),
        ({"versions": {"scikit-learn": "0.1"}}, "made with"),
        ({"features": "0"}, "other rules"),
        ({"artifact": {"file": "../x.joblib", "bytes": 1, "sha256": "0"}}, "names no artifact"),
        ({"artifact": {}}, "lacks or garbles"),
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
