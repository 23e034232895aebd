from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import pytest

from core.assembly import build_predictor
from core.concurrency import SerialExecutor
from core.errors import SettingsError
from core.figure_log import FileTable
from core.history import History
from core.lookup.link_follower import LinkFollower
from core.settings import Settings


async def test_what_is_open_is_closed_when_a_later_part_fails(
    settings_for: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []

    def fail(*_: object) -> NoReturn:
        raise SettingsError("a setting of the last part")

    monkeypatch.setattr(LinkFollower, "from_settings", fail)
    for part in (History, SerialExecutor, FileTable):

        def close(
            self: History | SerialExecutor | FileTable,
            name: str = part.__name__,
            whole: Callable[..., None] = part.close,
        ) -> None:
            closed.append(name)
            whole(self)

        monkeypatch.setattr(part, "close", close)
    with pytest.raises(SettingsError, match="last part"):
        build_predictor(settings_for("http://127.0.0.1:9"))
    assert closed == ["SerialExecutor", "FileTable", "SerialExecutor", "History"]  # the table has a worker, too
