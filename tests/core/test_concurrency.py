from __future__ import annotations

import asyncio
import threading

import pytest

from core.concurrency import MAX_HANDED_OVER, SerialExecutor, SingleFlight, deadline, deadline_at


class Counted:
    """Work that waits to be let go, and counts how often it was begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.go = asyncio.Event()

    async def __call__(self) -> int:
        self.begun += 1
        await self.go.wait()
        return self.begun


async def test_all_who_want_it_at_once_share_one_piece_of_work() -> None:
    shared, work = SingleFlight[int](4), Counted()
    waiting = [asyncio.create_task(shared.get("a", work)) for _ in range(5)]
    await asyncio.sleep(0)
    work.go.set()
    assert await asyncio.gather(*waiting) == [1] * 5
    assert await shared.get("a", work) == 1
    assert work.begun == 1


async def test_only_the_results_used_last_are_kept() -> None:
    shared, work = SingleFlight[int](2), Counted()
    work.go.set()
    for key in ("a", "b", "a", "c"):
        await shared.get(key, work)
    assert work.begun == 3
    assert await shared.get("a", work) == 1
    assert await shared.get("b", work) == 4


async def test_who_gives_up_leaves_the_others_theirs() -> None:
    shared, work = SingleFlight[int](4), Counted()
    hasty, patient = (asyncio.create_task(shared.get("a", work)) for _ in range(2))
    await asyncio.sleep(0)
    hasty.cancel()
    work.go.set()
    assert await patient == 1
    assert hasty.cancelled()


async def test_a_failure_is_told_to_all_and_tried_again() -> None:
    shared = SingleFlight[int](4)

    async def fail() -> int:
        raise ValueError("no")

    outcomes = await asyncio.gather(*(shared.get("a", fail) for _ in range(2)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ValueError, ValueError]
    with pytest.raises(ValueError, match="no"):
        await shared.get("a", fail)
    work = Counted()
    work.go.set()
    assert await shared.get("a", work) == 1


async def test_results_last_as_long_as_they_say() -> None:
    now = [0.0]
    shared = SingleFlight[int](4, lasting_s=lambda result: 10.0 * result, clock=lambda: now[0])
    work = Counted()
    work.go.set()
    for now_s, expected in ((0.0, 1), (9.0, 1), (10.0, 2), (29.0, 2), (30.0, 3)):
        now[0] = now_s
        assert await shared.get("a", work) == expected


async def test_nothing_is_kept_unless_it_is_asked_for() -> None:
    shared, work = SingleFlight[int](), Counted()
    work.go.set()
    assert [await shared.get("a", work) for _ in range(2)] == [1, 2]
    assert not shared._results


async def test_closing_cancels_what_is_in_flight() -> None:
    shared, work = SingleFlight[int](), Counted()
    waiting = asyncio.create_task(shared.get("a", work))
    await asyncio.sleep(0)
    await shared.aclose()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not shared._in_flight


async def test_work_is_done_one_by_one_in_order_and_off_the_event_loop() -> None:
    executor = SerialExecutor("mine")
    done: list[tuple[int, str]] = []
    results = await asyncio.gather(
        *(executor.run(lambda n=n: done.append((n, threading.current_thread().name)) or n) for n in range(50))
    )
    assert results == list(range(50))
    assert done == [(n, "mine_0") for n in range(50)]
    executor.close()


async def test_a_crowd_waits_in_the_event_loop() -> None:
    executor, at_work, gate = SerialExecutor("mine"), threading.Event(), threading.Event()
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        at_work.set()
        gate.wait(5)
        return number

    waiting = [asyncio.create_task(executor.run(work, number)) for number in range(20)]
    assert await asyncio.to_thread(at_work.wait, 5)
    assert executor._thread._work_queue.qsize() == MAX_HANDED_OVER - 1
    waiting[10].cancel()
    await asyncio.sleep(0)
    gate.set()
    done = await asyncio.gather(*waiting, return_exceptions=True)
    assert [one for one in done if isinstance(one, int)] == [n for n in range(20) if n != 10]
    assert 10 not in begun
    executor.close()


async def test_a_failure_is_told_to_whoever_asked() -> None:
    executor = SerialExecutor("mine")
    with pytest.raises(ZeroDivisionError):
        await executor.run(lambda: 1 // 0)
    assert await executor.run(lambda: 2) == 2
    executor.close()


async def test_without_a_budget_each_call_has_its_own() -> None:
    assert abs(deadline_at(5.0) - asyncio.get_running_loop().time() - 5.0) < 0.1


async def test_calls_in_turn_share_one_budget_also_in_their_tasks() -> None:
    now = asyncio.get_running_loop().time()
    with deadline(3.0):
        assert abs(deadline_at(10.0) - now - 3.0) < 0.1
        assert abs(deadline_at(1.0) - now - 1.0) < 0.1

        async def call() -> float:
            return deadline_at(10.0)

        assert abs(await asyncio.create_task(call()) - now - 3.0) < 0.1
        with deadline(9.0):
            assert abs(deadline_at(10.0) - now - 3.0) < 0.1
        with deadline(2.0):
            assert abs(deadline_at(10.0) - now - 2.0) < 0.1
    assert deadline_at(10.0) - now > 9.0


async def test_questions_do_not_share_their_budgets() -> None:
    async def ask(seconds: float) -> float:
        with deadline(seconds):
            await asyncio.sleep(0)
            return deadline_at(100.0) - asyncio.get_running_loop().time()

    assert [round(left) for left in await asyncio.gather(ask(5.0), ask(50.0))] == [5, 50]
