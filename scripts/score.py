"""Scores a CSV table of songs without any network.

    python scripts/score.py IN.csv OUT.csv

What a row leaves blank is filled from the song catalogue, if there is one. `--help` lists the columns. Ends with 0, or
with 2 if the table, the model or the catalogue cannot be used; then OUT.csv is as it was.
"""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from rich.console import Console  # noqa: E402
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: E402

from core.errors import CatalogueError, DataError, ModelError, SettingsError  # noqa: E402
from core.settings import load_settings  # noqa: E402
from core.tables import AUDIO_COLUMNS  # noqa: E402
from core.text import parse_release_date  # noqa: E402
from core.training.score import NEEDED, OPTIONAL, RESULTS, Tally, score_table  # noqa: E402  # noqa: E402

NO_CATALOGUE = "off"

HELP_WIDTH = 100
"""Columns of the help's list of columns."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = _parse(argv)
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.completed:,} rows"), TimeElapsedColumn())
    try:
        if options.source.resolve() == options.target.resolve():
            console.print("IN.csv and OUT.csv are the same file.", style="red")
            return 2
        catalogue = _catalogue(options.catalogue)
        if catalogue is None and options.catalogue != NO_CATALOGUE:
            console.print("No song catalogue to fill the blanks from. To build it: make catalogue", highlight=False)
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("score", total=None)
            tally = score_table(
                options.source,
                options.target,
                options.models,
                jobs=options.jobs,
                as_of=options.as_of,
                catalogue_path=catalogue,
                notify=lambda n: progress.update(task, advance=n),
            )
    except (CatalogueError, DataError, ModelError, OSError, SettingsError) as error:
        console.print(str(error), style="red", highlight=False, markup=False)
        return 2
    _say(tally, options.target, console, joined=catalogue is not None)
    return 0


def _catalogue(named: str | None) -> Path | None:
    """Return the catalogue to use: the one named, or that of DATA_DIR if there is one."""
    if named is not None:
        return None if named == NO_CATALOGUE else Path(named)
    path = load_settings().catalogue_path
    return path if path.exists() else None


def _say(tally: Tally, target: Path, console: Console, *, joined: bool) -> None:
    filled = f"; {tally.n_joined:,} were found in the catalogue" if joined else ""
    console.print(
        f"{tally.n_rows:,} rows written to {target}; {tally.n_errors:,} could not be scored{filled}.",
        highlight=False,
        markup=False,
    )
    if tally.n_names_only:
        console.print(
            f"Careful: {tally.n_names_only:,} of {tally.n_rows:,} rows had only names, which tell little of a song. "
            f"Add columns that tell more: scripts/score.py --help lists them.",
            style="yellow",
            highlight=False,
        )


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Score a CSV table of songs.",
        epilog=_columns_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", type=Path, metavar="IN.csv")
    parser.add_argument("target", type=Path, metavar="OUT.csv")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="folder of the model (default: models/)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one per core)")
    parser.add_argument(
        "--as-of", type=_day, metavar="DATE", help="day for which to predict rows without as_of (default: today)"
    )
    parser.add_argument(
        "--catalogue",
        metavar="FILE",
        help=f"song catalogue that fills blanks (default: catalogue.sqlite in DATA_DIR), or {NO_CATALOGUE!r}",
    )
    options = parser.parse_args(argv)
    if options.jobs < 1:
        parser.error("--jobs must be 1 or more")
    return options


def _columns_help() -> str:
    """List the columns that are read, with their meanings, and those that are added."""
    audio = ", ".join(AUDIO_COLUMNS)
    listed = {name: meaning for name, meaning in OPTIONAL.items() if name not in AUDIO_COLUMNS}
    return "\n".join(
        [
            "columns that IN.csv must have:",
            *(f"  {name:<18}{meaning}" for name, meaning in NEEDED.items()),
            "",
            "columns that are used if there; blanks mean unknown:",
            *(f"  {name:<18}{meaning}" for name, meaning in listed.items()),
            *textwrap.wrap(audio, HELP_WIDTH, initial_indent="  ", subsequent_indent="  "),
            f"  {'':<18}{OPTIONAL[AUDIO_COLUMNS[0]]}",
            "",
            "Dates are YYYY-MM-DD, YYYY-MM (its first day) or YYYY (its 1 July).",
            f"All columns are kept, and {', '.join(RESULTS)} added.",
        ]
    )


def _day(text: str) -> date:
    day = parse_release_date(text)
    if day is None:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a date like 2026-11-25, 2026-11 or 2026")
    return day


if __name__ == "__main__":
    sys.exit(main())
