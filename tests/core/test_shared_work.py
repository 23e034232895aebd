from __future__ import annotations

import asyncio

import pytest

from core.shared_work import SharedWork


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
    shared, work = SharedWork[int](4), Counted()
    waiting = [asyncio.create_task(shared.get("a", work)) for _ in range(5)]
    await asyncio.sleep(0)
    work.go.set()
    assert await asyncio.gather(*waiting) == [1] * 5
    assert await shared.get("a", work) == 1
    assert work.begun == 1


async def test_only_the_results_used_last_are_kept() -> None:
    shared, work = SharedWork[int](2), Counted()
    work.go.set()
    for key in ("a", "b", "a", "c"):
        await shared.get(key, work)
    assert work.begun == 3
    assert await shared.get("a", work) == 1
    assert await shared.get("b", work) == 4


async def test_who_gives_up_leaves_the_others_theirs() -> None:
    shared, work = SharedWork[int](4), Counted()
    hasty, patient = (asyncio.create_task(shared.get("a", work)) for _ in range(2))
    await asyncio.sleep(0)
    hasty.cancel()
    work.go.set()
    assert await patient == 1
    assert hasty.cancelled()


async def test_a_failure_is_told_to_all_and_tried_again() -> None:
    shared = SharedWork[int](4)

    async def fail() -> int:
        raise ValueError("no")

    outcomes = await asyncio.gather(*(shared.get("a", fail) for _ in range(2)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ValueError, ValueError]
    with pytest.raises(ValueError, match="no"):
        await shared.get("a", fail)
    work = Counted()
    work.go.set()
    assert await shared.get("a", work) == 1
