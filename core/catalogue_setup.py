"""The song catalogue where there is none: its data set fetched from the hub, checked and built into one file."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from contextlib import closing
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.errors import CatalogueOutdated, DataError
from core.lookup.catalog import Catalogue
from core.lookup.catalog_build import BuildReport, Progress, Step, build_catalogue
from core.lookup.hub import HubFile, download
from core.settings import DATASET_ADDRESS, Settings

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

DATASET: Final = HubFile(
    address=DATASET_ADDRESS,
    sha256="b202fa49909b2d5cef71a04b1d21243cfeb36414535f2ca9272aa646721177bd",
    size_bytes=20_118_244,
)
"""The Spotify Tracks Dataset as the hub has held it since June 2023."""

DATASET_ROWS: Final = 114_000
"""Rows of the complete data set."""

DATASET_NAME: Final = "Spotify Tracks Dataset"

__all__ = ["DATASET", "DATASET_NAME", "DATASET_ROWS", "Progress", "Step", "dataset_of", "fetch_catalogue", "is_wanting"]


def dataset_of(settings: Settings) -> HubFile | None:
    """Say which file is to be fetched and from where; None if none is."""
    return None if settings.catalogue is None else replace(DATASET, address=str(settings.catalogue))


def is_wanting(path: Path) -> bool:
    """Return whether there is no catalogue at ``path``, or one of another version.

    Raises:
        CatalogueError: There is one, but it is damaged; it is left for whoever runs the bot to look at.
    """
    try:
        catalogue = Catalogue.open_if_present(path)
    except CatalogueOutdated:
        return True
    if catalogue is None:
        return True
    with closing(catalogue):
        return False


def fetch_catalogue(file: HubFile, out: Path, progress: Progress, *, rows: int = DATASET_ROWS) -> BuildReport:
    """Fetch the data set and build the catalogue; blocks, so call it before an event loop runs.

    ``out`` is replaced only when all is well. What was fetched is kept nowhere else, so that after a cut, also by the
    end of the process, the next start begins anew.

    Args:
        file: The data set.
        out: The catalogue to write.
        progress: Told of bytes, rows and songs.
        rows: How many rows the data set has to have at least.

    Raises:
        DownloadError: The file cannot be fetched.
        DataError: It came, but does not hold the rows and columns it has to.
        OSError: ``out`` or the folder for temporary files cannot be written.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(out.parent, os.W_OK):
        raise PermissionError(None, "the folder cannot be written", str(out.parent))
    with tempfile.TemporaryDirectory(prefix="hitmeter-") as folder:
        csv_path = Path(folder) / "dataset.csv"
        asyncio.run(download(file, csv_path, lambda done, total: progress(Step.FETCHING, done, total)))
        return _built_aside(csv_path, out, file.address, rows, progress)


def _built_aside(csv_path: Path, out: Path, source: str, rows: int, progress: Progress) -> BuildReport:
    """Build in a process of its own: the 170 MB that building takes would stay with the bot for as long as it runs."""
    context = get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    child = context.Process(target=_build, args=(sending, csv_path, out, source, rows), daemon=True)
    child.start()
    sending.close()
    try:
        while True:
            match receiving.recv():
                case BuildReport() as report:
                    return report
                case Exception() as error:
                    raise error
                case (step, done, total):
                    progress(step, done, total)
    except EOFError:
        raise DataError("building the catalogue was broken off") from None
    finally:
        child.terminate()
        child.join()
        receiving.close()


def _build(told: Connection, csv_path: Path, out: Path, source: str, rows: int) -> None:
    """Build, and tell of progress and of what came of it; when told to end, leave nothing half written behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this process ends it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        report = build_catalogue(csv_path, out, source=source, rows_least=rows, progress=lambda *news: told.send(news))
    except (DataError, OSError) as error:
        told.send(error)
    else:
        told.send(report)
