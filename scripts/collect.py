"""Collects songs' and artists' figures from Last.fm, and their releases, as tables to train on.

python scripts/collect.py --out DIR --songs songs.csv
python scripts/collect.py --out DIR --chart 1000 --tag rock --tag k-pop --country Spain
python scripts/collect.py --out DIR --snapshot

It writes the tables that have rows into DIR:

lastfm_tracks_collected.csv       songs; the album is Last.fm's, kept as its record: the model never reads it
lastfm_artists_collected.csv      artists
lastfm_artist_tags_collected.csv  what Last.fm calls the artists, the strongest first
dated_popularity_collected.csv    songs of a --songs table with a column "popularity" (0 to 100; blank: unknown), each
                                  with its release. Its column "label_date" (2025-08 or 2025-08-31) says when that was
                                  measured, else it is the month in which the song was first collected with it

With --snapshot the dated figures of all songs also go into the table that /trend of the bot reads: figures.sqlite in
DATA_DIR, or Redis if CACHE_URL names one. A list of songs and a snapshot now and then make curves that do not wait for
questions.

The releases of those songs come from iTunes, Deezer and MusicBrainz beside the questions to Last.fm, at each one's own
rate. --no-releases, or "off" as a service's address in the settings, leaves them out; then they are blank.

The key comes from LASTFM_API_KEY (environment or .env). Ctrl-C stops after the answers on the way; the same command
goes on where it stopped, also after a kill. Exit code: 0 all asked, 1 stopped before the end, 2 set-up or input. A
release service that does not answer leaves blanks for another run and is no failure.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from rich.console import Console  # noqa: E402
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: E402

from core.assembly import figure_table  # noqa: E402
from core.errors import DataError, HitmeterError, SettingsError, UpstreamRefused, UpstreamUnavailable  # noqa: E402
from core.figure_log import FigureLog, row_of  # noqa: E402
from core.log import configure_logging, settings_secrets  # noqa: E402
from core.lookup.lastfm_client import RetryPolicy, Transport  # noqa: E402
from core.settings import Settings, load_settings  # noqa: E402
from core.training.collect import Chart, Collector, PatientServices, ReleaseCollector, ReleaseTally, Tally, steady  # noqa: E402  # noqa: E402
from core.training.collect_store import TABLES, CollectStore  # noqa: E402
from core.training.collect_tables import read_artists, read_songs  # noqa: E402

LINE_EVERY_S = 30.0
"""How often progress is told where there is no terminal to draw a bar on."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    options = _parse(argv)
    console = Console(stderr=True, highlight=False)
    try:
        settings = load_settings()
        _checked_key(options, settings)
        with CollectStore(options.out / "collect.sqlite", snapshot=options.snapshot) as store:
            _plan(options, store, console)
            level = "WARNING" if settings.log_level == "INFO" else settings.log_level  # the bar tells the rest
            configure_logging(level, secrets=settings_secrets(settings))
            try:
                code = asyncio.run(_collect(options, settings, store, console))
            except UpstreamRefused as error:
                console.print(error.user_message, markup=False)
                code = 2
            rows = store.export(options.out)
            if options.snapshot:
                console.print(asyncio.run(_note(settings, store)), markup=False)
    except DataError as error:
        console.print(str(error), markup=False)
        return 2
    except HitmeterError as error:
        console.print(error.user_message, markup=False)
        return 2
    except KeyboardInterrupt:
        return 1
    for kind, number in rows.items():
        if number:
            console.print(f"{number:,} rows in {options.out / TABLES[kind]}", markup=False)
    return code


def _checked_key(options: argparse.Namespace, settings: Settings) -> str:
    if settings.lastfm_api_key is None:
        raise SettingsError("no key", user_message="LASTFM_API_KEY is not set; see .env.example.")
    if options.per_second > 5 and (settings.lastfm_api_url.host or "").endswith(("audioscrobbler.com", "last.fm")):
        raise SettingsError("too fast", user_message="Last.fm's terms allow five requests a second: --per-second 5.")
    return settings.lastfm_api_key.get_secret_value()


async def _collect(options: argparse.Namespace, settings: Settings, store: CollectStore, console: Console) -> int:
    transport = Transport(
        _checked_key(options, settings),
        str(settings.lastfm_api_url),
        rate=steady(options.per_second),
        retries=RetryPolicy(in_a_row=None),  # nobody waits, and an outage of some minutes is to be sat out
    )
    services = PatientServices(settings) if options.releases else None
    with _Display(console) as display:
        collector = Collector(transport, store, artists=not options.no_artists, notify=display)
        releases = ReleaseCollector(services, store.labels, notify=display.releases) if services is not None else None
        loop = asyncio.get_running_loop()

        def stop(number: signal.Signals) -> None:
            collector.stop()
            if releases is not None:
                releases.stop()
            loop.remove_signal_handler(number)  # a second one ends it at once

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop, number)
        looking_up = asyncio.create_task(releases.run()) if releases is not None else None
        try:
            tally = await collector.run(_charts(options))
            released = await looking_up if looking_up is not None else ReleaseTally()
            if not collector.stopped:
                store.finish()
        except UpstreamUnavailable as error:
            console.print(f"{error.user_message} What was answered is kept; the same command goes on.", markup=False)
            return 1
        finally:
            if looking_up is not None:
                looking_up.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await looking_up
            if services is not None:
                await services.aclose()
            await transport.aclose()
    for fault in tally.faults:
        console.print(fault, markup=False)
    console.print(f"{tally.found:,} found, {tally.not_found:,} unknown to Last.fm, {tally.failed:,} failed")
    if released.total:
        console.print(
            f"{released.found:,} releases found, {released.not_found:,} unknown, {released.left:,} not answered for now"
        )
    if tally.done < tally.total or tally.failed or released.done < released.total:
        console.print("Not all is asked; the same command goes on.")
        return 1
    return 0


