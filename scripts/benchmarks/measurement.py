"""What a measurement is made of: rows of the table, percentiles, times, memory, and the machine."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import gc
import gzip
import math
import os
import platform
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

HEARTBEAT_S: Final = 0.001
"""How often an event loop is asked whether it still moves."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        what: What was measured.
        against: What it is compared with, measured in the same run; "" if nothing.
        measured: The figures as people read them.
        ratio: Times the one figure stands to the other; None where there is no comparison.
        target: What was to be reached.
        reached: Whether it was; None where no target was set.
        figures: The same figures for machines, names with units.
    """

    what: str
    against: str
    measured: str
    target: str
    reached: bool | None
    ratio: float | None = None
    figures: Mapping[str, float] = field(default_factory=dict)


def percentile(values: Sequence[float], share_pct: float) -> float:
    """Return the least value that ``share_pct`` percent of ``values`` do not exceed (nearest rank).

    Raises:
        ValueError: There are no values, or the share is not above 0 and at most 100.
    """
    if not values or not 0 < share_pct <= 100:
        raise ValueError("a percentile needs values and a share above 0 and at most 100")
    return sorted(values)[math.ceil(len(values) * share_pct / 100) - 1]


def median(values: Sequence[float]) -> float:
    """Return the value in the middle, the lower one of two."""
    return percentile(values, 50)


def timed_ms(task: Callable[[], object]) -> float:
    """Run ``task`` once and return the milliseconds it took by the clock on the wall."""
    started = time.perf_counter()
    task()
    return (time.perf_counter() - started) * 1000


def interleaved_ms(tasks: Mapping[str, Callable[[], object]], repetitions: int) -> dict[str, list[float]]:
    """Time tasks by turns, so that a busy spell of the machine falls on all of them.

    Each runs once untimed before. The collector of garbage rests, as :mod:`timeit` has it.
    """
    taken: dict[str, list[float]] = {name: [] for name in tasks}
    for task in tasks.values():
        task()
    collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(repetitions):
            for name, task in tasks.items():
                taken[name].append(timed_ms(task))
    finally:
        if collecting:
            gc.enable()
    return taken


@contextlib.asynccontextmanager
async def stalls_ms() -> AsyncIterator[list[float]]:
    """Collect by how many milliseconds each heartbeat of the running event loop came late."""
    late: list[float] = []

    async def beat() -> None:
        while True:
            due = time.perf_counter() + HEARTBEAT_S
            await asyncio.sleep(HEARTBEAT_S)
            late.append((time.perf_counter() - due) * 1000)

    beating = asyncio.create_task(beat())
    await asyncio.sleep(0)
    try:
        yield late
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)


def rss_mb(process: int | str = "self") -> float:
    """Return the memory that a process holds, as Linux counts it; NaN where there is no /proc."""
    status = Path(f"/proc/{process}/status")
    if not status.exists():
        return float("nan")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine() -> dict[str, str | int | float]:
    """Name what the figures were measured with, and how busy it was with other work."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": next(models, platform.processor() or "unknown"),
        "cores": os.cpu_count() or 1,
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else float("nan"),
    }


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file, plain or .gz; every cell is text."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def whole(cell: str) -> int:
    """Read a count that may be written as a float; 0 if there is none."""
    return int(float(cell)) if cell else 0


def print_table(
    console: Console, title: str, headings: Sequence[str], rows: Sequence[Sequence[str]], *, left: Collection[str]
) -> None:
    """Print a table whose columns named in ``left`` are words, the others numbers."""
    table = Table(title=title, show_lines=True)
    for heading in headings:
        table.add_column(heading, justify="left" if heading in left else "right")
    for row in rows:
        table.add_row(*row)
    console.print(table)
