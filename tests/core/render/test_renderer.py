from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from core.errors import RenderError
from core.render import renderer as renderer_module
from core.render.card import draw_card
from core.render.renderer import QUEUE_THRESHOLD, QUIET_S, CardRenderer, RenderPool, load_drawing
from tests.fakes import drawings
from tests.fakes.command import command
from tests.fakes.predictions import NOW, plain_cover, prediction


@pytest.fixture
async def renderer():
    async with CardRenderer(now=lambda: NOW) as renderer:
        yield renderer


async def test_the_three_pictures(renderer):
    cover = plain_cover(40, 80, 120)
    made, other = prediction(), prediction("Hello", "Adele", probability=0.4)
    pictures = await asyncio.gather(
        renderer.card(made, cover), renderer.compare(made, cover, other, None), renderer.animation(made, None)
    )
    kinds = []
    for body in pictures:
        with Image.open(io.BytesIO(body)) as picture:
            kinds.append((picture.format, picture.size))
    assert kinds == [("PNG", (1200, 630)), ("PNG", (1200, 630)), ("GIF", (800, 420))]


async def test_the_age_is_told_against_the_given_time(renderer):
    assert await renderer.card(prediction(), None) == draw_card(prediction(), None, NOW)


async def test_a_failure_to_draw_is_a_render_error(renderer):
    with pytest.raises(RenderError):
        await renderer.card(None, None)


def test_threads_do_not_mix_up_their_texts():
    made = [prediction(f"Song number {n}", f"Artist {n}", probability=n / 24) for n in range(24)]
    with ThreadPoolExecutor(4) as threads:
        drawn = list(threads.map(lambda one: draw_card(one, None, NOW), made))
    assert drawn == [draw_card(one, None, NOW) for one in made]


async def test_a_helper_draws_as_the_thread_does():
    made = [prediction(f"Song number {n}", f"Artist {n}", probability=n / 24) for n in range(24)]
    async with CardRenderer(pool := RenderPool(load_drawing, helpers=1), now=lambda: NOW) as renderer:
        async with asyncio.timeout(60):
            while not pool._helpers:
                await asyncio.gather(*(renderer.animation(one, None) for one in made))
        drawn = await asyncio.gather(*(renderer.card(one, None) for one in made))
    assert drawn == [draw_card(one, None, NOW) for one in made]


async def test_the_same_song_asked_for_by_many_is_drawn_once():
    moments = [NOW, NOW, NOW + timedelta(hours=2)]
    submitted = []

    class Counting(ThreadPoolExecutor):
        def submit(self, fn, /, *args, **kwargs):
            submitted.append(fn)
            return super().submit(fn, *args, **kwargs)

    async with CardRenderer(RenderPool(load_drawing, own=Counting(1)), now=lambda: moments.pop(0)) as renderer:
        warming = len(submitted)
        cover = plain_cover(40, 80, 120)
        first, second = await asyncio.gather(renderer.card(prediction(), cover), renderer.card(prediction(), cover))
        assert first == second
        assert len(submitted) - warming == 1
        # Two hours later the small print says so.
        assert await renderer.card(prediction(), cover) != first


CROWD = 40


async def crowded(
    pool: RenderPool, until: Callable[[], bool], drawing: Callable[..., object] = drawings.draw
) -> list[int]:
    """Let crowds come until something holds; the processes that drew, each drawing answered with its own."""
    by: list[int] = []
    async with asyncio.timeout(60):
        while not until():
            drawn = await asyncio.gather(*(pool.draw(partial(drawing, number)) for number in range(CROWD)))
            assert [number for number, _ in drawn] == list(range(CROWD))
            by += [process for _, process in drawn]
    return by


async def test_few_are_drawn_for_by_the_thread_alone() -> None:
    async with aclosing(Closing(RenderPool(drawings.warm_up, helpers=2))) as kept:
        for _ in range(3):
            drawn = await asyncio.gather(
                *(kept.pool.draw(partial(drawings.draw, n, 0.001)) for n in range(QUEUE_THRESHOLD))
            )
            assert drawn == [(n, os.getpid()) for n in range(QUEUE_THRESHOLD)]
        assert kept.pool._spawning is None


