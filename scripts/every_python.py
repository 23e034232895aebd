"""Runs the tests on every supported Python that is on this machine, each in an environment of its own.

Interpreters are looked for on the PATH (python3.12) and among pyenv's. One that is not there, or cannot be used, is
skipped and said to be; the exit code is 1 if the tests fail on any, or if there is none at all.

    python scripts/every_python.py [arguments for pytest]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

VERSIONS = ("3.11", "3.12", "3.13")
"""Versions of Python on which everything is to work."""

REQUIREMENTS = ROOT / "requirements-dev.txt"

# What the tests and their environment need of an interpreter and some builds lack.
_PROBE = "import ensurepip, sqlite3, ssl, sys, venv; print('.'.join(map(str, sys.version_info[:3])))"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that can be used: its whole version, "3.12.1", and its program."""

    version: str
    program: Path


def find_interpreter(version: str) -> Interpreter | str:
    """Find a Python of a version like "3.12"; if there is none that can be used, say why in a few words."""
    reason = "not on the PATH and not among pyenv's"
    for program in _programs(version):
        probed = subprocess.run([program, "-c", _PROBE], capture_output=True, text=True, check=False)  # noqa: S603
        found = probed.stdout.strip()
        if probed.returncode == 0 and found.startswith(f"{version}."):
            return Interpreter(found, program)
        # pyenv leaves a program on the PATH for every version it ever had, which then only says that it is not there.
        if "pyenv" not in probed.stderr:
            reason = f"{program} cannot be used: {_last_line(probed.stderr) or f'it is Python {found}'}"
    return reason


def run_tests(interpreter: Interpreter, folder: Path, arguments: Sequence[str]) -> str | None:
    """Run the tests in an environment below ``folder``, made or brought up to date; None, or what went wrong."""
    environment = folder / f"python-{interpreter.version}"
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    installed = environment / ".installed"
    if not python.exists() and _run(interpreter.program, "-m", "venv", str(environment)) != 0:
        return "its environment cannot be made"
    if not installed.exists() or installed.stat().st_mtime < REQUIREMENTS.stat().st_mtime:
        options = ("--quiet", "--disable-pip-version-check", "--require-hashes")
        if _run(python, "-m", "pip", "install", *options, "-r", str(REQUIREMENTS)) != 0:
            return "the packages of requirements-dev.txt cannot be installed"
        installed.touch()
    code = _run(python, "-m", "pytest", *arguments)
    return None if code == 0 else f"pytest ended with {code}"


def main(arguments: Sequence[str] | None = None, *, folder: Path = ROOT / ".venv") -> int:
    """Run the tests on each version, sum up in a line each, and return the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    summary, passed, failed = [], 0, 0
    for version in VERSIONS:
        interpreter = find_interpreter(version)
        if isinstance(interpreter, str):
            summary.append(f"Python {version}: skipped, {interpreter}")
            continue
        print(f"Python {interpreter.version}, {interpreter.program}", flush=True)
        fault = run_tests(interpreter, folder, arguments)
        summary.append(f"Python {interpreter.version}: {'passed' if fault is None else f'failed, {fault}'}")
        passed, failed = passed + (fault is None), failed + (fault is not None)
    print("\n".join(summary), flush=True)
    return 0 if passed and not failed else 1


def _programs(version: str) -> Iterator[Path]:
    """List where a Python of a version may be, the likeliest first."""
    on_path = shutil.which(f"python{version}")
    if on_path is not None:
        yield Path(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    numbered = [path for path in pyenv.glob(f"versions/{version}.*/bin/python") if path.parts[-3].count(".") == 2]
    yield from sorted(numbered, key=lambda path: _patch(path.parts[-3]), reverse=True)


def _patch(version: str) -> int:
    """Read the last number of "3.12.10"; -1 for a build that is not released, such as "3.14.0a1"."""
    last = version.rpartition(".")[2]
    return int(last) if last.isdecimal() else -1


def _run(program: Path, *arguments: str) -> int:
    return subprocess.run([program, *arguments], cwd=ROOT, check=False).returncode  # noqa: S603


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]


if __name__ == "__main__":
    sys.exit(main())
