"""Scores a CSV table of songs without any network.

    python scripts/score.py IN.csv OUT.csv

Needed columns: track, artist (credits joined by ";"). Used if there: listeners, playcount, artist_listeners,
artist_playcount, tags (joined by "|"), album, duration_ms, explicit, released (day of the first release), as_of (day
for which to predict, by default that of --as-of), and the nine audio features. Blanks mean unknown. Dates are
YYYY-MM-DD, YYYY-MM (its first day) or YYYY (its 1 July). Ends with 0, or with 2 if the table or the model cannot be
used; then OUT.csv is as it was.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from rich.console import Console  # noqa: E402
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: E402

from core.errors import DataError, ModelError  # noqa: E402
from core.model.scoring import score_table  # noqa: E402
from core.released import parse_release_date  # noqa: E402


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = _parse(argv)
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.completed:,} rows"), TimeElapsedColumn())
    try:
        if options.source.resolve() == options.target.resolve():
            console.print("IN.csv and OUT.csv are the same file.", style="red")
            return 2
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("score", total=None)
            tally = score_table(
                options.source,
                options.target,
                options.models,
                jobs=options.jobs,
                as_of=options.as_of,
                notify=lambda n: progress.update(task, advance=n),
            )
    except (DataError, ModelError, OSError) as error:
        console.print(str(error), style="red", highlight=False, markup=False)
        return 2
    console.print(f"{tally.n_rows:,} rows written to {options.target}; {tally.n_errors:,} could not be scored.")
    return 0


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Score a CSV table of songs.")
    parser.add_argument("source", type=Path, metavar="IN.csv")
    parser.add_argument("target", type=Path, metavar="OUT.csv")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="folder of the model (default: models/)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one per core)")
    parser.add_argument(
        "--as-of", type=_day, metavar="DATE", help="day for which to predict rows without as_of (default: today)"
    )
    options = parser.parse_args(argv)
    if options.jobs < 1:
        parser.error("--jobs must be 1 or more")
    return options


def _day(text: str) -> date:
    day = parse_release_date(text)
    if day is None:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a date like 2026-11-25, 2026-11 or 2026")
    return day


if __name__ == "__main__":
    sys.exit(main())
