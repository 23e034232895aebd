from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import Iterator

import pytest

from bot.runtime import MAX_PAUSE_S, SWITCH_S, OnServing, supervise, tune_runtime


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
    tune_runtime()
    assert sys.getswitchinterval() == pytest.approx(SWITCH_S)
    assert gc.get_freeze_count() > 10_000
    assert gc.isenabled()


class Steady:
    name = "steady"

    def __init__(self) -> None:
        self.serving = asyncio.Event()

    async def run(self, stop: asyncio.Event, on_serving: OnServing) -> None:
        self.serving.set()
        await stop.wait()
        self.serving.clear()


class Failing:
    name = "failing"

    def __init__(self) -> None:
        self.starts = 0

    async def run(self, stop: asyncio.Event, on_serving: OnServing) -> None:
        self.starts += 1
        raise RuntimeError("the token is not accepted")


async def test_a_failing_platform_pauses_longer_each_time_while_the_other_serves(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stop, steady, failing, pauses = asyncio.Event(), Steady(), Failing(), list[float]()

    async def pause(seconds: float) -> None:
        assert steady.serving.is_set()
        pauses.append(seconds)
        if len(pauses) == 9:
            stop.set()

    with caplog.at_level(logging.INFO):
        await asyncio.wait_for(supervise([steady, failing], stop, pause=pause), 60)
    assert pauses[:4] == [5, 10, 20, 40]
    assert pauses[-1] == MAX_PAUSE_S
    assert failing.starts == 9
    assert len(caplog.records) == 9
    assert "platform=failing retry_in_s=5 error=the token is not accepted" in caplog.messages[0]


@pytest.mark.warped_time
async def test_stop_ends_a_pause_at_once() -> None:
    stop, failing = asyncio.Event(), Failing()
    asyncio.get_running_loop().call_later(0.05, stop.set)
    await asyncio.wait_for(supervise([failing], stop), 1)
    assert failing.starts == 1
