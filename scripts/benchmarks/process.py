"""One process of the bot: its start, its first answer, the memory it holds, and whether answers leave any behind."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from bot.service import SongService
from core.domain import Song
from core.settings import ROOT
from scripts.benchmarks.chain import lastfm_of, running_chain
from scripts.benchmarks.measurement import Row, median, rss_mb
from scripts.benchmarks.songs import songs_of_few_artists
from tests.fakes.lastfm_server import API_KEY

STARTS: Final = 5
ANSWERS: Final = 10_000
SONGS: Final = 40
SEED: Final = 17
WARM_UP: Final = 1_000
"""Answers before the memory counts as that at rest: by then the caches are full."""

AT_ONCE: Final = 20
DRAWN_EVERY: Final = 20
"""Every so manieth answer has a card of its own drawn."""

START_S, FIRST_ANSWER_S, REST_MB, GROWTH_PCT = 1.0, 1.0, 180.0, 5.0
READY: Final = "ready"

CHILD: Final = """
import asyncio, gc, sys, time
gc.disable()  # as bot/__main__.py does
import bot.command_line
from bot.service import SongService
from bot.monitoring import Health, Metrics
from bot.runtime import tune_runtime
from core.assembly import build_predictor
from core.settings import Settings

async def start():
    keys = {"lastfm_api_key": "0" * 32, "discord_token": "0", "telegram_token": "0"}
    settings = Settings.model_validate({"data_dir": sys.argv[1], **keys})
    assembled = build_predictor(settings)
    metrics = Metrics()
    bot.command_line.platforms(settings, lambda name: SongService(assembled.predictor), Health(metrics))
    tune_runtime()
    print("ready", time.process_time(), flush=True)
    sys.stdin.readline()
    await assembled.predictor.aclose()

asyncio.run(start())
"""


def measure_start(folder: Path) -> list[Row]:
    """Start the bot with both adapters several times, from the interpreter's first instruction to ready."""
    taken, used, resting = zip(*(_start(folder) for _ in range(STARTS + 1)), strict=True)
    start_s, held_mb = median(taken[1:]), median(resting[1:])
    return [
        Row(
            what="start to ready, both adapters and the catalogue",
            against="",
            measured=f"median {start_s:.1f} s, quickest of {STARTS} {min(taken[1:]):.1f} s; of the processor "
            f"{median(used[1:]):.1f} s",
            target=f"<= {START_S:.0f} s",
            reached=start_s <= START_S,
            figures={"start_s": start_s, "processor_s": median(used[1:]), "first_start_s": taken[0]},
        ),
        Row(
            what="memory at rest",
            against="",
            measured=f"{held_mb:.0f} MB",
            target=f"<= {REST_MB:.0f} MB",
            reached=held_mb <= REST_MB,
            figures={"rest_mb": held_mb},
        ),
    ]


