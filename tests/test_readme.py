"""What the README says of the model and the commands is what is there."""

from __future__ import annotations

import json
import re

from core.settings import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
ROWS = {
    "everything known": "full",
    "Last.fm figures and tags, no audio: a live question": "live",
    "artist figures and title": "artist",
    "audio and title": "audio",
    "*logistic regression, everything known*": "baseline_logistic",
    "*rate of the genres*": "baseline_genre_rate",
    "*the predecessor's forest, audio alone*": "baseline_forest",
    '*"not popular" to everything*': "baseline_majority",
}
COLUMNS = ("roc_auc", "average_precision", "f1", "accuracy", "brier", "ece")


def test_the_honest_table_is_that_of_the_committed_model() -> None:
    views = json.loads((ROOT / "models" / "metrics.json").read_text(encoding="utf-8"))["protocols"]["songs"]["views"]
    for label, view in ROWS.items():
        figures = " | ".join(f"{views[view][column]:.3f}" for column in COLUMNS)
        assert f"| {label} | {figures} |" in README


def test_files_it_links_to_exist() -> None:
    linked = re.findall(r"\]\((?!https?://)([^)#]+)\)", README)
    assert linked
    assert [path for path in linked if not (ROOT / path).exists()] == []


def test_make_targets_it_names_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)\b(?! me)", README)) - targets == set()
