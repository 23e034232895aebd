"""What the README says of the model and the commands is what is there."""

from __future__ import annotations

import json
import re

from core.settings import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
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


def test_the_honest_table_is_that_of_the_committed_model() -> None:
    protocols = json.loads((ROOT / "models" / "metrics.json").read_text(encoding="utf-8"))["protocols"]
    for label, (protocol, view) in ROWS.items():
        found = protocols[protocol]["views"][view]
        figures = " | ".join(f"{found[column]:.3f}" if column in found else "–" for column in COLUMNS)
        assert f"| {label} | {found['n']:,} | {found['base_rate']:.0%} | {figures} |" in README


def test_files_it_links_to_exist() -> None:
    linked = re.findall(r"\]\((?!https?://)([^)#]+)\)", README)
    assert linked
    assert [path for path in linked if not (ROOT / path).exists()] == []


def test_make_targets_it_names_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)\b(?! me)", README)) - targets == set()
