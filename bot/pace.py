"""Keeps the event loop's turns short while threads draw, score and search beside it."""

from __future__ import annotations

import gc
import sys
from typing import Final

SWITCH_S: Final = 0.001
"""After so long a thread gives way to one that waits.

Python's own 5 ms let the event loop stand for 5 ms behind every busy thread; a switch costs some microseconds.
"""


def keep_pace() -> None:
    """Let threads take turns quickly, and let collections of garbage begin, which pass over what is loaded by now.

    A full collection walks every object; those of the imported libraries alone take tenths of a second.
    """
    sys.setswitchinterval(SWITCH_S)
    gc.collect()
    gc.freeze()
    gc.enable()
