"""Measures what people are answered: real questions over loopback services that serve real tables.

python scripts/benchmarks/live_answers.py --data FOLDER --out results.json
python scripts/benchmarks/live_answers.py --data FOLDER --out results.json --limit 2000     an even sample
python scripts/benchmarks/live_answers.py --data FOLDER --out results.json --only split     some stages

The stages: "split" asks for songs that Last.fm keeps in several records, "named" for songs whose answers people can
judge, "joined" for all songs of known popularity. The folder holds the Spotify Tracks Dataset and the tables that
scripts/benchmarks/live_tables.py names.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from aiolimiter import AsyncLimiter  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.progress import Progress  # noqa: E402

from core.assembly import build_predictor  # noqa: E402
from core.domain import Ambiguous, NotFound, Prediction  # noqa: E402
from core.errors import DataError, HitmeterError, ModelError  # noqa: E402
from core.lookup.catalogue_build import build_catalogue  # noqa: E402
from core.lookup.normalise import song_key  # noqa: E402
from core.predictor import Predictor  # noqa: E402
from scripts.benchmarks.chain import settings_of  # noqa: E402
from scripts.benchmarks.live_scores import Reply, Scores, score_joined, score_named, score_split, show  # noqa: E402
from scripts.benchmarks.live_tables import (  # noqa: E402
    DATED_FILE,
    SPOTIFY_FILE,
    Tables,
    even_sample,
    joined,
    read_tables,
)
from scripts.benchmarks.measurement import machine  # noqa: E402
from scripts.benchmarks.services import ServerProcess, serve_lastfm, serve_shop  # noqa: E402

WIDTH_CHARS: Final = 200
"""Of the tables in a file or pipe, which tell no width."""

ASKED_AT_ONCE: Final = 4
"""Questions under way together: enough to keep one core busy while another waits for a service."""

SEED: Final = 1

NAMED: Final = (
    ("What Was I Made For?", "Billie Eilish"),
    ("Can't Catch Me Now", "Olivia Rodrigo"),
    ("Barbie World", "Nicki Minaj"),
    ("See You Again", "Wiz Khalifa"),
    ("Scandalous", "Mis-Teeq"),
    ("Scandalous", "Gryffin"),
    ("In Your Eyes", "The Weeknd"),
    ("All I Want for Christmas Is You", "Mariah Carey"),
    ("No Role Modelz", "J. Cole"),
    ("I Want to Break Free", "Queen"),
    ("Bohemian Rhapsody", "Queen"),
    ("Payphone", "Maroon 5"),
    ("Blinding Lights", "The Weeknd"),
    ("NEURON", "j-hope"),
    ("7 Years", "Lukas Graham"),
    ("Cruel Summer", "Taylor Swift"),
    ("A Message From Taylor", "Taylor Swift"),
)
"""Songs whose answers people can judge by themselves; the last one is a greeting."""


@dataclass(slots=True)
class World:
    """The predictor and the services it asks; ``outcomes`` counts requests to Last.fm by how they ended."""

    predictor: Predictor
    shop: ServerProcess
    outcomes: Counter[str] = field(default_factory=Counter)


@contextlib.asynccontextmanager
async def running_world(tables: Tables, releases: Path, data_dir: Path) -> AsyncIterator[World]:
    """Run the services and the predictor, whose catalogue lies in ``data_dir``; no request waits for a rate."""
    outcomes: Counter[str] = Counter()

    def on_request(method: str, outcome: str, seconds: float) -> None:
        outcomes[outcome] += 1

    with (
        ServerProcess(serve_shop, releases) as shop,
        ServerProcess(serve_lastfm, tables.records, tables.artists) as lastfm,
        _without_rates(),
    ):
        settings = settings_of(
            lastfm.url,
            data_dir,
            itunes_search_url=f"{shop.url}itunes/search",
            deezer_search_url=f"{shop.url}deezer/search",
            musicbrainz_url=f"{shop.url}musicbrainz/",
        )
        predictor = build_predictor(settings, on_request=on_request).predictor
        try:
            yield World(predictor, shop, outcomes)
        finally:
            await predictor.aclose()


@contextlib.contextmanager
def _without_rates() -> Iterator[None]:
    """Let every request go at once: the services are ours."""

    async def acquire(self: AsyncLimiter, amount: float = 1) -> None:
        """Wait for nothing."""

    with mock.patch.object(AsyncLimiter, "acquire", acquire):
        yield


async def ask_all(
    predictor: Predictor, questions: Sequence[str], told: Callable[[int], None] = lambda done: None
) -> tuple[tuple[Reply, ...], float]:
    """Ask, some at once; return the replies in order and the seconds it took."""
    replies: dict[int, Reply] = {}
    waiting = iter(enumerate(questions))
    started = time.perf_counter()

    async def work() -> None:
        for place, question in waiting:
            replies[place] = await ask(predictor, question)
            told(len(replies))

    await asyncio.gather(*(work() for _ in range(ASKED_AT_ONCE)))
    return tuple(replies[place] for place in range(len(questions))), time.perf_counter() - started


async def ask(predictor: Predictor, question: str) -> Reply:
    """Ask one question."""
    try:
        answer = await predictor.predict(question)
    except HitmeterError as error:
        return Reply(question, "failed", error=type(error).__name__)
    match answer:
        case Prediction(song=song, assessment=assessment):
            return Reply(
                question,
                "answered",
                song.title,
                song.artist,
                song.listeners,
                song.playcount,
                song.artist_listeners,
                assessment.probability,
                str(assessment.verdict),
                str(song.released or ""),
            )
        case Ambiguous():
            return Reply(question, "ambiguous")
        case NotFound():
            return Reply(question, "not found")


async def _split(tables: Tables, world: World, shown: Progress, limit: int | None) -> Scores:
    splits = tables.split
    replies, _ = await _asked(world, [f"{one.title} - {one.artist}" for one in splits], "split", shown)
    return score_split(splits, replies, tables.spotify)


async def _named(tables: Tables, world: World, shown: Progress, limit: int | None) -> Scores:
    replies, _ = await _asked(world, [f"{title} - {artist}" for title, artist in NAMED], "named", shown)
    keys = [song_key(title, artist) for title, artist in NAMED]
    labels = {song.key: song.labels for song in joined(keys, tables.spotify, tables.dated)}
    return score_named(replies, labels, keys)


async def _joined(tables: Tables, world: World, shown: Progress, limit: int | None) -> Scores:
    songs = even_sample(tables.joined, limit, SEED)
    before = world.outcomes.copy()
    replies, took_s = await _asked(world, [f"{one.title} - {one.artist}" for one in songs], "joined", shown)
    greatest = {song.key: tables.groups[song.key][0].listeners for song in songs}
    sent = world.outcomes - before
    return {
        **score_joined(songs, replies, greatest),
        "lastfm_requests_per_question": sent.total() / max(1, len(songs)),
        "lastfm_outcomes": dict(sent),
        "questions_per_s": len(songs) / took_s,
        "answers": [
            {
                **{key: value for key, value in asdict(reply).items() if value not in (None, "")},
                "labels": {label.source: label.popularity for label in song.labels},
            }
            for song, reply in zip(songs, replies, strict=True)
        ],
    }


async def _asked(world: World, questions: list[str], what: str, shown: Progress) -> tuple[tuple[Reply, ...], float]:
    task = shown.add_task(what, total=len(questions))
    return await ask_all(world.predictor, questions, lambda done: shown.update(task, completed=done))


STAGES: Final = {"split": _split, "named": _named, "joined": _joined}


async def measure(
    wanted: Collection[str], data: Path, folder: Path, *, limit: int | None, console: Console
) -> dict[str, Any]:
    """Run the ``wanted`` stages over the tables of ``data`` and return their scores.

    Args:
        wanted: Some of ``STAGES``.
        data: Folder of the tables.
        folder: An empty folder for catalogue and history.
        limit: Most songs of known popularity that are asked; None asks all.
        console: Shown how far it is.

    Raises:
        DataError: The tables cannot be used.
        ModelError: The stored model cannot be used.
    """
    with console.status("tables"):
        tables = read_tables(data)
    with console.status("catalogue"):
        build_catalogue(data / SPOTIFY_FILE, folder / "catalogue.sqlite", source=SPOTIFY_FILE)
    async with running_world(tables, data / DATED_FILE, folder) as world:
        results: dict[str, Any] = {
            "model_trained_at": world.predictor.report().trained_at.isoformat(),
            "tables": {
                "lastfm_records": len(tables.records),
                "songs_of_known_popularity": len(tables.joined),
                "re_releases_left_out": tables.re_releases,
            },
        }
        for name, stage in STAGES.items():
            if name in wanted:
                with Progress(console=console, transient=True) as shown:
                    results[name] = await stage(tables, world, shown, limit)
        results["shop_requests"] = dict(world.shop.requests())
    return results


def main(argv: list[str] | None = None) -> int:
    """Run the command line; 0 if all was measured, 2 if the data or the command cannot be used."""
    parser = argparse.ArgumentParser(description="Measure what people are answered.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the tables")
    parser.add_argument("--out", type=Path, required=True, help="file of the figures")
    parser.add_argument("--limit", type=int, help="most songs of known popularity to ask for, an even sample")
    parser.add_argument("--only", default=",".join(STAGES), help=f"stages: {', '.join(STAGES)}")
    options = parser.parse_args(argv)
    wanted = options.only.split(",")
    if unknown := set(wanted) - set(STAGES):
        parser.error(f"there is no stage {', '.join(sorted(unknown))}; there are {', '.join(STAGES)}")
    if options.limit is not None and options.limit < 1:
        parser.error("--limit must be at least 1")
    # Refused and failed questions are counted.
    logging.disable(logging.ERROR)
    console = Console(stderr=True)
    try:
        with tempfile.TemporaryDirectory(prefix="hitmeter-live-") as folder:
            measuring = measure(wanted, options.data, Path(folder), limit=options.limit, console=console)
            results = asyncio.run(measuring)
    except (DataError, ModelError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    body = {"machine": machine(), **results}
    options.out.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    show(results, Console(width=None if sys.stdout.isatty() else WIDTH_CHARS))
    return 0


if __name__ == "__main__":
    sys.exit(main())
