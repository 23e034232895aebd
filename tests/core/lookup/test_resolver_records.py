"""Which record answers, and how long a better one is waited for, over a source that notes what it is asked."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from core.concurrency import deadline_at
from core.domain import Candidate, Found, Origin, Reading, Song, SongName, Source
from core.errors import UpstreamUnavailable
from core.lookup.resolver import OLD_PATIENCE_S, PATIENCE_S, RECORDS_TRIED, fetch_most_heard, most_heard

NOW = datetime(2026, 11, 25, tzinfo=UTC)
LAKE = SongName("Lake", "The Keels")


def found(title: str, listeners: int | None, *, stale: bool = False) -> Found:
    song = Song(title=title, artist="The Keels", listeners=listeners, artist_listeners=1_000_000)
    return Found(song, Source(Origin.LASTFM, NOW, stale=stale))


def listed(title: str, listeners: int) -> Candidate:
    return Candidate(SongName(title, "The Keels"), 0.0, listeners=listeners)


class NotingSource:
    """Answers from the songs and records it is given; notes titles asked for and how long it may take."""

    def __init__(self, songs: tuple[Found, ...] = (), records: tuple[Candidate, ...] = (), fails: bool = False) -> None:
        self._songs = {one.song.title: one for one in songs}
        self._records = records
        self._fails = fails
        self.asked: list[str] = []
        self.patience_s: list[float] = []

    def _note(self, what: str) -> None:
        self.asked.append(what)
        self.patience_s.append(deadline_at(100.0) - asyncio.get_running_loop().time())
        if self._fails:
            raise UpstreamUnavailable("down")

    async def find(self, reading: Reading, *, fresh: bool = False) -> Found | None:
        self._note(reading.title)
        return self._songs.get(reading.title)

    async def search(self, reading: Reading) -> tuple[Candidate, ...]:
        raise AssertionError("records are not searched for by similarity")

    async def records(self, name: SongName) -> tuple[Candidate, ...]:
        self._note(f"records of {name.title}")
        return self._records

    async def aclose(self) -> None:
        """Nothing is open."""


FILM = found("Lake - From the film", 900_000)
FILM_LISTED = listed("Lake - From the film", 900_000)


async def test_what_was_listed_is_compared_without_asking_for_a_list() -> None:
    source = NotingSource((FILM,))
    assert await most_heard(source, found("Lake", 400), (FILM_LISTED, listed("Lake", 400))) == FILM
    assert source.asked == ["Lake - From the film"]


async def test_the_most_heard_record_asks_for_nothing() -> None:
    source = NotingSource((FILM,), (FILM_LISTED,))
    assert await most_heard(source, FILM, (FILM_LISTED, listed("Lake", 400))) == FILM
    assert await most_heard(source, found("Lake", 60_000), ()) == found("Lake", 60_000)
    assert source.asked == []


async def test_a_record_little_heard_for_its_artist_asks_for_the_list() -> None:
    source = NotingSource((FILM,), (FILM_LISTED,))
    assert await most_heard(source, found("Lake", 400), (listed("Moor", 9_000_000),)) == FILM
    assert source.asked == ["records of Lake", "Lake - From the film"]


@pytest.mark.parametrize("better", [None, found("Lake - From the film", 300), found("Lake - From the film", None)])
async def test_a_record_that_turns_out_no_better_changes_nothing(better: Found | None) -> None:
    source = NotingSource(() if better is None else (better,))
    assert await most_heard(source, found("Lake", 400), (FILM_LISTED,)) == found("Lake", 400)


@pytest.mark.parametrize("records", [(), (FILM_LISTED,)])
async def test_a_source_that_fails_leaves_the_record_at_hand(records: tuple[Candidate, ...]) -> None:
    assert await most_heard(NotingSource(fails=True), found("Lake", 400), records) == found("Lake", 400)


@pytest.mark.parametrize(("stale", "patience_s"), [(False, PATIENCE_S), (True, OLD_PATIENCE_S)])
async def test_a_better_record_is_waited_for_only_so_long(stale: bool, patience_s: float) -> None:
    source = NotingSource((FILM,), (FILM_LISTED,))
    await most_heard(source, found("Lake", 400, stale=stale))
    assert len(source.patience_s) == 2
    assert max(source.patience_s) <= patience_s


async def test_a_name_the_source_lacks_is_answered_from_the_first_record_that_is_no_ghost() -> None:
    titles = ("Lake - From the film", "Lake (feat. Moor)", "Lake (feat. Fen)")
    records = tuple(listed(title, 900 - place) for place, title in enumerate(titles))
    second, third = found(titles[1], 899), found(titles[2], 898)
    source = NotingSource((second, third), (listed("Lake", 5_000), *records))
    assert await fetch_most_heard(source, LAKE) == second
    assert source.asked == ["Lake", "records of Lake", *titles[:2]]
    assert await fetch_most_heard(NotingSource((third,), records), LAKE) is None
    assert RECORDS_TRIED == 2


async def test_a_list_at_hand_is_not_asked_for_again() -> None:
    source = NotingSource((FILM,))
    assert await fetch_most_heard(source, LAKE, (FILM_LISTED,)) == FILM
    assert source.asked == ["Lake", "Lake - From the film"]


async def test_a_name_the_source_lacks_in_a_failure_is_the_failure() -> None:
    with pytest.raises(UpstreamUnavailable):
        await fetch_most_heard(NotingSource(fails=True), LAKE)
