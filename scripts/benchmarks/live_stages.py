"""The stages of the measurement of live answers, and what they ask."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress

from core.errors import DataError
from core.lookup.catalogue_build import build_catalogue
from core.lookup.dataset import read_dataset
from core.lookup.normalise import song_key
from scripts.benchmarks.live_asking import World, ask_all, running_world
from scripts.benchmarks.live_scoring import Scores, score_joined, score_named, score_split
from scripts.benchmarks.live_tables import (
    ARTISTS_FILE,
    DATED_FILE,
    SPOTIFY_FILE,
    TAGS_FILE,
    TRACKS_FILE,
    Labelled,
    Split,
    artists_of,
    by_song,
    dated_labels,
    distinct_records,
    even_sample,
    joined,
    rows_of,
    split_songs,
    spotify_labels,
)
from tests.fakes.lastfm_files import load_songs
from tests.fakes.lastfm_server import FakeArtist, FakeSong

STAGES: Final = ("split", "named", "joined")

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


@dataclass(frozen=True, slots=True)
class Tables:
    """All that is asked and served.

    Attributes:
        records: Every record that Last.fm tells apart.
        groups: The records of each song, the greatest first.
        artists: With figures and tags.
        spotify: Labels of the Spotify Tracks Dataset, without mere re-releases.
        dated: Labels of the dated tables.
        re_releases: Songs left out as such.
    """

    records: tuple[FakeSong, ...]
    groups: Mapping[str, tuple[FakeSong, ...]]
    artists: tuple[FakeArtist, ...]
    spotify: Mapping[str, Labelled]
    dated: Mapping[str, Labelled]
    re_releases: int

    @property
    def joined(self) -> tuple[Labelled, ...]:
        """Songs that Last.fm knows and whose popularity is known."""
        return joined(self.groups, self.spotify, self.dated)

    @property
    def split(self) -> tuple[Split, ...]:
        """Songs of several records."""
        return split_songs(self.groups)


def read_tables(folder: Path) -> Tables:
    """Read the tables.

    Raises:
        DataError: One is missing or cannot be read.
    """
    try:
        records = distinct_records(load_songs(folder / TRACKS_FILE))
        artists = artists_of(records, rows_of(folder / ARTISTS_FILE), rows_of(folder / TAGS_FILE))
        spotify, re_releases = spotify_labels(read_dataset(folder / SPOTIFY_FILE))
        dated = dated_labels(rows_of(folder / DATED_FILE))
    except (OSError, EOFError, KeyError, ValueError) as error:
        raise DataError(f"{folder} cannot be used: {error}") from error
    return Tables(records, by_song(records), artists, spotify, dated, re_releases)


def measure(
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
    # Refused and failed questions are counted.
    logging.disable(logging.ERROR)
    with console.status("tables"):
        tables = read_tables(data)
    with console.status("catalogue"):
        build_catalogue(data / SPOTIFY_FILE, folder / "catalogue.sqlite", source=SPOTIFY_FILE)
    return asyncio.run(_measure(wanted, tables, data, folder, limit, console))


async def _measure(
    wanted: Collection[str], tables: Tables, data: Path, folder: Path, limit: int | None, console: Console
) -> dict[str, Any]:
    results: dict[str, Any] = {}
    async with running_world(tables.records, tables.artists, data / DATED_FILE, folder) as world:
        results["model_trained_at"] = world.predictor.report().trained_at.isoformat()
        results["tables"] = {
            "lastfm_records": len(tables.records),
            "songs_of_known_popularity": len(tables.joined),
            "re_releases_left_out": tables.re_releases,
        }
        stages: dict[str, Callable[[Progress], Any]] = {
            "split": lambda shown: _split(tables, world, shown),
            "named": lambda shown: _named(tables, world, shown),
            "joined": lambda shown: _joined(tables, world, limit, shown),
        }
        for name, stage in stages.items():
            if name in wanted:
                with Progress(console=console, transient=True) as shown:
                    results[name] = await stage(shown)
        results["shop_requests"] = dict(world.shop.requests())
    return results


async def _split(tables: Tables, world: World, shown: Progress) -> Scores:
    splits = tables.split
    replies, _ = await _asked(world, [f"{one.title} - {one.artist}" for one in splits], "split", shown)
    return score_split(splits, replies, tables.spotify)


async def _named(tables: Tables, world: World, shown: Progress) -> Scores:
    replies, _ = await _asked(world, [f"{title} - {artist}" for title, artist in NAMED], "named", shown)
    keys = [song_key(title, artist) for title, artist in NAMED]
    labels = {song.key: song.labels for song in joined(keys, tables.spotify, tables.dated)}
    return score_named(replies, labels, keys)


async def _joined(tables: Tables, world: World, limit: int | None, shown: Progress) -> Scores:
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


async def _asked(world: World, questions: list[str], what: str, shown: Progress) -> Any:
    task = shown.add_task(what, total=len(questions))
    return await ask_all(world.predictor, questions, lambda done: shown.update(task, completed=done))
