"""Shows on a terminal how the song catalogue is fetched and built."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from bot import messages
from core.errors import DataError, DownloadError
from core.lookup.catalogue_download import DATASET_NAME, DATASET_ROWS, Step, dataset_of, fetch_catalogue, is_wanting

if TYPE_CHECKING:
    from core.lookup.catalogue_download import HubFile
    from core.lookup.catalogue_download import Progress as OnProgress
    from core.settings import Settings


COMMAND: Final = "catalogue"
"""Word of the command line that fetches the catalogue and ends."""


def is_catalogue_wanting(settings: Settings) -> bool:
    """Return whether the catalogue is to be fetched.

    Raises:
        CatalogueError: There is one, but it is damaged.
    """
    return dataset_of(settings) is not None and is_wanting(settings.catalogue_path)


async def fetch_in_process(stop: asyncio.Event) -> None:
    """Fetch the catalogue in a process of its own, so that this one stays free to answer; ``stop`` ends it.

    Its failure has been said by then, and the bot goes on without.
    """
    fetching = await asyncio.create_subprocess_exec(sys.executable, "-m", "bot", COMMAND)
    ended, stopping = asyncio.create_task(fetching.wait()), asyncio.create_task(stop.wait())
    await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not ended.done():
        fetching.terminate()
    await ended


def ensure_catalogue(
    settings: Settings, console: Console, *, dataset: HubFile | None = None, rows: int = DATASET_ROWS
) -> None:
    """Fetch the catalogue if there is none that this version reads; whatever fails is said in one line.

    Blocks for as long as that takes, so call it before an event loop runs.

    Args:
        settings: Where it lies and where its data set is fetched from, if at all.
        console: Where to show what is done.
        dataset: The file to fetch instead of the one that the settings name.
        rows: How many rows it has to have at least.

    Raises:
        CatalogueError: There is a catalogue, but it is damaged.
    """
    file = dataset or dataset_of(settings)
    if file is None or not is_wanting(settings.catalogue_path):
        return
    console.print(announcement(file, rows), markup=False, soft_wrap=True)
    try:
        with shown_progress(console) as progress:
            report = fetch_catalogue(file, settings.catalogue_path, progress, rows=rows)
    except (DownloadError, DataError) as error:
        reason = str(error)
    except OSError as error:
        reason = f"{settings.catalogue_path.parent} cannot be written: {error.strerror}"
    else:
        console.print(messages.CATALOGUE_READY.format(songs=f"{report.songs:,}"), markup=False)
        return
    console.print(messages.CATALOGUE_NOT_FETCHED.format(reason=reason), markup=False, soft_wrap=True)


def announcement(file: HubFile, rows: int) -> str:
    """Say what is fetched, how large it is and from where."""
    return messages.CATALOGUE_FETCHED.format(
        name=DATASET_NAME,
        rows=f"{rows:,}",
        megabytes=round(file.size_bytes / 1e6),
        host=urlsplit(file.address).hostname,
    )


@contextmanager
def shown_progress(console: Console) -> Iterator[OnProgress]:
    """Show a bar for each step that is told of; each appears with its first news and goes with all when done."""
    columns = TextColumn("{task.description}"), BarColumn(), _AmountColumn()
    # Where nobody sees it move, a bar is but an empty line.
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def progress(step: Step, done: int, total: int | None) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total)
            bars.update(tasks[step], completed=done, total=total)

        yield progress


class _AmountColumn(ProgressColumn):
    """Writes how much is done: bytes as people read them, rows and songs as numbers."""

    def render(self, task: Task) -> Text:
        """Write one row."""
        write = decimal if task.description == Step.FETCHING else "{:,}".format
        total = "" if task.total is None else f"/{write(int(task.total))}"
        return Text(f"{write(int(task.completed))}{total}")
