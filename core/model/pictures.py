"""The pictures of the model card: is a probability kept, and how precise is the top of the list."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.metrics import average_precision_score, precision_recall_curve

from core.model.calibration import FloatArray
from core.model.measures import ECE_BINS, BoolArray

GROUND: Final = "#ffffff"
INK: Final = "#1f2328"
FAINT: Final = "#d0d7de"
COLOURS: Final = ("#1a7f37", "#0969da", "#bc4c00", "#8250df")
MARKS: Final = ("o", "s", "^", "D")
SIZE_IN: Final = (7.2, 5.2)
DPI: Final = 120


def calibration_picture(answers: Mapping[str, FloatArray], popular: BoolArray) -> bytes:
    """Draw the share of popular songs against the stated probability, in bins of equal count; PNG bytes."""
    figure, axes = _sheet("Is a stated probability kept?", "stated probability", "share that is popular")
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1.2, label="perfect")
    for (name, p), colour, mark in zip(answers.items(), COLOURS, MARKS, strict=False):
        order = np.argsort(p, kind="stable")
        # Most songs are surely unpopular: finer bins at the top show where answers matter.
        cuts = np.unique((len(p) * (1 - np.geomspace(1, 0.004, ECE_BINS + 1))).astype(int))
        bins = [part for part in np.split(order, cuts[1:]) if len(part)]
        axes.plot(
            [p[part].mean() for part in bins], [popular[part].mean() for part in bins], color=colour, marker=mark,
            markersize=5, linewidth=1.4, label=name,
        )  # fmt: skip
    axes.legend(frameon=False, loc="upper left")
    return _png(figure)


def precision_recall_picture(answers: Mapping[str, FloatArray], popular: BoolArray) -> bytes:
    """Draw precision against recall beside the base rate; PNG bytes."""
    figure, axes = _sheet("How precise is the top of the list?", "recall", "precision")
    for (name, p), colour in zip(answers.items(), COLOURS, strict=False):
        precision, recall, _ = precision_recall_curve(popular, p)
        label = f"{name} (AP {average_precision_score(popular, p):.2f})"
        axes.plot(recall, precision, color=colour, linewidth=1.6, label=label)
    rate = float(popular.mean())
    axes.axhline(rate, color=INK, linewidth=1, linestyle=(0, (4, 3)), label=f"guessing ({rate:.2f})")
    axes.legend(frameon=False, loc="upper right")
    return _png(figure)


def _sheet(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=SIZE_IN, dpi=DPI, facecolor=GROUND, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", color=INK, fontsize=13, fontweight="bold")
    axes.set(xlabel=x, ylabel=y, xlim=(0, 1), ylim=(0, 1.005))
    axes.grid(color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
