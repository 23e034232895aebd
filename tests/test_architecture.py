"""The seams hold: core knows no platform, bot knows no machinery, and what is documented exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from core.settings import ROOT, Settings

FORBIDDEN = {
    "core": ("bot", "discord", "telegram", "scripts", "tests"),
    "bot": ("sklearn", "matplotlib", "joblib", "pandas", "core.lookup.lastfm", "core.lookup.catalogue", "core.model"),
}
LINES_MAX = 700


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


@pytest.mark.parametrize("package", sorted(FORBIDDEN))
def test_package_keeps_to_its_side(package: str) -> None:
    found = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(package)
        for name in imports(path)
        for forbidden in FORBIDDEN[package]
        if name == forbidden or name.startswith(f"{forbidden}.")
    ]
    assert found == []


def test_training_is_imported_by_nothing_that_runs() -> None:
    found = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules("core")
        if not path.is_relative_to(ROOT / "core" / "training")
        for name in imports(path)
        if name == "core.training" or name.startswith("core.training.")
    ]
    assert found == []


TRAINING = ("sklearn", "scipy", "pandas", "joblib", "threadpoolctl", "distributed", "sudachipy", "sudachidict_small")
"""What only training needs, and no answer."""


def reached_from(package: str) -> dict[str, Path]:
    """Find the modules of ours that a package imports, at whatever depth and also within functions."""
    files = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in modules("core")}
    found: dict[str, Path] = {}
    waiting = [name for path in modules(package) for name in imports(path)]
    while waiting:
        name = waiting.pop()
        if name in files and name not in found:
            found[name] = files[name]
            waiting += imports(files[name])
    return found


def test_nothing_that_answers_imports_what_training_needs() -> None:
    reached = reached_from("bot")
    assert "core.model.ensemble" in reached, "the walk does not reach the model"
    found = [
        f"{module} imports {name}"
        for module, path in reached.items()
        for name in imports(path)
        if name.split(".")[0] in TRAINING
    ]
    assert found == []


def test_the_walk_sees_imports() -> None:
    assert "core.errors.SettingsError" in imports(ROOT / "core" / "settings.py")


@pytest.mark.parametrize("package", ["bot", "core", "scripts"])
def test_modules_stay_short(package: str) -> None:
    long = {path.name: n for path in modules(package) if (n := len(path.read_text("utf-8").splitlines())) > LINES_MAX}
    assert long == {}


def test_env_example_names_every_setting() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^#?\s?([A-Z][A-Z0-9_]+)=", text, flags=re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}


def test_the_documents_list_every_setting() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([A-Z0-9_]+)` \|", text, flags=re.MULTILINE)
    assert listed == list(dict.fromkeys(listed)), "each once"
    assert set(listed) == {name.upper() for name in Settings.model_fields}
