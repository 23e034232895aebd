"""A model that is promoted while the bot runs, over real model files."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.model_watch import watch_model
from core.assembly import build_predictor
from core.settings import ROOT, Settings


def promote(folder: Path, trained_at: str, *, sha256: str | None = None) -> None:
    """Put a manifest in place as promoting does, in one stroke; with another checksum its model is refused."""
    manifest = json.loads((ROOT / "models" / "manifest.json").read_text())
    manifest["trained_at"] = trained_at
    manifest["artifact"]["sha256"] = sha256 or manifest["artifact"]["sha256"]
    staged = folder / ".staged"
    staged.write_text(json.dumps(manifest))
    staged.replace(folder / "manifest.json")


async def test_a_new_model_is_taken_a_broken_one_refused_and_each_told_once(
    settings_for: Callable[..., Settings], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    for path in (ROOT / "models").iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    predictor = build_predictor(settings_for("http://127.0.0.1:9/", models_dir=folder)).predictor
    told: asyncio.Queue[str] = asyncio.Queue()
    watching = asyncio.create_task(watch_model(predictor, told.put, pause_s=0.02))
    try:
        async with asyncio.timeout(60):
            before = predictor.report().trained_at
            await asyncio.sleep(0.3)
            assert told.empty(), "the model that is in use is no news"
            promote(folder, "2026-12-24T00:00:00+00:00")
            assert await told.get() == "The model of 24 Dec 2026 is in use now."
            taken = predictor.report().trained_at
            assert taken != before
            promote(folder, "2026-12-31T00:00:00+00:00", sha256="0" * 64)
            assert (await told.get()).startswith("The stored model was refused, the one in use goes on: ")
            await asyncio.sleep(0.3)
            assert told.empty(), "said once"
            assert predictor.report().trained_at == taken
            (folder / "manifest.json").unlink()
            await asyncio.sleep(0.1)
            promote(folder, "2027-01-06T00:00:00+00:00")
            assert await told.get() == "The model of 6 Jan 2027 is in use now."
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await predictor.aclose()
    assert caplog.text.count("event=model_refused") == 1
