"""Trains the model from a folder of CSV files, measures it and writes it into models/.

    python scripts/train.py --data DIR

Ends with 0 if a model was written or put back, 1 if a challenger was not promoted, 2 if the command or data cannot
be used; then models/ is as it was.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from rich.console import Console  # noqa: E402
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: E402
from rich.table import Table  # noqa: E402

from core.errors import DataError, ModelError  # noqa: E402
from core.training.data import build_songs, load_tables  # noqa: E402
from core.training.promotion import (  # noqa: E402
    decide_and_record,
    metrics_bytes,
    publish,
    roll_back,
)
from core.training.recipes import FULL, RECIPES, Budget  # noqa: E402
from core.training.train import STEPS, Trained, train  # noqa: E402

LATE_WORKERS_S = 60
"""Longest wait for Dask workers to appear."""


def main(argv: list[str] | None = None, *, budget: Budget = FULL) -> int:
    """Run the command line and return its exit code; ``budget`` is for tests."""
    options = _parse(argv)
    console = Console(stderr=True)
    try:
        if options.rollback:
            trained_at = roll_back(options.out)
            console.print(f"The model of {trained_at:%d %B %Y %H:%M} UTC is back in {options.out}.")
            return 0
        return _train(options, console, budget)
    except (DataError, ModelError, OSError) as error:
        console.print(str(error), style="red", highlight=False, markup=False)
        return 2


def _train(options: argparse.Namespace, console: Console, budget: Budget) -> int:
    recipe = RECIPES[options.recipe]
    tables = load_tables(options.data)
    songs = build_songs(tables)
    console.print(
        f"{len(tables.spotify):,} rows and {len(tables.dated):,} dated ones, {int(songs.labelled.sum()):,} labelled "
        f"songs, {songs.base_rate:.1%} of the catalogue popular"
    )
    with _progress(console) as progress, _cluster(options.dask):
        task = progress.add_task("reading features", total=STEPS)
        trained = train(
            tables,
            songs,
            seed=options.seed,
            jobs=options.jobs,
            recipe=recipe,
            budget=budget,
            notify=lambda step: progress.update(task, advance=1, description=step),
        )
        progress.update(task, completed=STEPS, description="done")
    _show(console, trained)
    now = datetime.now(UTC)
    if not recipe.servable:
        options.out.mkdir(parents=True, exist_ok=True)
        path = options.out / f"metrics-{recipe.name}.json"
        path.write_bytes(metrics_bytes(trained.metrics))
        console.print(f"This recipe is a baseline and is not served. Its figures are in {path}.")
        return 0
    if options.promote:
        decision = decide_and_record(trained, options.out, seed=options.seed, decided_at=now)
        for reason in decision.reasons:
            console.print(reason, highlight=False, markup=False)
        if not decision.promoted:
            console.print(f"Not promoted; the model in {options.out} stays.")
            return 1
    path = publish(trained, options.out, trained_at=now, demo_songs=ROOT / "data" / "demo_songs.csv")
    console.print(f"Wrote {path} ({path.stat().st_size / 1e6:.1f} MB).")
    return 0


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the model, measure it and write it into models/.")
    parser.add_argument("--data", type=Path, help="folder of the CSV files (.gz too)")
    parser.add_argument("--out", type=Path, default=ROOT / "models", help="folder to write to (default: models/)")
    parser.add_argument("--recipe", choices=sorted(RECIPES), default="default", help="what to train")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one per core)")
    parser.add_argument("--seed", type=int, default=0, help="fixes every random choice")
    parser.add_argument("--dask", metavar="ADDRESS", help="send the fits to this Dask scheduler, tcp://host:8786")
    parser.add_argument("--promote", action="store_true", help="replace the model only if the new one is better")
    parser.add_argument("--rollback", action="store_true", help="put the model before the present one back")
    options = parser.parse_args(argv)
    if options.data is None and not options.rollback:
        parser.error("--data DIR is needed, unless --rollback is given")
    if options.jobs < 1:
        parser.error("--jobs must be 1 or more")
    return options


@contextlib.contextmanager
def _cluster(address: str | None) -> Iterator[None]:
    """Send joblib's work to a Dask cluster for the time being; to local processes if there is no address."""
    if address is None:
        yield
        return
    try:
        from distributed import Client
        from joblib import parallel_config
    except ImportError:
        sentence = "--dask needs the package distributed: pip install -r requirements-dev.txt"
        raise DataError(sentence, user_message=sentence) from None
    with Client(address, timeout=LATE_WORKERS_S) as client:
        client.wait_for_workers(1, timeout=LATE_WORKERS_S)
        with parallel_config(backend="dask", wait_for_workers_timeout=LATE_WORKERS_S):
            yield


def _show(console: Console, trained: Trained) -> None:
    table = Table("artists it never saw", "ROC-AUC", "within", "average precision", "ECE")
    for protocol in ("live", "artist_figures", "real_tags", "songs_clean"):
        for name, view in trained.metrics["protocols"][protocol]["views"].items():
            cells = (view.get(metric) for metric in ("roc_auc", "roc_auc_within", "average_precision", "ece"))
            table.add_row(f"{protocol} {name}", *("" if cell is None else f"{cell:.3f}" for cell in cells))
    console.print(table)
    for gate in trained.gates:
        console.print(f"{'reached' if gate.passed else 'MISSED '} {gate.name}: {gate.found:.4f} ({gate.demand})")


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )


if __name__ == "__main__":
    sys.exit(main())
