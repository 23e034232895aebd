from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

from core.model.features import FloatMatrix, base_matrix
from core.model.hit_model import HitModel
from core.training.crossfit import BaseModel
from core.training.data import RawTables, TrainingSongs, build_songs, load_tables
from core.training.promotion import save
from core.training.recipes import Budget, Recipe
from core.training.train import Trained, train
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


def small_model(seed: int, vocabulary: Sequence[str]) -> BaseModel:
    return BaseModel(vocabulary, seed=seed, max_iter=40)


SMALL = Recipe("default", small_model)
LITTLE = Budget(forest_trees=10, predecessor_rounds=10, resamples=20, reason_songs=60)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Keep tiny models on one thread: starting several costs more than they do."""
    with threadpool_limits(limits=1):
        yield


@pytest.fixture(scope="session")
def rows(songs: TrainingSongs) -> FloatMatrix:
    return base_matrix(songs.songs, songs.labelled_on)


@pytest.fixture(scope="session")
def trained(tables: RawTables, songs: TrainingSongs) -> Trained:
    return train(tables, songs, recipe=SMALL, budget=LITTLE)


@pytest.fixture(scope="session")
def models_dir(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    save(trained.model, folder, trained_at=TRAINED_AT, extras={"metrics.json": b"{}\n"}, recipe="default")
    return folder


@pytest.fixture(scope="session")
def hit_model(models_dir: Path) -> HitModel:
    return HitModel.load(models_dir)
