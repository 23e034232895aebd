"""Trains the model from a folder of CSV files and writes it into models/.

python scripts/train.py --data DIR
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from rich.console import Console  # noqa: E402
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: E402

from core.errors import DataError, ModelError  # noqa: E402
from core.model.artifact import save  # noqa: E402
from core.model.songs import build_songs  # noqa: E402
from core.model.tables import load_tables  # noqa: E402
from core.model.training import train  # noqa: E402

STEPS = 25
"""Steps that the progress display expects."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; 0 if a model was written, 2 if the data or the command cannot be used."""
    options = _parse(argv)
    console = Console(stderr=True)
    try:
        tables = load_tables(options.data)
        songs = build_songs(tables)
        console.print(f"{len(tables.spotify):,} rows, {len(songs.songs):,} songs, {songs.popular.mean():.1%} popular")
        with _progress(console) as progress:
            task = progress.add_task("features", total=STEPS)
            trained = train(
                tables,
                songs,
                seed=options.seed,
                jobs=options.jobs,
                notify=lambda step: progress.update(task, advance=1, description=step),
            )
            progress.update(task, completed=STEPS, description="done")
        metrics = (json.dumps(trained.metrics, indent=2, ensure_ascii=False) + "\n").encode()
        path = save(
            trained.model,
            options.out,
            trained_at=datetime.now(UTC),
            extras={"metrics.json": metrics},
            recipe="default",
        )
    except (DataError, ModelError) as error:
        console.print(f"[red]{error}[/red]", highlight=False)
        return 2
    console.print(f"wrote {path} ({path.stat().st_size / 1e6:.1f} MB)")
    return 0


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the model and write it into models/.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the CSV files (.gz too)")
    parser.add_argument("--out", type=Path, default=ROOT / "models", help="folder to write to")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--seed", type=int, default=0, help="fixes every random choice")
    return parser.parse_args(argv)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )


if __name__ == "__main__":
    sys.exit(main())
