"""Collects songs' and artists' figures from Last.fm as tables to train on.

python scripts/collect.py --out DIR --songs songs.csv
python scripts/collect.py --out DIR --chart 1000 --tag rock --tag k-pop --country Spain
python scripts/collect.py --out DIR --snapshot

The key comes from LASTFM_API_KEY (environment or .env). Ctrl-C stops after the answers on the way; the same command
goes on where it stopped, also after a kill. Exit code: 0 all asked, 1 stopped before the end, 2 set-up or input.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import gzip
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from rich.console import Console  # noqa: E402
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: E402

from core.errors import DataError, HitmeterError, SettingsError, UpstreamRefused, UpstreamUnavailable  # noqa: E402
from core.log import configure_logging, settings_secrets  # noqa: E402
from core.lookup.collect_store import CollectStore  # noqa: E402
from core.lookup.collecting import Chart, Collector, Tally, steady  # noqa: E402
from core.lookup.lastfm_parse import parse_text  # noqa: E402
from core.lookup.normalise import first_artist  # noqa: E402
from core.lookup.transport import Transport  # noqa: E402
from core.settings import Settings, load_settings  # noqa: E402

TITLE_COLUMNS = ("track", "track_name", "title", "song")
ARTIST_COLUMNS = ("artist", "artists", "artist_name", "name")
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
            tracks, artists = (options.out / f"lastfm_{kind}_collected.csv" for kind in ("tracks", "artists"))
            rows = store.export(tracks, artists)
    except DataError as error:
        console.print(str(error), markup=False)
        return 2
    except HitmeterError as error:
        console.print(error.user_message, markup=False)
        return 2
    except KeyboardInterrupt:
        return 1
    console.print(f"{rows[0]:,} rows in {tracks}, {rows[1]:,} in {artists}", markup=False)
    return code


def _checked_key(options: argparse.Namespace, settings: Settings) -> str:
    if settings.lastfm_api_key is None:
        raise SettingsError("no key", user_message="LASTFM_API_KEY is not set; see .env.example.")
    if options.per_second > 5 and (settings.lastfm_api_url.host or "").endswith(("audioscrobbler.com", "last.fm")):
        raise SettingsError("too fast", user_message="Last.fm's terms allow five requests a second: --per-second 5.")
    return settings.lastfm_api_key.get_secret_value()


async def _collect(options: argparse.Namespace, settings: Settings, store: CollectStore, console: Console) -> int:
    transport = Transport(
        _checked_key(options, settings), str(settings.lastfm_api_url), rate=steady(options.per_second)
    )
    with _Display(console) as display:
        collector = Collector(transport, store, artists=not options.no_artists, notify=display)
        loop = asyncio.get_running_loop()

        def stop(number: signal.Signals) -> None:
            collector.stop()
            loop.remove_signal_handler(number)  # a second one ends it at once

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop, number)
        try:
            tally = await collector.run(_charts(options))
        except UpstreamUnavailable as error:
            console.print(f"{error.user_message} What was answered is kept; the same command goes on.", markup=False)
            return 1
        finally:
            await transport.aclose()
    for fault in tally.faults:
        console.print(fault, markup=False)
    console.print(f"{tally.found:,} found, {tally.not_found:,} unknown to Last.fm, {tally.failed:,} failed")
    if tally.done < tally.total or tally.failed:
        console.print("Not all is asked; the same command goes on.")
        return 1
    return 0


class _Display:
    """Shows how far it is: a bar with the time left, or a line now and then where there is no terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("asking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console,
            speed_estimate_period=120.0, disable=not console.is_terminal,
        )  # fmt: skip
        self._task = self._progress.add_task("asking", total=None)
        self._started = time.monotonic()
        self._told = self._started

    def __enter__(self) -> _Display:
        self._progress.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._progress.stop()

    def __call__(self, tally: Tally) -> None:
        self._progress.update(self._task, completed=tally.done, total=tally.total)
        now = time.monotonic()
        if self._console.is_terminal or now - self._told < LINE_EVERY_S or not tally.done:
            return
        self._told = now
        left_s = (now - self._started) / tally.done * (tally.total - tally.done)
        self._console.print(f"{tally.done:,} of {tally.total:,}, {left_s / 60:,.0f} minutes left")


def _plan(options: argparse.Namespace, store: CollectStore, console: Console) -> None:
    for path in options.songs:
        rows = list(_rows(path, (ARTIST_COLUMNS, TITLE_COLUMNS)))
        songs = [(artist, title) for artist, title in rows if artist and title]
        if len(songs) < len(rows):
            console.print(
                f"{path.name}: {len(rows) - len(songs):,} rows without artist or title are left out", markup=False
            )
        store.add_songs(songs, path.name, artists=not options.no_artists)
    for path in options.artists:
        store.add_artists(name for (name,) in _rows(path, (ARTIST_COLUMNS,)) if name)


def _rows(path: Path, wanted: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    """Read one value for each group of column names, the first artist of a list; a fault names file and column."""
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8-sig", newline="")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8-sig", newline="") as file
        ):
            reader = csv.DictReader(file)
            present = reader.fieldnames or ()
            columns = []
            for names in wanted:
                column = next((name for name in names if name in present), None)
                if column is None:
                    raise DataError(f"{path.name} has none of the columns {', '.join(names)}.")
                columns.append(column)
            for row in reader:
                yield [
                    parse_text(first_artist(row[column] or "") if column == "artists" else row[column])
                    for column in columns
                ]
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a CSV file: {error}") from None


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
        prog="collect.py", description="Collects figures from Last.fm as tables to train on; the same command goes on."
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the tables and the state")
    parser.add_argument("--songs", type=Path, nargs="+", default=[], help="CSV (.gz too) of artist and track")
    parser.add_argument("--artists", type=Path, nargs="+", default=[], help="CSV (.gz too) of artist")
    parser.add_argument("--chart", type=_positive, metavar="N", help="the N songs of the world's chart")
    parser.add_argument("--tag", action="append", default=[], help="the top songs of a tag; may be repeated")
    parser.add_argument("--country", action="append", default=[], help="the top songs of a country; may be repeated")
    parser.add_argument("--limit", type=_positive, default=1000, help="songs of each tag or country (1000)")
    parser.add_argument("--no-artists", action="store_true", help="leave the artists' own figures out")
    parser.add_argument("--snapshot", action="store_true", help="ask everything anew and append dated figures")
    parser.add_argument("--per-second", type=float, default=5.0, help="requests a second, at most 5 to Last.fm")
    options = parser.parse_args(argv)
    if not 0 < options.per_second <= 1000:
        parser.error("--per-second must be above 0")
    return options


if __name__ == "__main__":
    sys.exit(main())
