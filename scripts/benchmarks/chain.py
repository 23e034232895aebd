"""The whole chain as the measurements run it: the real predictor over a Last.fm in another process."""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.runtime import tune_runtime
from core.assembly import build_predictor
from core.domain import Song
from core.lookup.normalise import artist_key
from core.predictor import Predictor
from core.settings import Settings
from scripts.benchmarks.far_lastfm import FarLastFm
from tests.fakes.lastfm_server import API_KEY, FakeArtist, FakeSong


@dataclass(frozen=True, slots=True)
class Chain:
    """A predictor and the Last.fm it asks."""

    predictor: Predictor
    lastfm: FarLastFm


def settings_of(lastfm_url: str, data_dir: Path, **changes: str) -> Settings:
    """Make settings that read no file, ask ``lastfm_url`` alone and draw covers instead of fetching them."""
    values = {
        "lastfm_api_key": API_KEY,
        "lastfm_api_url": lastfm_url,
        "data_dir": data_dir,
        "art_downloads": False,
        "itunes_search_url": None,
        "deezer_search_url": None,
        "musicbrainz_url": None,
        "user_limit_count": 0,
        "chat_limit_count": 0,
    }
    return Settings.model_validate(values | changes)


def on_lastfm(songs: Sequence[Song]) -> tuple[tuple[FakeSong, ...], tuple[FakeArtist, ...]]:
    """Give songs and their artists made-up figures, the same each time."""
    known = tuple(
        FakeSong(song.title, song.artist, 900_000 - 900 * place, 12_000_000 - 9_000 * place, tags=("pop", "rock"))
        for place, song in enumerate(songs)
    )
    names = {artist_key(song.artist): song.artist for song in songs}
    artists = tuple(FakeArtist(name, 2_000_000 + place, 60_000_000) for place, name in enumerate(names.values()))
    return known, artists


@contextlib.asynccontextmanager
async def running_chain(songs: Sequence[Song], data_dir: Path, *, latency_s: float = 0.0) -> AsyncIterator[Chain]:
    """Run the chain; Last.fm knows ``songs``, the catalogue and the history lie in ``data_dir``."""
    with FarLastFm(*on_lastfm(songs), latency_s=latency_s) as lastfm:
        predictor = build_predictor(settings_of(lastfm.url, data_dir)).predictor
        usual_s = sys.getswitchinterval()
        tune_runtime()
        try:
            yield Chain(predictor, lastfm)
        finally:
            sys.setswitchinterval(usual_s)
            gc.unfreeze()
            await predictor.aclose()
