"""Questions and links as people type and paste them, each with what it must give.

``phrasings/questions.csv`` has a row each: the text; what YouTube, Spotify or Deezer tells of the link in it, as title
// channel or artist; and what must come of it:

* ``Title — Artist``: that song is answered; in brackets, with other songs beside it;
* ``? Title — Artist``: several songs are offered, that one first;
* ``song | song``: the two are compared;
* ``-``: no song is found, or none that would be answered;
* ``! words``: the sentence holds these words.

``phrasings/songs.csv`` are the songs there are.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.domain import Ambiguous, Answer, Candidate, Found, NotFound, Origin, Reading, Song, SongName, Source
from core.errors import QueryError
from core.figure_log import FigureLog, FileTable
from core.history import History
from core.lookup.catalogue import Catalogue
from core.lookup.catalogue_build import build_catalogue
from core.lookup.cover import Artwork
from core.lookup.link_follower import LinkFollower
from core.lookup.normalise import song_key
from core.lookup.resolver import SongResolver
from core.predictor import Predictor
from core.settings import ROOT, Settings
from tests.fakes.chain import PlainRenderer, committed_model
from tests.fakes.link_server import LinkServer, Page
from tests.fakes.spotify_rows import row, write_csv

FOLDER = Path(__file__).parent / "phrasings"
NOW = datetime(2026, 11, 22, tzinfo=UTC)


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


SONGS = rows("songs.csv")
QUESTIONS = rows("questions.csv")


class Figures:
    """Answers with figures of the songs by their very names, and searches for nothing, as Last.fm at its worst."""

    def __init__(self) -> None:
        self._songs = {}
        for number, one in enumerate(SONGS):
            artist, *_ = one["artists"].split(",")
            song = Song(title=one["title"], artist=artist, listeners=10_000 * int(one["popularity"]) + number)
            self._songs[song_key(song.title, song.artist)] = Found(song, Source(Origin.LASTFM, NOW))

    async def find(self, reading: Reading, *, fresh: bool = False) -> Found | None:
        return self._songs.get(song_key(reading.title, reading.artist or ""))

    async def search(self, reading: Reading) -> tuple[Candidate, ...]:
        return ()

    async def records(self, name: SongName) -> tuple[Candidate, ...]:
        return ()

    async def aclose(self) -> None:
        """Nothing is open."""


@pytest.fixture(scope="module")
def catalogue_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("phrasings")
    made = tuple(
        row(one["title"], one["artists"].replace(",", ";"), int(one["popularity"]), track_id=one["track_id"])
        for one in SONGS
    )
    build_catalogue(write_csv(folder / "songs.csv", made), folder / "songs.sqlite", source="test", rows_least=1)
    return folder / "songs.sqlite"


def told_by(text: str, told: str) -> LinkServer:
    """Serve what is told of the link in ``text``."""
    server = LinkServer()
    title, _, owner = (part.strip() for part in told.partition(" // "))
    if not title:
        return server
    if video := re.search(r"video-\d{5}", text):
        server.videos[video[0]] = Page(title, owner)
    elif number := re.search(r"deezer\.com/(?:\w\w/)?track/(\d+)", text):
        server.songs[int(number[1])] = (title, owner)
    else:
        server.tracks[text] = Page(title)
    return server


def given(answer: Answer) -> str:
    match answer:
        case Ambiguous():
            return f"? {answer.candidates[0].name}"
        case NotFound():
            return "-"
        case _:
            return f"({answer.song.name})" if answer.others else str(answer.song.name)


async def outcome(predictor: Predictor, text: str) -> str:
    try:
        pair = await predictor.pair(text)
        asked = [text] if pair is None else [pair.first, pair.second]
        return " | ".join([given(await predictor.predict(one)) for one in asked])
    except QueryError as error:
        return f"! {error.user_message}"


@pytest.mark.parametrize("question", QUESTIONS, ids=[one["text"] for one in QUESTIONS])
async def test_a_phrasing_gives_what_it_must(
    question: dict[str, str], catalogue_path: Path, settings_for: Callable[..., Settings], tmp_path: Path
) -> None:
    async with told_by(question["text"], question["told"]) as server:
        catalogue = Catalogue.open(catalogue_path)
        renderer: Any = PlainRenderer()
        unasked: Any = None
        predictor = Predictor(
            resolver=SongResolver(source=Figures(), catalogue=catalogue, live=True),
            artists=unasked,
            model=committed_model(),
            artwork=Artwork(None, downloads=False),
            renderer=renderer,
            history=History(None),
            figures=FigureLog(FileTable(None)),
            complete=lambda prefix, limit: (),
            links=LinkFollower.from_settings(settings_for(**server.settings), catalogue),
            models_dir=ROOT / "models",
        )
        try:
            got = await outcome(predictor, question["text"])
        finally:
            await predictor.aclose()
    wanted = question["gives"]
    if wanted.startswith("! "):
        assert got.startswith("! ")
        assert wanted[2:] in got
    else:
        assert got == wanted


def test_there_are_many_and_each_is_asked_once() -> None:
    assert len(QUESTIONS) >= 150
    assert len({one["text"] for one in QUESTIONS}) == len(QUESTIONS)
