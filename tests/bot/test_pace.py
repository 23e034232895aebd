from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import pytest

from bot.pace import SWITCH_S, keep_pace


@pytest.fixture
def interpreter() -> Iterator[None]:
    """Give the interpreter its own ways back."""
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)
    gc.unfreeze()
    gc.enable()


@pytest.mark.usefixtures("interpreter")
def test_threads_give_way_soon_and_loaded_objects_are_not_walked_again() -> None:
    gc.disable()
    keep_pace()
    assert sys.getswitchinterval() == pytest.approx(SWITCH_S)
    assert gc.get_freeze_count() > 10_000
    assert gc.isenabled()
