"""Questions over a real client, a real catalogue and the loopback Last.fm."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.domain import Ambiguous, AudioFeatures, Candidate, Found, NotFound, Reading, Song, SongName, SongQuery
from core.errors import UpstreamUnavailable
from core.lookup.catalog import Catalogue
from core.lookup.catalog_build import write_catalogue
from core.lookup.dataset import CatalogueEntry
from core.lookup.lastfm import LastFm
from core.lookup.resolve import SongResolver
from core.lookup.transport import RetryPolicy
from tests.fakes.lastfm_server import API_KEY, FakeLastFm, FakeSong, Fault

BLINDING = FakeSong("Blinding Lights", "The Weeknd", 2_275_434, 37_246_021)
HELLO_ADELE = FakeSong("Hello", "Adele", 1_900_000, 17_000_000)
HELLO_RICHIE = FakeSong("Hello", "Lionel Richie", 700_000, 4_000_000)
HELLO_NOBODY = FakeSong("Hello", "Nobody Much", 90, 200)
STAND = FakeSong("Stand by Me", "Ben E. King", 1_500_000, 9_000_000)
SONGS = (BLINDING, HELLO_ADELE, HELLO_RICHIE, HELLO_NOBODY, STAND)
QUICK = RetryPolicy(wait_initial_s=0.01, wait_max_s=0.02, jitter_s=0.0)
AUDIO = AudioFeatures(
    danceability=0.51, energy=0.73, loudness=-5.9, speechiness=0.06, acousticness=0.001, instrumentalness=0.0,
    liveness=0.09, valence=0.33, tempo=171.0,
)  # fmt: skip


def entry(title: str, artist: str, popularity: int) -> CatalogueEntry:
    song = Song(title=title, artist=artist, credits=(artist,), genres=("pop",), duration_ms=200_040, audio=AUDIO)
    return CatalogueEntry(song=song, popularity=popularity)


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    path = tmp_path / "catalogue.sqlite"
    entries = [entry("Blinding Lights", "The Weeknd", 91), entry("Hello", "Nobody Much", 12)]
    write_catalogue(entries, path, source="test", rows_read=2)
    return Catalogue.open(path)


@asynccontextmanager
async def resolving(
    catalogue: Catalogue | None, *songs: FakeSong, **options: object
) -> AsyncIterator[tuple[SongResolver, FakeLastFm]]:
    async with FakeLastFm(songs or SONGS, **options) as fake:  # type: ignore[arg-type]
        source = LastFm.connect(API_KEY, fake.url, retries=QUICK, budget_s=1.0)
        try:
            yield SongResolver(source=source, catalogue=catalogue, live=True), fake
        finally:
            await source.aclose()


def question(*readings: tuple[str, str | None]) -> SongQuery:
    return SongQuery(" - ".join(filter(None, readings[0])), tuple(Reading(*reading) for reading in readings))


async def test_exact_name_takes_one_track_request(catalogue: Catalogue) -> None:
    async with resolving(catalogue) as (resolver, fake):
        found = await resolver.resolve(question(("blinding lights", "the weeknd"), ("the weeknd", "blinding lights")))
    assert isinstance(found, Found)
    assert (found.song.listeners, found.song.audio) == (2_275_434, AUDIO)
    assert (fake.count("track.getInfo"), fake.count("track.search")) == (1, 0)


async def test_the_catalogue_mends_spelling_without_a_search(catalogue: Catalogue) -> None:
    async with resolving(catalogue) as (resolver, fake):
        found = await resolver.resolve(question(("blindng lihgts", "the weekend"), ("the weekend", "blindng lihgts")))
    assert isinstance(found, Found)
    assert found.song.name == SongName("Blinding Lights", "The Weeknd")
    assert fake.count("track.search") == 0


async def test_either_order_is_found_in_one_round_trip_without_a_catalogue() -> None:
    async with resolving(None) as (resolver, fake):
        found = await resolver.resolve(question(("the weeknd", "blinding lights"), ("blinding lights", "the weeknd")))
    assert isinstance(found, Found)
    assert found.song.title == "Blinding Lights"
    assert fake.count("track.search") == 0


async def test_a_wrong_order_that_scrobblers_made_common_loses_to_the_real_song() -> None:
    swapped = FakeSong("The Weeknd", "Blinding Lights", 400, 900)
    async with resolving(None, BLINDING, swapped) as (resolver, _):
        found = await resolver.resolve(question(("the weeknd", "blinding lights"), ("blinding lights", "the weeknd")))
    assert isinstance(found, Found)
    assert found.song.artist == "The Weeknd"


async def test_a_title_alone_prefers_the_famous_song_to_the_catalogues_namesake(catalogue: Catalogue) -> None:
    async with resolving(catalogue, HELLO_ADELE, HELLO_NOBODY) as (resolver, _):
        found = await resolver.resolve(question(("hello", None)))
    assert isinstance(found, Found)
    assert found.song.artist == "Adele"


async def test_two_famous_namesakes_are_offered_with_their_listeners() -> None:
    async with resolving(None) as (resolver, _):
        offered = await resolver.resolve(question(("hello", None)))
    assert isinstance(offered, Ambiguous)
    assert [candidate.name.artist for candidate in offered.candidates[:2]] == ["Adele", "Lionel Richie"]
    assert offered.candidates[0].listeners == 1_900_000


async def test_a_title_with_by_in_it_is_not_taken_apart() -> None:
    async with resolving(None) as (resolver, _):
        found = await resolver.resolve(question(("Stand", "Me"), ("Stand by Me", None)))
    assert isinstance(found, Found)
    assert found.song.name == SongName("Stand by Me", "Ben E. King")


async def test_nothing_like_it_says_what_was_searched() -> None:
    async with resolving(None) as (resolver, _):
        missing = await resolver.resolve(question(("qwxzy plugh", "zork"), ("zork", "qwxzy plugh")))
    assert isinstance(missing, NotFound)
    assert missing.query.text == "qwxzy plugh - zork"
    assert not missing.key_missing


async def test_one_failing_request_does_not_spoil_the_other(catalogue: Catalogue) -> None:
    async with resolving(catalogue) as (resolver, fake):
        fake.break_next(Fault.status(500), method="track.getInfo", times=1)
        found = await resolver.resolve(question(("blindng lihgts", "the weekend"), ("the weekend", "blindng lihgts")))
    assert isinstance(found, Found)


async def test_when_all_requests_fail_the_fault_is_told(catalogue: Catalogue) -> None:
    async with resolving(catalogue) as (resolver, fake):
        fake.break_next(Fault.status(500))
        with pytest.raises(UpstreamUnavailable):
            await resolver.resolve(question(("anything", "anyone"), ("anyone", "anything")))


async def test_the_catalogue_knows_lengths_better_and_live_figures_stay(catalogue: Catalogue) -> None:
    async with resolving(catalogue) as (resolver, _):
        found = await resolver.fetch(SongName("Blinding Lights", "The Weeknd"))
    assert found is not None
    assert (found.song.listeners, found.song.playcount) == (2_275_434, 37_246_021)
    assert (found.song.album, found.song.duration_ms, found.song.genres) == (None, 200_040, ("pop",))


async def test_a_question_asked_again_is_not_searched_for_again(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[SongQuery] = []
    search = Catalogue.search

    def counted(self: Catalogue, query: SongQuery, limit: int = 25) -> tuple[Candidate, ...]:
        searched.append(query)
        return search(self, query, limit)

    monkeypatch.setattr(Catalogue, "search", counted)
    asked, other = question(("blindng lihgts", "the weekend")), question(("hello", "adele"))
    async with resolving(catalogue) as (resolver, _):
        first, second, _ = [await resolver.resolve(query) for query in (asked, asked, other)]
    assert first == second
    assert searched == [asked, other]
