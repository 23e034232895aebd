"""Drawings that tell who drew them; functions of a module, since they are sent to other processes."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path


def warm_up() -> None:
    """Load nothing."""


def fail_to_warm_up() -> None:
    """Die before the first drawing, unless in the process that stands in ``HIRING_PROCESS``."""
    if os.environ.get("HIRING_PROCESS") != str(os.getpid()):
        os._exit(3)


def draw(number: int, takes_s: float = 0.05) -> tuple[int, int]:
    """Tell the number and the process."""
    time.sleep(takes_s)
    return number, os.getpid()


def draw_or_die(number: int, spared: int) -> tuple[int, int]:
    """Do as :func:`draw`, but kill any process but the one that is ``spared``."""
    if os.getpid() != spared:
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(number)


def draw_nothing() -> bytes:
    """Fail as a drawing may."""
    raise ValueError("no such colour")


def write_process_to(path: Path) -> None:
    """Note which process this is and go on for a minute."""
    path.write_text(str(os.getpid()))
    time.sleep(60)
