from __future__ import annotations

from pathlib import Path

import pytest

from core.model.artifact import save
from core.model.boosting import base_pipeline
from core.model.inference import HitModel
from core.model.songs import TrainingSongs, build_songs
from core.model.tables import RawTables, load_tables
from core.model.training import Trained, train
from tests.fakes.training_files import TRAINED_AT, write_training_files


@pytest.fixture(scope="session")
def training_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_training_files(tmp_path_factory.mktemp("training"))


@pytest.fixture(scope="session")
def tables(training_folder: Path) -> RawTables:
    return load_tables(training_folder)


@pytest.fixture(scope="session")
def songs(tables: RawTables) -> TrainingSongs:
    return build_songs(tables)


def small_pipeline(seed: int) -> object:
    return base_pipeline(seed, n_seeds=1, max_iter=40)


@pytest.fixture(scope="session")
def trained(tables: RawTables, songs: TrainingSongs) -> Trained:
    return train(tables, songs, build=small_pipeline)


@pytest.fixture(scope="session")
def models_dir(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    save(trained.model, folder, trained_at=TRAINED_AT, extras={"metrics.json": b"{}\n"}, recipe="default")
    return folder


@pytest.fixture(scope="session")
def hit_model(models_dir: Path) -> HitModel:
    return HitModel.load(models_dir)
