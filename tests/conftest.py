"""What several tests stand on: the whole chain over a loopback Last.fm and the committed model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from core.settings import ROOT, Settings
from tests.fakes.lastfm_server import API_KEY
from tests.fakes.warped_time import WarpedLoop

# No test measures time, and a busy machine takes its own.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Give tests marked ``warped_time`` a loop whose clock leaps, and all others a real one."""
    if item.get_closest_marker("warped_time") is not None:
        return {"warped": WarpedLoop}
    return {"real": asyncio.new_event_loop}


@pytest.fixture
def settings_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """Make settings that read no environment, write into a folder of their own and ask only Last.fm."""

    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)

    def make(lastfm_url: str | None = None, **changes: Any) -> Settings:
        values: dict[str, Any] = {
            "data_dir": tmp_path / "data",
            "cards_dir": tmp_path / "cards",
            "models_dir": ROOT / "models",
            "art_downloads": False,
            "itunes_search_url": "off",
            "deezer_search_url": "off",
            "musicbrainz_url": "off",
            "catalogue": "off",
            "youtube_oembed_url": "off",
            "spotify_oembed_url": "off",
        }
        if lastfm_url is not None:
            values |= {"lastfm_api_key": API_KEY, "lastfm_api_url": lastfm_url}
        return Settings(_env_file=None, **(values | changes))

    return make