async def _note(settings: Settings, store: CollectStore) -> str:
    """Put the dated figures collected into the table of the bot, where those that are there stay; say what came of it.

    A table that cannot be written is no failure of the collection.
    """
    table, fault = figure_table(settings)
    figures = FigureLog(table)
    try:
        rows = [row_of(*dated) for dated in store.dated_figures()] if fault is None else []
        await figures.append(rows)
    finally:
        await figures.aclose()
    return fault or f"{len(rows):,} dated figures are at hand for /trend."


class _Display:
    """Shows how far it is: a bar with the time left, or a line now and then where there is no terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console,
            speed_estimate_period=120.0, disable=not console.is_terminal,
        )  # fmt: skip
        self._task = self._progress.add_task("asking", total=None)
        self._release_task = self._progress.add_task("releases", total=None, visible=False)
        self._started = time.monotonic()
        self._told = self._releases_told = self._started

    def __enter__(self) -> _Display:
        self._progress.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._progress.stop()

    def __call__(self, tally: Tally) -> None:
        self._progress.update(self._task, completed=tally.done, total=tally.total)
        self._told = self._tell("", tally, self._told)

    def releases(self, tally: ReleaseTally) -> None:
        """Show how far the look-ups of releases are."""
        self._progress.update(self._release_task, completed=tally.done, total=tally.total, visible=True)
        self._releases_told = self._tell("releases: ", tally, self._releases_told)

    def _tell(self, what: str, tally: Tally | ReleaseTally, told: float) -> float:
        now = time.monotonic()
        if self._console.is_terminal or now - told < LINE_EVERY_S or not tally.done:
            return told
        left_s = (now - self._started) / tally.done * (tally.total - tally.done)
        self._console.print(f"{what}{tally.done:,} of {tally.total:,}, {left_s / 60:,.0f} minutes left")
        return now


def _plan(options: argparse.Namespace, store: CollectStore, console: Console) -> None:
    month = f"{datetime.now(UTC):%Y-%m}"
    for path in options.songs:
        table = read_songs(path)
        if table.left_out:
            console.print(f"{path.name}: {table.left_out:,} rows without artist or title are left out", markup=False)
        store.add_songs(table.songs, path.name, artists=not options.no_artists)
        store.add_labels(table.labels, path.name.removesuffix(".gz").removesuffix(".csv"), month)
    for path in options.artists:
        store.add_artists(read_artists(path))


def _charts(options: argparse.Namespace) -> list[Chart]:
    charts = [Chart("chart.getTopTracks", {}, options.chart)] if options.chart else []
    charts += [Chart("tag.getTopTracks", {"tag": tag}, options.limit) for tag in options.tag]
    charts += [Chart("geo.getTopTracks", {"country": country}, options.limit) for country in options.country]
    return charts


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="collect.py",
        description="Collects figures from Last.fm as tables to train on; the same command goes on.",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the tables and the state")
    parser.add_argument(
        "--songs",
        type=Path,
        nargs="+",
        default=[],
        help="CSV (.gz too) of artist, track and perhaps popularity and label_date",
    )
    parser.add_argument("--artists", type=Path, nargs="+", default=[], help="CSV (.gz too) of artist")
    parser.add_argument("--chart", type=_positive, metavar="N", help="the N songs of the world's chart")
    parser.add_argument("--tag", action="append", default=[], help="the top songs of a tag; may be repeated")
    parser.add_argument("--country", action="append", default=[], help="the top songs of a country; may be repeated")
    parser.add_argument("--limit", type=_positive, default=1000, help="songs of each tag or country (1000)")
    parser.add_argument("--no-artists", action="store_true", help="leave the artists' own figures out")
    parser.add_argument(
        "--releases", action=argparse.BooleanOptionalAction, default=True,
        help="look up the releases of songs with a popularity (on)",
    )  # fmt: skip
    parser.add_argument(
        "--snapshot", action="store_true", help="ask everything anew and append dated figures, also for /trend"
    )
    parser.add_argument("--per-second", type=float, default=5.0, help="requests a second, at most 5 to Last.fm")
    options = parser.parse_args(argv)
    if not 0 < options.per_second <= 1000:
        parser.error("--per-second must be above 0")
    return options


if __name__ == "__main__":
    sys.exit(main())
