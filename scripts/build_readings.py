#!/usr/bin/env python3
"""Make the table of how words in songs' names are read, core/lookup/kanji_readings.tsv, from a dictionary.

build_readings.py --csv dataset.csv.gz    # needs what requirements.txt installs

Run it when the catalogue's data set is replaced by another.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core.lookup.dataset import read_dataset
from core.lookup.readings import TABLE
from core.training.kanji_readings import make_table, table_lines


def main() -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(description="Make the table of how words in songs' names are read.")
    parser.add_argument("--csv", type=Path, required=True, help="a copy of the data set, plain or .gz")
    parser.add_argument("--out", type=Path, default=TABLE, help="the table to write")
    parser.add_argument("--show", action="store_true", help="list the names that are read otherwise")
    options = parser.parse_args()
    texts = (text for entry in read_dataset(options.csv) for text in (entry.song.title, entry.song.artist))
    words, report = make_table(texts)
    options.out.write_text("".join(table_lines(words)), encoding="utf-8")
    sys.stdout.write(
        f"{report.words:,} words; of {report.names:,} names with kanji {len(report.differing):,} are read otherwise "
        "than by the dictionary.\n"
    )
    if options.show:
        sys.stdout.write("".join(f"{text}\n" for text in report.differing))
    return 0


if __name__ == "__main__":
    sys.exit(main())
