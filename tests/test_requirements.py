"""The pinned lists agree with one another, with what is imported, and hold a checksum for every package."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.settings import ROOT

BOT, FULL, DEV, TOOLS = (ROOT / f"requirements{name}.txt" for name in ("-bot", "", "-dev", "-tools"))


def pins(path: Path) -> dict[str, list[str]]:
    """Read a pinned list: each requirement with its marker, and its checksums."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip().startswith("#"):
            continue
        if digest := re.fullmatch(r"    --hash=sha256:([0-9a-f]{64})( \\)?", line):
            found[name].append(digest[1])
        else:
            requirement = re.fullmatch(r"([a-z0-9][a-z0-9.-]*(?:\[[a-z,-]+\])?==[^\s;]+(?: ; .+?)?) \\", line)
            assert requirement, f"{path.name}: {line!r} is no pinned requirement followed by checksums"
            name = requirement[1]
            found[name] = []
    return found


@pytest.mark.parametrize("path", [BOT, FULL, DEV, TOOLS], ids=lambda path: path.name)
def test_every_package_has_a_checksum(path: Path) -> None:
    found = pins(path)
    assert found
    assert [name for name, digests in found.items() if not digests] == []


@pytest.mark.parametrize(("shorter", "longer"), [(BOT, FULL), (FULL, DEV)], ids=["bot", "full"])
def test_a_longer_list_holds_the_shorter_one_with_the_same_pins(shorter: Path, longer: Path) -> None:
    held = pins(longer)
    assert {name: digests for name, digests in pins(shorter).items() if held.get(name) != digests} == {}


def test_what_only_training_needs_is_not_installed_for_the_bot() -> None:
    names = {re.split(r"[\[=]", name)[0] for name in pins(BOT)}
    assert names & {"pandas", "scikit-learn", "scipy", "pytest", "mypy"} == set()


@pytest.mark.parametrize("path", [BOT, FULL, DEV, TOOLS], ids=lambda path: path.name)
def test_no_list_says_where_packages_come_from(path: Path) -> None:
    assert "://" not in path.read_text(encoding="utf-8")
    assert "://" not in path.with_suffix(".in").read_text(encoding="utf-8")


def test_nothing_is_installed_unchecked() -> None:
    files = [ROOT / "Makefile", *ROOT.glob("Dockerfile"), *ROOT.glob(".github/workflows/*.yml"), *ROOT.glob(".ci/*")]
    commands = [
        line
        for path in files
        for line in re.sub(r"\\\n\s*", "", path.read_text(encoding="utf-8")).splitlines()
        if re.search(r"\bpip\b.*\binstall\b", line)
    ]
    assert commands
    assert [command for command in commands if "--require-hashes" not in command] == []


def test_the_notices_name_every_package_of_the_bot() -> None:
    notices = (ROOT / "THIRD_PARTY_NOTICES.md").read_text(encoding="utf-8")
    table = notices[notices.index("## Other packages") :]
    named = set(re.findall(r"[a-z0-9][a-z0-9-]+", table.partition("\n\nThe wheels")[0]))
    assert {re.split(r"[\[=]", name)[0] for name in pins(BOT)} - named == set()
