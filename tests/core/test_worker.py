from __future__ import annotations

import asyncio
import threading

import pytest

from core.worker import HANDED_OVER, Worker


async def test_work_is_done_one_by_one_in_order_and_off_the_event_loop() -> None:
    worker = Worker("mine")
    done: list[tuple[int, str]] = []
    results = await asyncio.gather(
        *(worker.run(lambda n=n: done.append((n, threading.current_thread().name)) or n) for n in range(50))
    )
    assert results == list(range(50))
    assert done == [(n, "mine_0") for n in range(50)]
    worker.close()


async def test_a_crowd_waits_in_the_event_loop() -> None:
    worker, at_work, gate = Worker("mine"), threading.Event(), threading.Event()
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        at_work.set()
        gate.wait(5)
        return number

    waiting = [asyncio.create_task(worker.run(work, number)) for number in range(20)]
    assert await asyncio.to_thread(at_work.wait, 5)
    assert worker._thread._work_queue.qsize() == HANDED_OVER - 1
    waiting[10].cancel()
    await asyncio.sleep(0)
    gate.set()
    done = await asyncio.gather(*waiting, return_exceptions=True)
    assert [one for one in done if isinstance(one, int)] == [n for n in range(20) if n != 10]
    assert 10 not in begun
    worker.close()


async def test_a_failure_is_told_to_whoever_asked() -> None:
    worker = Worker("mine")
    with pytest.raises(ZeroDivisionError):
        await worker.run(lambda: 1 // 0)
    assert await worker.run(lambda: 2) == 2
    worker.close()