def _start(folder: Path) -> tuple[float, float, float]:
    """Start once; return the seconds on the wall and of the processor, and the memory at rest in MB."""
    started = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", CHILD, str(folder)],
        cwd=ROOT,
        env=_environment(folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdin is not None  # noqa: S101 - asked for above
        assert child.stdout is not None  # noqa: S101 - asked for above
        said, _, used = child.stdout.readline().strip().partition(" ")
        if said != READY:
            raise RuntimeError("the bot did not start")
        taken_s = time.perf_counter() - started
        # Fonts are loaded beside the start; what they take counts as rest.
        time.sleep(1.0)
        held_mb = rss_mb(child.pid)
        child.stdin.close()
    return taken_s, float(used), held_mb


def measure_first_answer(songs: Sequence[Song], folder: Path) -> Row:
    """Let ``python -m bot ask`` answer one question several times, from the first instruction to the saved card.

    A song of the catalogue is asked for, whose figures a Last.fm in another process knows.
    """
    (song,) = songs_of_few_artists(songs, 1, 1, SEED)
    with lastfm_of([song]) as lastfm:
        environment = _environment(folder) | {
            "LASTFM_API_KEY": API_KEY,
            "LASTFM_API_URL": lastfm.url,
            "DATA_DIR": str(folder),
            "CARDS_DIR": str(folder / "cards"),
            "CARD_DISPLAY": "text",
            "ART_DOWNLOADS": "false",
            **dict.fromkeys(("ITUNES_SEARCH_URL", "DEEZER_SEARCH_URL", "MUSICBRAINZ_URL", "CATALOGUE"), "off"),
        }
        command = [sys.executable, "-m", "bot", "ask", f"{song.title} - {song.artist}"]
        taken, used = zip(*(_first_answer(command, environment) for _ in range(STARTS + 1)), strict=True)
    used_s = median(used[1:])
    return Row(
        what="import to first answer, card drawn and saved",
        against="",
        measured=f"of the processor {used_s:.1f} s; median {median(taken[1:]):.1f} s",
        target=f"<= {FIRST_ANSWER_S:.1f} s of the processor",
        reached=used_s <= FIRST_ANSWER_S,
        figures={"first_answer_processor_s": used_s, "first_answer_s": median(taken[1:])},
    )


def _first_answer(command: Sequence[str], environment: Mapping[str, str]) -> tuple[float, float]:
    """Run ``command``; return the seconds on the wall and of the processor, all its threads and processes included."""
    started, before = time.perf_counter(), os.times()
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)  # noqa: S603 - our own
    taken_s, after = time.perf_counter() - started, os.times()
    used_s = after.children_user + after.children_system - before.children_user - before.children_system
    return taken_s, used_s


def _environment(folder: Path) -> dict[str, str]:
    """Let bytecode be kept in ``folder``: pip compiles what it installs; elsewhere the first run, not counted, does."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return environment | {"PYTHONPYCACHEPREFIX": str(folder / "bytecode")}


def measure_growth(songs: Sequence[Song], folder: Path) -> Row:
    """Answer ``ANSWERS`` questions, some with a card, in a process of its own; compare its memory before and after."""
    picked = songs_of_few_artists(songs, SONGS, 4, SEED)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        before_mb, after_mb, per_s = process.submit(_grown, picked, folder).result()
    growth_pct = 100 * (after_mb / before_mb - 1)
    return Row(
        what=f"memory after {ANSWERS:,} answers",
        against=f"{before_mb:.0f} MB after {WARM_UP:,}",
        measured=f"{after_mb:.0f} MB, {growth_pct:+.1f} %, {per_s:.0f} answers/s, one of {DRAWN_EVERY} drawn anew",
        ratio=after_mb / before_mb,
        target=f"grows <= {GROWTH_PCT:.0f} %",
        reached=growth_pct <= GROWTH_PCT,
        figures={"before_mb": before_mb, "after_mb": after_mb, "growth_pct": growth_pct, "answers_per_s": per_s},
    )


def _grown(picked: Sequence[Song], folder: Path) -> tuple[float, float, float]:
    logging.disable(logging.ERROR)
    return asyncio.run(_answer_many(picked, folder))


async def _answer_many(picked: Sequence[Song], folder: Path) -> tuple[float, float, float]:
    async with running_chain(picked, folder) as chain:
        service = SongService(chain.predictor)

        async def ask(number: int) -> None:
            song = picked[number % len(picked)]
            reply = await service.predict(f"{song.title} - {song.artist}")
            if reply.card is None:
                raise RuntimeError(f"no answer for {song.name}")
            if number % DRAWN_EVERY == 0:
                await reply.card()
            await chain.predictor.complete(song.title[:4], 25)

        async def spell(start: int, stop: int) -> None:
            for first in range(start, stop, AT_ONCE):
                await asyncio.gather(*(ask(number) for number in range(first, min(first + AT_ONCE, stop))))

        await spell(0, WARM_UP)
        gc.collect()
        before_mb = rss_mb()
        started = time.perf_counter()
        await spell(WARM_UP, WARM_UP + ANSWERS)
        per_s = ANSWERS / (time.perf_counter() - started)
        gc.collect()
        return before_mb, rss_mb(), per_s
