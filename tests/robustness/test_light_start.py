"""A bot that has answered and drawn holds nothing of what training needs."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from bot.reply import ResultCode
from core.settings import ROOT
from tests.fakes.command import command

FIRST_ANSWER = """
    import asyncio, importlib, json, pkgutil, sys, warnings
    from pathlib import Path
    sys.path.insert(0, sys.argv[1])
    warnings.simplefilter("ignore")
    import bot
    for module in pkgutil.walk_packages(bot.__path__, "bot."):  # all adapters, whichever would be started
        importlib.import_module(module.name)
    from bot.messages import COMMANDS
    from bot.service import SongService
    from core.assembly import build_predictor
    from core.settings import Settings

    async def main():
        folder = Path(sys.argv[2])
        unasked = ("itunes_search_url", "deezer_search_url", "musicbrainz_url", "youtube_oembed_url",
                   "spotify_oembed_url", "catalogue")
        settings = Settings(_env_file=None, data_dir=folder, cards_dir=folder, models_dir=Path(sys.argv[1]) / "models",
                            art_downloads=False, lastfm_api_key=None, **dict.fromkeys(unasked, "off"))
        predictor = build_predictor(settings).predictor
        reload = COMMANDS["reload"]
        reply = await SongService(predictor).predict("Blinding Lights - The Weeknd")
        reloaded = await SongService(predictor).run_command(reload, is_admin=True)
        card = await reply.card()
        await predictor.aclose()
        print(json.dumps({
            "code": reply.code, "reloaded": reloaded.code, "picture": card.data[:4].hex(),
            "modules": sorted({name.split(".")[0] for name in sys.modules}),
        }))

    asyncio.run(main())
"""


def test_the_first_answer_and_card_need_nothing_of_the_training(tmp_path: Path) -> None:
    shutil.copy(ROOT / "data" / "demo_songs.csv", tmp_path)
    done = subprocess.run(  # noqa: S603 - our own code
        command(FIRST_ANSWER, str(tmp_path)), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["code"] == ResultCode.PREDICTED
    assert found["reloaded"] == ResultCode.INFORMED
    assert found["picture"] == b"\x89PNG".hex()
    assert {"core", "bot", "numpy", "matplotlib", "discord", "telegram"} <= set(found["modules"])
    training = {"sklearn", "scipy", "pandas", "joblib", "threadpoolctl", "distributed", "dask"}
    assert training.isdisjoint(found["modules"])
