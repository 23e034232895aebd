import pytest

from core.errors import UpstreamGarbled, UpstreamRefused, UpstreamUnavailable
from core.lookup.service import Breaker, BreakerState

DOWN = UpstreamUnavailable("down")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock, **options: float) -> Breaker:
    breaker = Breaker(threshold=2, open_s=10.0, open_max_s=30.0, probes=2, clock=clock)
    for _ in range(2):
        breaker.admit()
        breaker.fail(DOWN)
    assert breaker.state is BreakerState.OPEN
    return breaker


def test_only_failures_in_a_row_open_it() -> None:
    breaker = Breaker(threshold=3, clock=Clock())
    for _ in range(5):
        for _ in range(2):
            breaker.admit()
            breaker.fail(DOWN)
        breaker.admit()
        breaker.succeed()
    assert breaker.state is BreakerState.CLOSED


def test_open_it_raises_what_opened_it() -> None:
    breaker = Breaker(threshold=2, clock=Clock())
    breaker.fail(DOWN)
    breaker.fail(UpstreamGarbled("x"))
    with pytest.raises(UpstreamGarbled):
        breaker.admit()


def test_a_refusal_opens_it_at_once() -> None:
    breaker = Breaker(threshold=9, clock=Clock())
    breaker.admit()
    breaker.fail(UpstreamRefused("x"), at_once=True)
    with pytest.raises(UpstreamRefused):
        breaker.admit()


def test_it_probes_with_few_and_closes_on_success() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 9.9
    with pytest.raises(UpstreamUnavailable):
        breaker.admit()
    clock.now += 0.2
    assert breaker.state is BreakerState.PROBING
    breaker.admit()
    breaker.admit()
    with pytest.raises(UpstreamUnavailable):
        breaker.admit()
    breaker.succeed()
    assert breaker.state is BreakerState.CLOSED
    breaker.admit()


def test_failed_probes_double_the_pause_up_to_a_limit() -> None:
    clock = Clock()
    breaker = opened(clock)
    for pause_s in (10.0, 20.0, 30.0, 30.0):
        clock.now += pause_s - 0.1
        assert breaker.state is BreakerState.OPEN
        clock.now += 0.1
        breaker.admit()
        breaker.fail(DOWN)
    clock.now += 30.0
    breaker.admit()
    breaker.succeed()
    breaker.fail(DOWN)
    breaker.fail(DOWN)
    clock.now += 10.0
    assert breaker.state is BreakerState.PROBING


def test_late_failures_do_not_lengthen_the_pause() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 5.0
    breaker.fail(DOWN)  # of a call that was under way when it opened
    clock.now += 5.0
    assert breaker.state is BreakerState.PROBING


def test_an_abandoned_probe_leaves_room_for_another() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 10.0
    for _ in range(5):
        breaker.admit()
        breaker.abandon()
    breaker.admit()
    breaker.succeed()
    assert breaker.state is BreakerState.CLOSED


def test_flapping_for_five_minutes() -> None:
    clock = Clock()
    breaker = Breaker(clock=clock)
    states = set()
    asked = 0
    for second in range(300):
        clock.now += 1.0
        try:
            breaker.admit()
        except UpstreamUnavailable:
            states.add(breaker.state)
            continue
        asked += 1
        if second // 20 % 2:
            breaker.fail(DOWN)
        else:
            breaker.succeed()
        states.add(breaker.state)
    assert states >= {BreakerState.CLOSED, BreakerState.OPEN}
    assert 60 < asked < 250
    clock.now += 120.0
    breaker.admit()
    breaker.succeed()
    assert breaker.state is BreakerState.CLOSED
