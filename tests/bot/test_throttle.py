import pytest

from bot import throttle as throttle_module
from bot.replies import limited_reply
from bot.reply import ResultCode
from bot.throttle import Limit, Ruling, Scope, Throttle
from core.settings import Settings


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_user_is_told_once_with_the_seconds_left_and_then_met_with_silence(clock: Clock) -> None:
    throttle = Throttle(user=Limit(2, 60), chat=Limit(0, 60), clock=clock)
    assert throttle.ask("ann").allowed
    clock.now_s += 20.5
    assert throttle.ask("ann").allowed
    assert throttle.ask("ann") == Ruling(allowed=False, wait_s=40, tell=True, scope=Scope.USER)
    clock.now_s += 10
    assert throttle.ask("ann") == Ruling(allowed=False, wait_s=30, tell=False, scope=Scope.USER)


def test_all_questions_are_free_again_when_the_told_seconds_are_over(clock: Clock) -> None:
    throttle = Throttle(user=Limit(2, 60), chat=Limit(0, 60), clock=clock)
    throttle.ask("ann")
    throttle.ask("ann")
    clock.now_s += throttle.ask("ann").wait_s
    assert [throttle.ask("ann").allowed for _ in range(3)] == [True, True, False]


def test_a_new_window_tells_again(clock: Clock) -> None:
    throttle = Throttle(user=Limit(1, 60), chat=Limit(0, 60), clock=clock)
    for _ in range(2):
        assert throttle.ask("ann").allowed
        assert throttle.ask("ann").tell
        assert not throttle.ask("ann").tell
        clock.now_s += 60


def test_one_users_limit_leaves_others_alone(clock: Clock) -> None:
    throttle = Throttle(user=Limit(1, 60), chat=Limit(0, 60), clock=clock)
    throttle.ask("ann", "room")
    assert not throttle.ask("ann", "room").allowed
    assert throttle.ask("ben", "room").allowed


def test_the_chats_limit_counts_everyone_and_is_told_to_each_person_once(clock: Clock) -> None:
    throttle = Throttle(user=Limit(9, 60), chat=Limit(2, 30), clock=clock)
    assert throttle.ask("ann", "room").allowed
    assert throttle.ask("ben", "room").allowed
    assert throttle.ask("ann", "room") == Ruling(allowed=False, wait_s=30, tell=True, scope=Scope.CHAT)
    assert throttle.ask("ben", "room").tell
    assert not throttle.ask("ann", "room").tell
    assert throttle.ask("ann", "other room").allowed
    assert throttle.ask("ann").allowed


def test_where_all_read_it_the_chats_limit_is_told_once(clock: Clock) -> None:
    throttle = Throttle(user=Limit(9, 60), chat=Limit(1, 30), heard_by_all=True, clock=clock)
    throttle.ask("ann", "room")
    assert throttle.ask("ann", "room").tell
    assert not throttle.ask("ben", "room").tell


def test_a_question_refused_by_the_chat_does_not_count_for_the_user(clock: Clock) -> None:
    throttle = Throttle(user=Limit(2, 60), chat=Limit(1, 60), clock=clock)
    throttle.ask("ann", "room")
    for _ in range(5):
        assert throttle.ask("ann", "room").scope is Scope.CHAT
    assert throttle.ask("ann", "other room").allowed
    assert throttle.ask("ann", "third room").scope is Scope.USER


def test_a_user_and_a_chat_of_the_same_name_are_different(clock: Clock) -> None:
    throttle = Throttle(user=Limit(1, 60), chat=Limit(9, 60), clock=clock)
    throttle.ask(7, 8)
    assert throttle.ask(8, 7).allowed


def test_a_count_of_zero_means_no_limit(clock: Clock) -> None:
    throttle = Throttle(user=Limit(0, 60), chat=Limit(0, 60), clock=clock)
    assert all(throttle.ask("ann", "room").allowed for _ in range(1_000))


def test_ended_windows_are_forgotten(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle_module, "SWEEP_FROM", 8)
    throttle = Throttle(user=Limit(1, 1), chat=Limit(0, 1), clock=clock)
    for user in range(1_000):
        throttle.ask(user)
        clock.now_s += 0.5
    assert len(throttle._windows) <= 8


def test_running_windows_survive_the_sweep(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle_module, "SWEEP_FROM", 8)
    throttle = Throttle(user=Limit(1, 60), chat=Limit(0, 1), clock=clock)
    for user in range(100):
        throttle.ask(user)
    assert not any(throttle.ask(user).allowed for user in range(100))


def test_limits_come_from_the_settings() -> None:
    settings = Settings(_env_file=None, user_limit_count=1, user_limit_window_s=5, chat_limit_count=0)
    throttle = Throttle.from_settings(settings)
    assert throttle.ask("ann", "room").allowed
    ruling = throttle.ask("ann", "room")
    assert (ruling.allowed, ruling.wait_s) == (False, 5)


@pytest.mark.parametrize(
    ("ruling", "sentence"),
    [
        (Ruling(False, 1, True, Scope.USER), "That was a lot at once. You can ask again in 1 second."),
        (Ruling(False, 42, True, Scope.CHAT), "This chat has asked a lot at once. It can ask again in 42 seconds."),
    ],
)
def test_the_refusal_names_the_seconds(ruling: Ruling, sentence: str) -> None:
    reply = limited_reply(ruling)
    assert (reply.text, reply.code, reply.private) == (sentence, ResultCode.LIMITED, True)
