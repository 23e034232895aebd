from __future__ import annotations

import asyncio
import gc
import time

import pytest

from scripts.benchmarks.measurement import interleaved_ms, median, percentile, stalls_ms


@pytest.mark.parametrize(
    ("values", "share_pct", "expected"),
    [([5.0], 95, 5.0), ([3, 1, 2], 50, 2), ([4, 3, 2, 1], 50, 2), (range(1, 101), 95, 95), (range(1, 101), 100, 100)],
)
def test_percentiles_are_values_that_occurred(values, share_pct, expected) -> None:
    assert percentile(values, share_pct) == expected


@pytest.mark.parametrize(("values", "share_pct"), [([], 50), ([1.0], 0), ([1.0], 101)])
def test_percentiles_of_nothing_are_refused(values, share_pct) -> None:
    with pytest.raises(ValueError, match="percentile"):
        percentile(values, share_pct)


def test_the_median_of_an_even_number_is_the_lower_middle() -> None:
    assert median([1.0, 2.0, 3.0, 4.0]) == 2.0


def test_tasks_take_turns_after_one_untimed_round() -> None:
    order: list[str] = []
    taken = interleaved_ms({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 3)
    assert order == ["a", "b"] * 4
    assert {name: len(times) for name, times in taken.items()} == {"a": 3, "b": 3}
    assert gc.isenabled()


async def test_a_standing_loop_is_seen() -> None:
    async with stalls_ms() as late:
        await asyncio.sleep(0.005)
        time.sleep(0.08)  # noqa: ASYNC251 - the stall that is to be seen
        await asyncio.sleep(0.005)
    assert max(late) >= 70
