from __future__ import annotations

from types import SimpleNamespace

import pytest

from bot.discord_app.controls import controls_for
from bot.discord_app.desk import Desk
from bot.service import SongService
from bot.throttle import Limit, Throttle
from tests.fakes.predictor import FakePredictor


@pytest.fixture
def desk(predictor: FakePredictor) -> Desk:
    throttle = Throttle(user=Limit(0, 1), chat=Limit(0, 1))
    return Desk(SongService(predictor), throttle, controls_for, admin_ids=[5])


def asked_by(user_id: int, application: object) -> SimpleNamespace:
    return SimpleNamespace(user=SimpleNamespace(id=user_id), client=SimpleNamespace(application=application))


def person(user_id: int) -> SimpleNamespace:
    return SimpleNamespace(id=user_id)


@pytest.mark.parametrize(
    ("user_id", "application", "admin"),
    [
        (5, None, True),
        (6, None, False),
        (1, SimpleNamespace(team=None, owner=person(1)), True),
        (2, SimpleNamespace(team=None, owner=person(1)), False),
        (8, SimpleNamespace(team=SimpleNamespace(members=[person(8)]), owner=person(1)), True),
        # The "owner" of an application of a team is a stand-in that nobody can be.
        (1, SimpleNamespace(team=SimpleNamespace(members=[person(8)]), owner=person(1)), False),
    ],
)
def test_administrators_are_the_owner_the_team_and_those_named(
    desk: Desk, user_id: int, application: object, admin: bool
) -> None:
    assert desk.is_admin(asked_by(user_id, application)) is admin


async def test_an_idle_desk_closes_at_once(desk: Desk) -> None:
    await desk.drain(60)
