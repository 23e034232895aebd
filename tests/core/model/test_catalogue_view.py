"""What the bot answers of the catalogue alone is what the model was measured on: the view ``catalogue``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from core.assembly import build_predictor
from core.domain import Block, Origin, Prediction, Song, SongName
from core.lookup.catalogue import Catalogue
from core.lookup.catalogue_build import build_catalogue
from core.model.features import VIEWS, base_matrix, known_blocks, mask_groups, pattern_of
from core.settings import Settings
from core.training.data import CATALOGUE_LABELLED, build_songs, load_tables
from tests.fakes.chain import committed_model
from tests.fakes.training_files import write_training_files

DAY = date(2026, 11, 25)


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Song]]:
    """Build a catalogue and the model's songs of the same table; the songs are those of the catalogue."""
    folder = write_training_files(tmp_path_factory.mktemp("tables"))
    (folder / "data").mkdir()
    build_catalogue(folder / "spotify_tracks_test.csv.gz", folder / "data" / "catalogue.sqlite", source="test")
    songs = build_songs(load_tables(folder))
    return folder, [song for song, own in zip(songs.songs, songs.in_catalogue, strict=True) if own]


def test_the_catalogue_gives_the_row_that_the_model_learnt(learnt: tuple[Path, list[Song]]) -> None:
    folder, songs = learnt
    with closing(Catalogue.open(folder / "data" / "catalogue.sqlite")) as catalogue:
        entries = [catalogue.find(song.name) for song in songs]
        assert len(catalogue) == len(songs)
    served = [replace(e.song, title=e.full_title or e.song.title) for e in entries if e is not None]
    pattern = VIEWS["catalogue"]
    assert all(pattern_of(known_blocks(song)) == pattern for song in served)
    expected = mask_groups(base_matrix(songs, CATALOGUE_LABELLED), pattern)
    np.testing.assert_array_equal(base_matrix(served, CATALOGUE_LABELLED), expected)


async def test_the_answer_has_the_probability_of_the_view(
    learnt: tuple[Path, list[Song]], settings_for: Callable[..., Settings]
) -> None:
    folder, songs = learnt
    (folder / "data" / "demo_songs.csv").write_text(
        "artist,track,album,listeners,playcount,artist_listeners,artist_playcount,tags,duration_ms,explicit,recorded,"
        "released,kind\n"
    )
    predictor = build_predictor(settings_for(data_dir=folder / "data")).predictor
    known = [
        replace(song, listeners=None, playcount=None, artist_listeners=None, artist_playcount=None, tags=())
        for song in songs[::160]
    ]
    expected = committed_model().probabilities(known, DAY)
    try:
        answers = await asyncio.gather(*(predictor.predict_song(SongName(s.title, s.artist)) for s in known))
    finally:
        await predictor.aclose()
    for answer, probability in zip(answers, expected, strict=True):
        assert isinstance(answer, Prediction)
        assert answer.source.origin is Origin.CATALOGUE
        assert answer.assessment.view == (Block.GENRES, Block.AUDIO)
        assert answer.assessment.probability == pytest.approx(probability, abs=1e-12)
        assert answer.popularity is not None


def test_its_verdicts_are_told_with_what_was_measured_in_that_view(learnt: tuple[Path, list[Song]]) -> None:
    model, (_, songs) = committed_model(), learnt
    measured = model.metrics["protocols"]["songs_clean"]["views"]["catalogue"]["verdicts"]
    song = replace(songs[0], listeners=None, playcount=None, artist_listeners=None, artist_playcount=None, tags=())
    record = model.assess(song, as_of=DAY).record
    assert record is not None
    told = {"share_popular": record.share_popular, "n": record.n_songs}
    assert told == measured[record.verdict.value]