async def test_a_crowd_is_drawn_for_by_processes_too_which_leave_when_it_is_quiet() -> None:
    seconds = 100.0
    async with aclosing(Closing(RenderPool(drawings.warm_up, helpers=2, clock=lambda: seconds))) as kept:
        pool, by = kept.pool, set[int]()
        async with asyncio.timeout(60):
            while len(by) < 3:
                by |= set(await crowded(pool, lambda: len(pool._helpers) == 2))
                by |= {process for _, process in await crowd(pool)}
        assert os.getpid() in by
        assert len(by) == 3
        seconds += QUIET_S - 1
        for number in range(4):
            await pool.draw(partial(drawings.draw, number))
        assert len(pool._helpers) == 2
        seconds += 2
        for number in range(4):
            await pool.draw(partial(drawings.draw, number))
        assert pool._helpers == set()
        assert {process for _, process in [await pool.draw(partial(drawings.draw, 1))]} == {os.getpid()}
        for process in by - {os.getpid()}:
            assert not runs(process)


async def test_what_a_killed_helper_had_in_hand_is_drawn_by_another(caplog: pytest.LogCaptureFixture) -> None:
    seconds = 100.0
    async with aclosing(Closing(RenderPool(drawings.warm_up, helpers=1, clock=lambda: seconds))) as kept:
        pool = kept.pool
        await crowded(pool, lambda: len(pool._helpers) == 1)
        by = await crowded(pool, lambda: not pool._helpers, partial(drawings.draw_or_die, spared=os.getpid()))
        assert set(by) == {os.getpid()}
        assert "event=helper_lost" in caplog.text
        hiring = pool._spawning
        await crowd(pool)
        assert pool._spawning is hiring, "called for help at once, though the last helper failed just now"
        seconds += QUIET_S
        await crowded(pool, lambda: len(pool._helpers) == 1)


async def test_a_helper_that_cannot_start_is_done_without(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIRING_PROCESS", str(os.getpid()))
    async with aclosing(Closing(RenderPool(drawings.fail_to_warm_up, helpers=1))) as kept:
        by = await crowded(kept.pool, lambda: "event=helper_not_started" in caplog.text)
        assert set(by) == {os.getpid()}
        await crowd(kept.pool)


async def test_a_drawing_that_fails_fails_alone() -> None:
    async with aclosing(Closing(RenderPool(drawings.warm_up))) as kept:
        with pytest.raises(ValueError, match="no such colour"):
            await kept.pool.draw(drawings.draw_nothing)
        assert await kept.pool.draw(partial(drawings.draw, 4)) == (4, os.getpid())


async def test_who_gives_up_waiting_leaves_the_thread_to_the_others() -> None:
    async with aclosing(Closing(RenderPool(drawings.warm_up))) as kept:
        waiting = [asyncio.create_task(kept.pool.draw(partial(drawings.draw, number))) for number in range(6)]
        await asyncio.sleep(0.02)
        for task in waiting[::2]:
            task.cancel()
        assert [number for number, _ in await asyncio.gather(*waiting[1::2])] == [1, 3, 5]
        assert all(task.cancelled() for task in waiting[::2])
        assert await kept.pool.draw(partial(drawings.draw, 7)) == (7, os.getpid())


async def test_closing_while_a_helper_starts_leaves_no_process() -> None:
    pool = RenderPool(drawings.warm_up, helpers=1)
    await asyncio.gather(*(pool.draw(partial(drawings.draw, number, 0.001)) for number in range(QUEUE_THRESHOLD + 1)))
    assert pool._spawning is not None
    await pool.aclose()
    assert children_that_draw(os.getpid()) == []


ORPHANING = """
    import asyncio, functools, sys, pathlib
    sys.path.insert(0, sys.argv[1])
    if __name__ == "__main__":
        from core.render.renderer import RenderPool
        from tests.fakes import drawings
        async def main():
            pool = RenderPool(drawings.warm_up, helpers=1)
            while not pool._helpers:
                await asyncio.gather(*(pool.draw(functools.partial(drawings.draw, n)) for n in range(20)))
            path = pathlib.Path(sys.argv[2])
            await asyncio.gather(*(pool.draw(functools.partial(drawings.write_process_to, path)) for n in range(2)))
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


@pytest.mark.parametrize(("cores", "helpers"), [(1, 0), (2, 1), (16, renderer_module.HELPERS_MAX)])
async def test_one_core_is_left_to_the_thread(cores: int, helpers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renderer_module, "cpu_count", lambda: cores)
    async with aclosing(Closing(RenderPool(drawings.warm_up, helpers=None))) as kept:
        assert kept.pool._most == helpers


class Closing:
    """Closes a pool at the end of a block."""

    def __init__(self, pool: RenderPool) -> None:
        self.pool = pool

    def aclose(self) -> Awaitable[None]:
        return self.pool.aclose()


async def crowd(pool: RenderPool) -> list[tuple[int, int]]:
    return await asyncio.gather(*(pool.draw(partial(drawings.draw, number)) for number in range(CROWD)))


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
