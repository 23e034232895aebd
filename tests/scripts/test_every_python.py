from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from scripts import every_python
from scripts.every_python import Interpreter, find_interpreter, main

PROGRAM = """#!/bin/sh
# Stands in for Python {version}: tells its version, makes an environment, and notes what it is asked to run.
case "$1 $2" in
    "-c "*) echo "{version}" ;;
    "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    "-m pip")
        case " $* " in *" --require-hashes "*) ;; *) echo "{version} unchecked" >> "{log}" ;; esac
        echo "{version} pip" >> "{log}"; exit {pip} ;;
    "-m pytest") shift 2; echo "{version} pytest $*" >> "{log}"; exit {pytest} ;;
esac
"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")


class Machine:
    """A machine with the interpreters that a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.path, self.pyenv, self.log, self.folder = (folder / name for name in ("path", "pyenv", "log", "made"))
        self.path.mkdir()
        self.log.touch()

    def has(self, version: str, *, under_pyenv: bool = False, pip: int = 0, tests: int = 0) -> Path:
        text = PROGRAM.format(version=version, log=self.log, pip=pip, pytest=tests)
        return self.has_program(version, text, under_pyenv=under_pyenv)

    def has_program(self, version: str, text: str, *, under_pyenv: bool = False) -> Path:
        below_pyenv = self.pyenv / "versions" / version / "bin" / "python"
        program = below_pyenv if under_pyenv else self.path / f"python{version.rpartition('.')[0]}"
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(text)
        program.chmod(0o755)
        return program

    def test(self, *arguments: str) -> int:
        return main(arguments, folder=self.folder)

    @property
    def ran(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    monkeypatch.setenv("PATH", f"{made.path}{os.pathsep}/bin{os.pathsep}/usr/bin")
    monkeypatch.setenv("PYENV_ROOT", str(made.pyenv))
    # Whatever this machine itself has beside them is not asked.
    monkeypatch.setattr(every_python.shutil, "which", lambda name: str(p) if (p := made.path / name).exists() else None)
    return made


def test_the_tests_run_on_every_interpreter_in_an_environment_of_its_own(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.has("3.11.7")
    machine.has("3.12.1", under_pyenv=True)
    machine.has("3.13.0", under_pyenv=True)
    assert machine.test("tests/core", "-q") == 0
    assert machine.ran == [
        *("3.11.7 pip", "3.11.7 pytest tests/core -q"),
        *("3.12.1 pip", "3.12.1 pytest tests/core -q"),
        *("3.13.0 pip", "3.13.0 pytest tests/core -q"),
    ]
    assert sorted(path.name for path in machine.folder.iterdir()) == [
        "python-3.11.7", "python-3.12.1", "python-3.13.0",
    ]  # fmt: skip
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "Python 3.11.7: passed", "Python 3.12.1: passed", "Python 3.13.0: passed",
    ]  # fmt: skip
    machine.log.write_text("")
    assert machine.test() == 0
    assert machine.ran == ["3.11.7 pytest ", "3.12.1 pytest ", "3.13.0 pytest "], "nothing is installed twice"


def test_what_is_missing_is_skipped_and_said(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.has("3.12.1")
    broken = machine.has_program(
        "3.13.0", "#!/bin/sh\necho \"ModuleNotFoundError: No module named '_ssl'\" >&2\nexit 1\n"
    )
    assert machine.test() == 0
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "Python 3.11: skipped, not on the PATH and not among pyenv's",
        "Python 3.12.1: passed",
        f"Python 3.13: skipped, {broken} cannot be used: ModuleNotFoundError: No module named '_ssl'",
    ]


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ({"tests": 1}, "pytest ended with 1"),
        ({"pip": 1}, "the packages of requirements-dev.txt cannot be installed"),
    ],
)
def test_a_failure_on_one_is_a_failure_and_the_others_still_run(
    machine: Machine, capsys: pytest.CaptureFixture[str], codes: dict[str, int], said: str
) -> None:
    machine.has("3.12.1", **codes)
    machine.has("3.13.0")
    assert machine.test() == 1
    assert capsys.readouterr().out.splitlines()[-2:] == [f"Python 3.12.1: failed, {said}", "Python 3.13.0: passed"]


def test_without_any_interpreter_nothing_has_passed(machine: Machine) -> None:
    assert machine.test() == 1
    assert machine.ran == []


def test_a_name_that_pyenv_left_on_the_path_is_passed_over(machine: Machine) -> None:
    machine.has_program("3.12.0", "#!/bin/sh\necho 'pyenv: python3.12: command not found' >&2\nexit 127\n")
    assert find_interpreter("3.12") == "not on the PATH and not among pyenv's"
    machine.has("3.12.9", under_pyenv=True)
    newest = machine.has("3.12.10", under_pyenv=True)
    assert find_interpreter("3.12") == Interpreter("3.12.10", newest)


def test_this_very_interpreter_can_be_used(machine: Machine) -> None:
    version = ".".join(map(str, sys.version_info[:2]))
    (machine.path / f"python{version}").symlink_to(sys.executable)
    found = find_interpreter(version)
    assert isinstance(found, Interpreter)
    assert found.version == sys.version.split()[0]
