from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from core.settings import ROOT
from scripts.release_notes import main, notes_of

CHANGELOG = """# Changelog

Newest first.

## 1.1.0 - unreleased

## 1.0.0 - 2026-12-01

- One.
- Two.

## 0.9.0 - 2026-11-01

- Old.
"""


@pytest.mark.parametrize(
    ("version", "notes"), [("1.0.0", "- One.\n- Two."), ("0.9.0", "- Old."), ("1.1.0", None), ("1.0", None)]
)
def test_a_version_has_its_own_notes_alone(version: str, notes: str | None) -> None:
    assert notes_of(version, CHANGELOG) == notes


def test_the_notes_of_this_very_version(capsys: pytest.CaptureFixture[str]) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert main([version]) == 0
    assert capsys.readouterr().out.startswith("- ")


@pytest.mark.parametrize(
    ("named", "reason"), [("0.9.0", "pyproject.toml names another version"), ("1.1.0", "says nothing of 1.1.0")]
)
def test_a_tag_without_notes_or_of_another_version_publishes_nothing(
    named: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.1.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    assert main([named], root=tmp_path) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert reason in captured.err
