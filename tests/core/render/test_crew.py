from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial
from pathlib import Path

import pytest

from core.render import crew as crew_module
from core.render.crew import LINE, QUIET_S, Crew
from tests.fakes import drawings
from tests.fakes.command import command

CROWD = 40


async def crowded(crew: Crew, until: Callable[[], bool], drawing: Callable[..., object] = drawings.draw) -> list[int]:
    """Let crowds come until something holds; the processes that drew, each drawing answered with its own."""
    by: list[int] = []
    async with asyncio.timeout(60):
        while not until():
            drawn = await asyncio.gather(*(crew.draw(partial(drawing, number)) for number in range(CROWD)))
            assert [number for number, _ in drawn] == list(range(CROWD))
            by += [process for _, process in drawn]
    return by


async def test_few_are_drawn_for_by_the_thread_alone() -> None:
    async with aclosing(Closing(Crew(drawings.warm_up, helpers=2))) as kept:
        for _ in range(3):
            drawn = await asyncio.gather(*(kept.crew.draw(partial(drawings.draw, n, 0.001)) for n in range(LINE)))
            assert drawn == [(n, os.getpid()) for n in range(LINE)]
        assert kept.crew._hiring is None


async def test_a_crowd_is_drawn_for_by_processes_too_which_leave_when_it_is_quiet() -> None:
    seconds = 100.0
    async with aclosing(Closing(Crew(drawings.warm_up, helpers=2, clock=lambda: seconds))) as kept:
        crew, by = kept.crew, set[int]()
        async with asyncio.timeout(60):
            while len(by) < 3:
                by |= set(await crowded(crew, lambda: len(crew._helpers) == 2))
                by |= {process for _, process in await crowd(crew)}
        assert os.getpid() in by
        assert len(by) == 3
        seconds += QUIET_S - 1
        for number in range(4):
            await crew.draw(partial(drawings.draw, number))
        assert len(crew._helpers) == 2
        seconds += 2
        for number in range(4):
            await crew.draw(partial(drawings.draw, number))
        assert crew._helpers == set()
        assert {process for _, process in [await crew.draw(partial(drawings.draw, 1))]} == {os.getpid()}
        for process in by - {os.getpid()}:
            assert not runs(process)


async def test_what_a_killed_helper_had_in_hand_is_drawn_by_another(caplog: pytest.LogCaptureFixture) -> None:
    seconds = 100.0
    async with aclosing(Closing(Crew(drawings.warm_up, helpers=1, clock=lambda: seconds))) as kept:
        crew = kept.crew
        await crowded(crew, lambda: len(crew._helpers) == 1)
        by = await crowded(crew, lambda: not crew._helpers, partial(drawings.draw_or_die, spared=os.getpid()))
        assert set(by) == {os.getpid()}
        assert "event=helper_lost" in caplog.text
        hiring = crew._hiring
        await crowd(crew)
        assert crew._hiring is hiring, "called for help at once, though the last helper failed just now"
        seconds += QUIET_S
        await crowded(crew, lambda: len(crew._helpers) == 1)


async def test_a_helper_that_cannot_start_is_done_without(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIRING_PROCESS", str(os.getpid()))
    async with aclosing(Closing(Crew(drawings.fail_to_warm_up, helpers=1))) as kept:
        by = await crowded(kept.crew, lambda: "event=helper_not_started" in caplog.text)
        assert set(by) == {os.getpid()}
        await crowd(kept.crew)


async def test_a_drawing_that_fails_fails_alone() -> None:
    async with aclosing(Closing(Crew(drawings.warm_up))) as kept:
        with pytest.raises(ValueError, match="no such colour"):
            await kept.crew.draw(drawings.draw_nothing)
        assert await kept.crew.draw(partial(drawings.draw, 4)) == (4, os.getpid())


async def test_who_gives_up_waiting_leaves_the_thread_to_the_others() -> None:
    async with aclosing(Closing(Crew(drawings.warm_up))) as kept:
        waiting = [asyncio.create_task(kept.crew.draw(partial(drawings.draw, number))) for number in range(6)]
        await asyncio.sleep(0.02)
        for task in waiting[::2]:
            task.cancel()
        assert [number for number, _ in await asyncio.gather(*waiting[1::2])] == [1, 3, 5]
        assert all(task.cancelled() for task in waiting[::2])
        assert await kept.crew.draw(partial(drawings.draw, 7)) == (7, os.getpid())


async def test_closing_while_a_helper_starts_leaves_no_process() -> None:
    crew = Crew(drawings.warm_up, helpers=1)
    await asyncio.gather(*(crew.draw(partial(drawings.draw, number, 0.001)) for number in range(LINE + 1)))
    assert crew._hiring is not None
    await crew.aclose()
    assert children_that_draw(os.getpid()) == []


ORPHANING = """
    import asyncio, functools, sys, pathlib
    sys.path.insert(0, sys.argv[1])
    if __name__ == "__main__":
        from core.render.crew import Crew
        from tests.fakes import drawings
        async def main():
            crew = Crew(drawings.warm_up, helpers=1)
            while not crew._helpers:
                await asyncio.gather(*(crew.draw(functools.partial(drawings.draw, n)) for n in range(20)))
            path = pathlib.Path(sys.argv[2])
            await asyncio.gather(*(crew.draw(functools.partial(drawings.write_process_to, path)) for n in range(2)))
        asyncio.run(main())
"""


def test_a_helper_ends_with_the_process_that_called_for_it(tmp_path: Path) -> None:
    note = tmp_path / "process"
    with subprocess.Popen(command(ORPHANING, str(note))) as caller:  # noqa: S603 - our own code
        patience_s = time.monotonic() + 60
        helpers: list[int] = []
        while time.monotonic() < patience_s and not (helpers and note.exists()):
            time.sleep(0.05)
            helpers = children_that_draw(caller.pid)
        caller.send_signal(signal.SIGKILL)
    assert helpers
    while time.monotonic() < patience_s and any(map(runs, helpers)):
        time.sleep(0.02)
    assert not any(map(runs, helpers))


@pytest.mark.parametrize(("cores", "helpers"), [(1, 0), (2, 1), (16, crew_module.HELPERS_MOST)])
async def test_one_core_is_left_to_the_thread(cores: int, helpers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew_module, "cpu_count", lambda: cores)
    async with aclosing(Closing(Crew(drawings.warm_up, helpers=None))) as kept:
        assert kept.crew._most == helpers


class Closing:
    """Closes a crew at the end of a block."""

    def __init__(self, crew: Crew) -> None:
        self.crew = crew

    def aclose(self) -> Awaitable[None]:
        return self.crew.aclose()


async def crowd(crew: Crew) -> list[tuple[int, int]]:
    return await asyncio.gather(*(crew.draw(partial(drawings.draw, number)) for number in range(CROWD)))


def runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def children_that_draw(process: int) -> list[int]:
    """List the children that :mod:`multiprocessing` started to work."""
    if not sys.platform.startswith("linux"):
        pytest.skip("processes are looked up in /proc")
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            if parent == process and b"spawn_main" in (stat.parent / "cmdline").read_bytes():
                found.append(int(stat.parent.name))
        except OSError:
            continue  # it ended meanwhile
    return found
