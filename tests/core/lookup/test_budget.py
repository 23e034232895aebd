import asyncio

from core.lookup.budget import deadline, time_budget


async def test_without_a_budget_each_call_has_its_own() -> None:
    assert abs(deadline(5.0) - asyncio.get_running_loop().time() - 5.0) < 0.1


async def test_calls_in_turn_share_one_budget_also_in_their_tasks() -> None:
    now = asyncio.get_running_loop().time()
    with time_budget(3.0):
        assert abs(deadline(10.0) - now - 3.0) < 0.1
        assert abs(deadline(1.0) - now - 1.0) < 0.1

        async def call() -> float:
            return deadline(10.0)

        assert abs(await asyncio.create_task(call()) - now - 3.0) < 0.1
        with time_budget(9.0):
            assert abs(deadline(10.0) - now - 3.0) < 0.1
        with time_budget(2.0):
            assert abs(deadline(10.0) - now - 2.0) < 0.1
    assert deadline(10.0) - now > 9.0


async def test_questions_do_not_share_their_budgets() -> None:
    async def ask(seconds: float) -> float:
        with time_budget(seconds):
            await asyncio.sleep(0)
            return deadline(100.0) - asyncio.get_running_loop().time()

    assert [round(left) for left in await asyncio.gather(ask(5.0), ask(50.0))] == [5, 50]
