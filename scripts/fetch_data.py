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

from huggingface_hub import hf_hub_download  # noqa: E402
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: E402
from rich.table import Table  # noqa: E402

from core.errors import DataError  # noqa: E402
from core.lookup.catalog_build import BuildReport, Step, build_catalogue  # noqa: E402
from core.settings import load_settings  # noqa: E402

REPOSITORY = "maharshipandya/spotify-tracks-dataset"
FILE = "dataset.csv"
EXPECTED_ROWS = 114_000
"""Rows of the complete data set; a download with fewer was cut off."""


def main(argv: list[str] | None = None) -> int:
    """Fetch if need be, build, and show what was built."""
    parser = argparse.ArgumentParser(description="Get the Spotify Tracks Dataset and build the song catalogue from it.")
    parser.add_argument("--csv", type=Path, help="a copy of the data set, plain or .gz, instead of a download")
    parser.add_argument("--out", type=Path, help="the catalogue to write (default: catalogue.sqlite in DATA_DIR)")
    options = parser.parse_args(argv)
    console, errors = Console(), Console(stderr=True, soft_wrap=True)
    out = options.out or load_settings().catalogue_path
    try:
        csv_path = options.csv or _download(console)
    except (OSError, HfHubHTTPError, LocalEntryNotFoundError) as error:
        reason = str(error).strip().splitlines()
        errors.print(
            f"The data set could not be fetched: {reason[0] if reason else type(error).__name__}", markup=False
        )
        errors.print(f"Get {FILE} of {REPOSITORY} by hand and name it with --csv.", markup=False)
        return 2
    try:
        report = _build(csv_path, out, console, complete=options.csv is None)
    except DataError as error:
        errors.print(f"No catalogue was built: {error}", markup=False)
        return 1
    except OSError as error:
        errors.print(f"No catalogue was built: {out} cannot be written: {error.strerror}", markup=False)
        return 1
    _show(report, out, console)
    return 0


def _download(console: Console) -> Path:
    console.print(f"Fetching {FILE} of {REPOSITORY} from Hugging Face")
    return Path(hf_hub_download(REPOSITORY, FILE, repo_type="dataset"))


def _build(csv_path: Path, out: Path, console: Console, *, complete: bool) -> BuildReport:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console) as shown:
        tasks = {Step.READING: shown.add_task(Step.READING, total=EXPECTED_ROWS)}
        tasks[Step.WRITING] = shown.add_task(Step.WRITING, total=None)
        return build_catalogue(
            csv_path,
            out,
            source=f"{REPOSITORY} ({csv_path.name})",
            rows_least=EXPECTED_ROWS if complete else 1,
            progress=lambda step, done, total: shown.update(tasks[step], completed=done, total=total),
        )


def _show(report: BuildReport, out: Path, console: Console) -> None:
    table = Table(title=f"{out.name} is ready", show_header=False)
    table.add_row("rows read", f"{report.rows_read:,}")
    table.add_row("rows without names, left out", f"{report.rows_unnamed:,}")
    table.add_row("songs", f"{report.songs:,}")
    table.add_row("size", f"{report.size_bytes / 1e6:.1f} MB")
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
