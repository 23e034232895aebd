"""Runs the commands of README.md, read from the file, one after the other in a fresh clone of what is committed.

    .venv/bin/python scripts/try_readme.py               # those of README.md
    .venv/bin/python scripts/try_readme.py --keep DIR    # clone into DIR, which must not exist, and leave it there

A command is a line of a block marked as sh, or what stands in backticks and begins with one of the project's programs.
Nothing is typed in: the console chat sees the end of its input. The keys of this environment are kept from them. The
exit code is 1 at the first command that fails. Slow, since it installs everything: no part of make test.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

PROGRAMS = ("make ", "git ", "docker ", "python ", ".venv/bin/")
"""What commands in backticks begin with."""

PLACEHOLDER = "<this repository>"

BASH = shutil.which("bash") or "/bin/bash"

TIMEOUT_S = 1800


def commands_of(text: str) -> list[str]:
    """List the commands of a Markdown text in the order in which they stand; comments are taken off."""
    found: list[str] = []
    # Odd parts are the insides of fenced blocks, their language first.
    for number, part in enumerate(re.split(r"^```", text, flags=re.MULTILINE)):
        if number % 2:
            language, _, body = part.partition("\n")
            lines = body.splitlines() if language.strip() == "sh" else []
            found += [command for line in lines if (command := re.sub(r"""(^|\s+)# [^"']*$""", "", line).strip())]
        else:
            found += [span for span in re.findall(r"`([^`\n]+)`", part) if span.startswith(PROGRAMS)]
    return found


def run(commands: Sequence[str], folder: Path) -> int:
    """Run commands in ``folder`` as one person at one terminal would, and return 1 as soon as one fails."""
    from core.settings import Settings

    ours = {name.upper() for name in Settings.model_fields}
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    for command in commands:
        literal = command.replace(PLACEHOLDER, shlex.quote(str(ROOT)))
        started = time.monotonic()
        # Where the command leaves the shell, the next one begins.
        place = folder.with_name(f"{folder.name}.place")
        script = f"{literal}\ncode=$?\npwd > {shlex.quote(str(place))}\nexit $code"
        done = subprocess.run(  # noqa: S603
            [BASH, "-c", script], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT_S, check=False,
        )  # fmt: skip
        print(f"$ {command}\n{done.stdout.rstrip()}\n  exit code {done.returncode}, {time.monotonic() - started:.0f} s")
        sys.stdout.flush()
        if done.returncode != 0:
            return 1
        folder = Path(place.read_text(encoding="utf-8").strip())
        place.unlink()
    print(f"{len(commands)} commands, all of them succeeded.")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--keep", type=Path, metavar="DIR", help="clone into this new folder and leave it there")
    options = parser.parse_args(arguments)
    commands = commands_of((ROOT / "README.md").read_text(encoding="utf-8"))
    if not commands:
        print("README.md has no commands.", file=sys.stderr)
        return 1
    if options.keep is not None:
        options.keep.mkdir(parents=True)
        return run(commands, options.keep)
    with tempfile.TemporaryDirectory(prefix="hitmeter-readme-") as made:
        folder = Path(made) / "somewhere"
        folder.mkdir()
        return run(commands, folder)


if __name__ == "__main__":
    sys.exit(main())
