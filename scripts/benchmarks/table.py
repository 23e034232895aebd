"""The table that people read and the file that machines read."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from scripts.benchmarks.measuring import Row

_REACHED = {True: "yes", False: "no", None: ""}


def machine() -> dict[str, str | int | float]:
    """Name what the figures were measured with, and how busy it was with other work."""
    loads = os.getloadavg() if hasattr(os, "getloadavg") else (float("nan"),)
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "load": round(loads[0], 1),
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    names = (line for line in path.read_text().splitlines() if line.startswith("model name")) if path.exists() else ()
    return next((line.partition(":")[2].strip() for line in names), platform.processor() or "unknown")


def show(rows: Sequence[Row], songs: str, made_on: Mapping[str, str | int | float]) -> None:
    """Print the table."""
    table = Table(title=f"Hitmeter, measured on: {songs}", show_lines=True)
    for heading in ("what", "against", "measured", "ratio", "target", "reached"):
        table.add_column(heading, justify="right" if heading == "ratio" else "left")
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.3g}"
        table.add_row(row.what, row.against, row.measured, ratio, row.target, _REACHED[row.reached])
    console = Console()
    console.print(table)
    console.print(", ".join(f"{name} {value}" for name, value in made_on.items()), highlight=False)


def write(rows: Sequence[Row], songs: str, made_on: Mapping[str, str | int | float], path: Path) -> None:
    """Write the figures as JSON."""
    lines = [
        {
            "what": row.what,
            "against": row.against,
            "measured": row.measured,
            "ratio": row.ratio,
            "target": row.target,
            "reached": row.reached,
            "figures": dict(row.figures),
        }
        for row in rows
    ]
    body = {"songs": songs, "machine": dict(made_on), "rows": lines}
    path.write_text(json.dumps(body, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
