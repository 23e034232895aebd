"""Get the Spotify Tracks Dataset and build the song catalogue from it.

    python scripts/fetch_data.py                      # download, then build data/catalogue.sqlite
    python scripts/fetch_data.py --csv dataset.csv.gz # build from a copy at hand

Ends with 0 when the catalogue stands, 1 when the data cannot be used, 2 when it cannot be fetched.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from bot.catalogue_fetch import announcement, shown_progress  # noqa: E402
from core.errors import DataError, DownloadError, SettingsError  # noqa: E402
from core.lookup.catalogue_build import BuildReport, build_catalogue  # noqa: E402
from core.lookup.catalogue_download import DATASET, DATASET_ROWS, dataset_of, fetch_catalogue  # noqa: E402
from core.settings import load_settings  # noqa: E402


def main(argv: list[str] | None = None) -> int:
    """Fetch if need be, build, and show what was built."""
    parser = argparse.ArgumentParser(description="Get the Spotify Tracks Dataset and build the song catalogue from it.")
    parser.add_argument("--csv", type=Path, help="a copy of the data set, plain or .gz, instead of a download")
    parser.add_argument("--out", type=Path, help="the catalogue to write (default: catalogue.sqlite in DATA_DIR)")
    options = parser.parse_args(argv)
    console, errors = Console(), Console(stderr=True, soft_wrap=True)
    try:
        settings = load_settings()
    except SettingsError as error:
        errors.print(error.user_message, markup=False)
        return 2
    out = options.out or settings.catalogue_path
    try:
        with shown_progress(console) as progress:
            if options.csv is not None:
                report = build_catalogue(options.csv, out, source=options.csv.name, progress=progress)
            else:
                # Whoever asks for the file by hand means it, also where the start leaves it alone.
                file = dataset_of(settings) or DATASET
                console.print(announcement(file, DATASET_ROWS), markup=False)
                report = fetch_catalogue(file, out, progress)
    except DownloadError as error:
        errors.print(f"The data set could not be fetched: {error}.", markup=False)
        errors.print("Get it by hand and name it: make catalogue CSV=dataset.csv", markup=False)
        return 2
    except DataError as error:
        errors.print(f"No catalogue was built: {error}", markup=False)
        return 1
    except OSError as error:
        errors.print(f"No catalogue was built: {out} cannot be written: {error.strerror}", markup=False)
        return 1
    _show(report, out, console)
    return 0


def _show(report: BuildReport, out: Path, console: Console) -> None:
    table = Table(title=f"{out.name} is ready", show_header=False)
    table.add_row("rows read", f"{report.rows_read:,}")
    table.add_row("rows without names, left out", f"{report.rows_unnamed:,}")
    table.add_row("songs", f"{report.songs:,}")
    table.add_row("size", f"{report.size_bytes / 1e6:.1f} MB")
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
