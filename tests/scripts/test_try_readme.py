from __future__ import annotations

from pathlib import Path

import pytest

from core.settings import ROOT
from scripts.try_readme import commands_of, run

TEXT = """
Get it with `make first`, put `TOKEN` into `.env`:

```sh
git clone <this repository> there && cd there
make run ASK="a # b"    # answers once

# only words
make run
```

```
make not-marked
```

5. `make last`.
"""


def test_commands_are_read_in_order_from_blocks_and_from_the_text() -> None:
    assert commands_of(TEXT) == [
        *("make first", "git clone <this repository> there && cd there"),
        *('make run ASK="a # b"', "make run", "make last"),
    ]


def test_the_readme_begins_with_a_clone_and_runs_the_bot() -> None:
    commands = commands_of((ROOT / "README.md").read_text(encoding="utf-8"))
    assert commands[0] == "git clone <this repository> hitmeter && cd hitmeter"
    assert {"make run", "make env"} < set(commands)


def test_each_command_begins_where_the_one_before_left_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "secret")
    (tmp_path / "start").mkdir()
    commands = ["mkdir inner && cd inner", 'echo "$DISCORD_TOKEN" > seen', "read line || true"]
    assert run(commands, tmp_path / "start") == 0
    assert (tmp_path / "start" / "inner" / "seen").read_text() == "\n"


def test_the_first_failure_ends_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "start").mkdir()
    assert run(["false", "touch later"], tmp_path / "start") == 1
    assert not (tmp_path / "start" / "later").exists()
    assert "exit code 1" in capsys.readouterr().out
