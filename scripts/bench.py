"""Measures how fast the bot is, each figure beside what it is compared with, and prints a table.

python scripts/bench.py                       on made-up songs
python scripts/bench.py --csv FILE            on the Spotify Tracks Dataset
python scripts/bench.py --million             also search among a million songs: some minutes and 3 GB
python scripts/bench.py --only search,cards   some groups of rows
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def main(argv: list[str] | None = None) -> int:
    """Run the command line; 0 if all was measured, 2 if the data or the command cannot be used."""
    # Imported here, since processes that are started for a measurement read this file again.
    from core.errors import DataError, ModelError
    from scripts.benchmarks.measurement import machine
    from scripts.benchmarks.table import GROUPS, measure, show, write

    parser = argparse.ArgumentParser(description="Measure how fast the bot is.")
    parser.add_argument("--csv", type=Path, help="the Spotify Tracks Dataset; made-up songs without it")
    parser.add_argument("--million", action="store_true", help="also search among a million made-up songs")
    parser.add_argument("--only", default=",".join(GROUPS), help=f"groups of rows: {', '.join(GROUPS)}")
    parser.add_argument("--out", type=Path, default=ROOT / "bench.json", help="file of the figures")
    options = parser.parse_args(argv)
    wanted = options.only.split(",")
    if unknown := set(wanted) - set(GROUPS):
        parser.error(f"there is no group {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    try:
        with tempfile.TemporaryDirectory(prefix="hitmeter-bench-") as folder:
            label, rows = measure(wanted, Path(folder), csv=options.csv, million=options.million)
    except (DataError, ModelError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    show(rows, label, machine())
    write(rows, label, machine(), options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
