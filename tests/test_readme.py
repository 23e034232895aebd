"""What the README and the documents say of the model and the commands is what is there."""

from __future__ import annotations

import json
import re

from core.settings import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = {
    path: path.read_text(encoding="utf-8")
    for path in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "SECURITY.md",
        *sorted((ROOT / "docs").glob("*.md")),
    )
}
ROWS = {
    "**a live question**: figures, artist, tags, release date": ("live", "live"),
    "without the release date": ("live", "live_without_date"),
    "without tags": ("live", "live_without_tags"),
    "*ranking by Last.fm plays*": ("live", "plays_alone"),
    "*ranking by Last.fm listeners*": ("live", "listeners_alone"),
    "no figures of the song itself": ("artist_figures", "live"),
    "*ranking by the artist's listeners*": ("artist_figures", "artist_listeners_alone"),
    "all songs of the catalogue, everything known": ("songs_clean", "full"),
    "the catalogue alone: genres, audio, title": ("songs_clean", "catalogue"),
    "*logistic regression, everything known*": ("songs_clean", "baseline_logistic"),
    "*the predecessor's forest, audio alone*": ("songs_clean", "baseline_forest"),
    '*"not popular" to everything*': ("songs_clean", "baseline_majority"),
}
COLUMNS = ("roc_auc", "roc_auc_within", "average_precision", "ece")


IN_SHORT = (
    "**a live question**: figures, artist, tags, release date",
    "*ranking by Last.fm plays*",
    "*ranking by Last.fm listeners*",
)
"""Rows that the README shows too."""


def test_the_honest_table_is_that_of_the_committed_model() -> None:
    protocols = json.loads((ROOT / "models" / "metrics.json").read_text(encoding="utf-8"))["protocols"]
    rows = {}
    for label, (protocol, view) in ROWS.items():
        found = protocols[protocol]["views"][view]
        figures = " | ".join(f"{found[column]:.3f}" if column in found else "–" for column in COLUMNS)
        rows[label] = f"| {label} | {found['n']:,} | {found['base_rate']:.0%} | {figures} |"
    shown = (ROOT / "docs" / "model.md").read_text(encoding="utf-8").splitlines()
    assert [row for row in rows.values() if row not in shown] == []
    # Each row of figures in the README is one of them, and none is missing.
    assert re.findall(r"^\|.*\| \d+% \|.*$", README, flags=re.MULTILINE) == [rows[label] for label in IN_SHORT]


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 150


def test_files_that_documents_link_to_exist() -> None:
    broken = []
    for document, text in DOCUMENTS.items():
        linked = re.findall(r"\]\((?!https?://)([^)#]+)\)", text)
        broken += [f"{document.name}: {path}" for path in linked if not (document.parent / path).exists()]
    assert broken == []


def test_every_document_is_linked_from_the_readme() -> None:
    assert [path.name for path in (ROOT / "docs").glob("*.md") if f"](docs/{path.name})" not in README] == []


def test_make_targets_that_documents_name_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = {
        name
        for text in DOCUMENTS.values()
        for name in re.findall(r"(?:`|^ *|&& |/)make ([a-z-]+)\b", text, re.MULTILINE)
    }
    assert {"run", "env", "train", "retrain", "test"} <= named
    assert named - targets == set()
