"""The command line as a person meets it: a process of its own, recorded figures, no key."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bot.command_line import terminal_language
from core.settings import ROOT, Settings


def environment(tmp_path: Path, **changes: str) -> dict[str, str]:
    names = {name.upper() for name in Settings.model_fields}
    environment = {name: value for name, value in os.environ.items() if name not in names} | {"LC_ALL": "C.UTF-8"}
    # An empty value stands for an unset one, so that a developer's .env cannot reach the test.
    environment |= dict.fromkeys(names - {"DATA_DIR"}, "") | {"CARDS_DIR": str(tmp_path), "ART_DOWNLOADS": "false"}
    environment |= dict.fromkeys(("ITUNES_SEARCH_URL", "DEEZER_SEARCH_URL", "MUSICBRAINZ_URL", "CATALOGUE"), "off")
    return environment | changes


def bot(tmp_path: Path, *arguments: str, typed: str | bytes = "", **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command line
        [sys.executable, "-m", "bot", *arguments],
        cwd=ROOT,
        env=environment(tmp_path, **changes),
        input=typed.decode(errors="surrogateescape") if isinstance(typed, bytes) else typed,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=120,
        check=False,
    )


def start(tmp_path: Path, **changes: str) -> subprocess.Popen[str]:
    """Start the bot without a terminal, to be ended by the test."""
    return subprocess.Popen(
        [sys.executable, "-m", "bot"],
        cwd=ROOT,
        env=environment(tmp_path, **changes),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_ask_answers_once_from_recorded_figures(tmp_path: Path) -> None:
    done = bot(tmp_path, "ask", "Blinding Lights - The Weeknd")
    assert done.returncode == 0, done.stderr
    assert "▲ Popular" in done.stdout
    assert "Last.fm, recorded in" in done.stdout
    assert "LASTFM_API_KEY" in done.stderr
    assert list(tmp_path.glob("*.png"))
    assert "\x1b" not in done.stdout


def test_ask_prints_one_json_object_that_holds_to_the_schema(tmp_path: Path) -> None:
    done = bot(tmp_path, "ask", "--json", "Blinding Lights", "-", "The Weeknd")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    schema = json.loads((ROOT / "docs" / "answer.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(document)
    assert document["prediction"]["song"]["artist"] == "The Weeknd"
    assert document["prediction"]["source"]["origin"] == "recorded"
    assert Path(document["card"]).read_bytes().startswith(b"\x89PNG")
    assert bot(tmp_path, "schema").stdout == (ROOT / "docs" / "answer.schema.json").read_text(encoding="utf-8")


def test_the_console_speaks_the_language_of_the_terminal_and_programs_are_told_in_english(tmp_path: Path) -> None:
    done = bot(tmp_path, "ask", "Blinding Lights - The Weeknd", LC_ALL="de_DE.UTF-8")
    assert "99,2\xa0%" in done.stdout
    document = json.loads(bot(tmp_path, "ask", "--json", "Blinding Lights - The Weeknd", LC_ALL="de_DE.UTF-8").stdout)
    assert "99.2 %" in document["text"]
    assert document["prediction"]["figures"][0]["label"] == "Listeners"


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "de_AT.UTF-8"}, "de"),
        ({"LANG": "de_DE", "LC_MESSAGES": "fr_FR"}, "fr"),
        ({"LANG": "de_DE", "LC_MESSAGES": "fr_FR", "LC_ALL": "POSIX"}, "en"),
        ({"LANG": "ja_JP.eucJP", "LC_ALL": ""}, "ja"),
    ],
)
def test_the_first_variable_that_is_set_names_the_language(environment: dict[str, str], language: str) -> None:
    assert terminal_language(environment) == language


@pytest.mark.parametrize(
    ("text", "code", "exit_code"),
    [("zzzz qqqq - xxxx", "not_found", 1), (" ", "bad_question", 2), ("/artist The Weeknd", "ranked", 0)],
)
def test_json_tells_what_became_of_a_question(tmp_path: Path, text: str, code: str, exit_code: int) -> None:
    done = bot(tmp_path, "ask", "--json", text)
    assert (json.loads(done.stdout)["code"], done.returncode) == (code, exit_code)


def test_a_song_not_found_ends_with_1_and_says_how_to_get_a_key(tmp_path: Path) -> None:
    done = bot(tmp_path, "ask", "zzzz qqqq - xxxx")
    assert done.returncode == 1
    assert "last.fm/api/account/create" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "changes", "expected"),
    [
        (("ask", " "), {}, "Ask like this"),
        (("dance",), {}, "invalid choice"),
        (("ask", "x - y"), {"LASTFM_API_URL": "no address"}, "LASTFM_API_URL"),
        (("ask", "x - y"), {"MODELS_DIR": "nowhere"}, "model"),
    ],
)
def test_usage_and_set_up_errors_end_with_2(
    tmp_path: Path, arguments: tuple[str, ...], changes: dict[str, str], expected: str
) -> None:
    done = bot(tmp_path, *arguments, **changes)
    assert done.returncode == 2
    assert expected in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"LASTFM_API_URL": "no address"}, "LASTFM_API_URL must be a web address like https://example.org/."),
        ({"CACHE_URL": "redis://host:port/0"}, "CACHE_URL must be like redis://HOST:PORT/DB"),
        ({"DATA_DIR": "{empty}"}, "DATA_DIR has no demo_songs.csv"),
        ({"MODELS_DIR": "{empty}"}, "MODELS_DIR: There is no model in"),
        ({"DISCORD_TOKEN": "x", "HEALTH_PORT": "0", "HEALTH_HOST": "no.such.invalid"}, "HEALTH_HOST: no.such.invalid"),
    ],
)
def test_a_bad_setting_is_said_once_in_one_line(tmp_path: Path, changes: dict[str, str], line: str) -> None:
    (tmp_path / "empty").mkdir()
    changes = {name: value.format(empty=tmp_path / "empty") for name, value in changes.items()}
    done = bot(tmp_path, *(() if "DISCORD_TOKEN" in changes else ("ask", "Hello - Adele")), **changes)
    assert done.returncode == 2
    said = [
        text for text in done.stderr.splitlines() if not text.startswith(("No LASTFM_API_KEY", "No song catalogue"))
    ]
    assert len(said) == 1, said
    assert said[0].startswith(line)
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_blank_key_is_as_none(tmp_path: Path) -> None:
    done = bot(tmp_path, "ask", "Hello - Adele", LASTFM_API_KEY="  ", DISCORD_TOKEN=" ")
    assert done.returncode == 0, done.stderr
    assert "No LASTFM_API_KEY" in done.stderr


def make_env(folder: Path) -> subprocess.CompletedProcess[str]:
    for name in ("Makefile", ".env.example"):
        shutil.copy(ROOT / name, folder)
    return subprocess.run(["make", "env"], cwd=folder, capture_output=True, text=True, timeout=60, check=False)  # noqa: S607


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_env_creates_the_file_for_its_owner_alone_and_never_overwrites(tmp_path: Path) -> None:
    done = make_env(tmp_path)
    assert (done.returncode, "Created .env" in done.stdout) == (0, True), done.stderr
    path = tmp_path / ".env"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes() == (ROOT / ".env.example").read_bytes()
    path.write_text("LASTFM_API_KEY=mine\n", encoding="utf-8")
    done = make_env(tmp_path)
    assert (done.returncode, "there already" in done.stdout) == (0, True), done.stderr
    assert path.read_text(encoding="utf-8") == "LASTFM_API_KEY=mine\n"


def test_the_chat_works_piped_without_prompt_and_ends_with_its_input(tmp_path: Path) -> None:
    done = bot(tmp_path, typed="/predict Blinding Lights - The Weeknd\n/quit now\nHello - Adele\n")
    assert done.returncode == 0, done.stderr
    assert "Blinding Lights — The Weeknd" in done.stdout
    assert "Adele" not in done.stdout
    assert "♪" not in done.stdout


CHAT = """
import signal, sys
from bot.command_line import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may have it ignored
sys.exit(main([]))
"""


@pytest.mark.parametrize("asked", ["", "Hello - Adele\n"])
def test_ctrl_c_ends_the_chat_while_it_waits_for_a_line(tmp_path: Path, asked: str) -> None:
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    with subprocess.Popen(  # noqa: S603 - our own command line
        [sys.executable, "-c", CHAT],
        cwd=ROOT,
        env=environment(tmp_path, WEB="off", CARD_DISPLAY="text", TERM="dumb"),
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.close(theirs)
        try:
            os.write(ours, asked.encode())
            shown = b""
            while shown.count("♪".encode()) < 1 + bool(asked):
                shown += os.read(ours, 4_096)
            assert ("Popular" in shown.decode()) == bool(asked)
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
            assert process.stderr is not None
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()
            os.close(ours)


def test_bytes_that_are_no_text_and_a_folder_that_takes_no_card_stop_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    typed = b"\xff\xfe\x80\nhello \xff there\n/predict Blinding Lights - The Weeknd\n"
    done = bot(tmp_path, typed=typed, CARDS_DIR=str(tmp_path / "file" / "cards"))
    assert done.returncode == 0, done.stderr
    assert "▲ Popular" in done.stdout
    assert "The card could not be saved in" in done.stdout
    assert "Traceback" not in done.stderr


def test_the_page_is_served_beside_the_chat_and_says_where(tmp_path: Path) -> None:
    done = bot(tmp_path, typed="/quit\n", WEB_PORT="0")
    assert done.returncode == 0
    assert re.search(r"^The page is at http://127\.0\.0\.1:\d+$", done.stderr, re.MULTILINE), done.stderr
    assert "The page is at" not in bot(tmp_path, typed="/quit\n", WEB="off").stderr


def test_without_a_terminal_the_page_alone_is_served_if_it_was_asked_for(tmp_path: Path) -> None:
    with start(tmp_path, WEB="on", WEB_PORT="0") as process:
        try:
            assert process.stderr is not None
            line = next(line for line in process.stderr if line.startswith("The page is at "))
            with urllib.request.urlopen(f"{line.split()[-1]}/healthz", timeout=60) as response:  # noqa: S310 - our own
                assert response.status == 200
            assert process.poll() is None
            process.terminate()
            assert process.wait(60) == 0
        finally:
            process.kill()
