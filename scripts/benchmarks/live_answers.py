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
import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))


def main(argv: list[str] | None = None) -> int:
    """Run the command line; 0 if all was measured, 2 if the data or the command cannot be used."""
    # Imported here, since the processes of the services read this file again.
    from rich.console import Console

    from core.errors import DataError, ModelError
    from scripts.benchmarks.live_scoring import show
    from scripts.benchmarks.live_stages import STAGES, measure
    from scripts.benchmarks.table import machine

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
    console = Console(stderr=True)
    try:
        with tempfile.TemporaryDirectory(prefix="hitmeter-live-") as folder:
            results = measure(wanted, options.data, Path(folder), limit=options.limit, console=console)
    except (DataError, ModelError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    body = {"machine": machine(), **results}
    options.out.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    show(results, Console())
    return 0


if __name__ == "__main__":
    sys.exit(main())
