"""From a typed name to an artist's songs: over the loopback Last.fm, a real catalogue and recorded figures."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.concurrency import SerialExecutor
from core.domain import ArtistNotFound, ArtistSongs, Found, Origin, Song, Source
from core.errors import UpstreamError, UpstreamGarbled, UpstreamRefused
from core.lookup.artist import ArtistLookup
from core.lookup.catalogue import Catalogue
from core.lookup.catalogue_build import build_catalogue
from core.lookup.lastfm import LastFm
from core.lookup.recorded import CatalogueSource, RecordedFigures, RecordedSong
from core.lookup.service import Breaker, RequestRate
from tests.fakes.lastfm_server import API_KEY, FakeArtist, FakeLastFm, FakeSong, Fault
from tests.fakes.spotify_rows import write_csv
from tests.fakes.warped_time import WallClock, run_warped

AMPLE = RequestRate(burst=10_000, per_window=20_000)
WEEKND = (
    FakeSong("Blinding Lights", "The Weeknd", 2_275_434, 37_246_021),
    FakeSong("Blinding Lights (feat. Nobody)", "The Weeknd", 3_000_000, 40_000),
    FakeSong("The Hills", "The Weeknd", 1_900_000, 20_000_000),
    FakeSong("Rare Demo", "The Weeknd", 900, 1_000),
)
MISSPELT = FakeSong("The Hills", "Teh Weeknd", 12, 30)
ARTIST = FakeArtist("The Weeknd", 4_512_003, 780_000_000, ("seen live", "rnb", "The Weeknd", "pop"))
MAY_2025 = datetime(2025, 5, 1, tzinfo=UTC)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    build_catalogue(write_csv(tmp_path / "d.csv"), tmp_path / "catalogue.sqlite", source="test")
    with closing(Catalogue.open(tmp_path / "catalogue.sqlite")) as opened:
        yield opened


@pytest.fixture
async def fake() -> AsyncIterator[FakeLastFm]:
    async with FakeLastFm((*WEEKND, MISSPELT), (ARTIST,)) as server:
        yield server


@asynccontextmanager
async def looking_up(
    fake: FakeLastFm, catalogue: Catalogue | None, *, fallback: bool = False, clock: WallClock | None = None
) -> AsyncIterator[ArtistLookup]:
    client = LastFm.connect(API_KEY, fake.url, rate=AMPLE, breaker=Breaker(threshold=1000), clock=clock or WallClock())
    worker = SerialExecutor("lookup")
    async with aclosing(client):
        yield ArtistLookup(
            source=client,
            fallback=CatalogueSource(None, catalogue, worker) if fallback else None,
            artists=(lambda name: ()) if catalogue is None else catalogue.artists,
            catalogue=catalogue,
            live=True,
            worker=worker,
        )
    worker.close()


async def listed(lookup: ArtistLookup, name: str) -> ArtistSongs:
    found = await lookup.find(name)
    assert isinstance(found, ArtistSongs), found
    return found


async def test_one_request_lists_the_songs_and_one_the_artists_own_figures(fake: FakeLastFm) -> None:
    async with looking_up(fake, None) as lookup:
        found = await listed(lookup, "the weeknd")
    assert (found.artist, found.source.origin, found.source.stale) == ("The Weeknd", Origin.LASTFM, False)
    assert sorted(request["method"] for request in fake.requests) == ["artist.getInfo", "artist.getTopTracks"]
    (asked,) = [request for request in fake.requests if request["method"] == "artist.getTopTracks"]
    assert (asked["limit"], asked["autocorrect"]) == ("50", "1")
    hills = next(song for song in found.songs if song.title == "The Hills")
    assert (hills.listeners, hills.playcount) == (1_900_000, 20_000_000)
    assert (hills.artist_listeners, hills.artist_playcount) == (4_512_003, 780_000_000)
    assert hills.tags == ("rnb", "pop")


async def test_of_records_of_one_song_the_most_heard_is_listed_once(fake: FakeLastFm) -> None:
    async with looking_up(fake, None) as lookup:
        found = await listed(lookup, "The Weeknd")
    lights = [song for song in found.songs if song.title.startswith("Blinding")]
    assert [(song.title, song.listeners) for song in lights] == [("Blinding Lights (feat. Nobody)", 3_000_000)]


async def test_the_catalogue_adds_its_facts(fake: FakeLastFm, catalogue: Catalogue) -> None:
    async with looking_up(fake, catalogue) as lookup:
        found = await listed(lookup, "The Weeknd")
    songs = {song.title: song for song in found.songs}
    assert songs["The Hills"].explicit is True
    assert songs["The Hills"].audio is not None
    assert songs["Rare Demo"].audio is None


async def test_a_second_question_asks_nothing(fake: FakeLastFm) -> None:
    async with looking_up(fake, None) as lookup:
        first = await listed(lookup, "The Weeknd")
        asked = len(fake.requests)
        assert await listed(lookup, "the  WEEKND") == first
    assert len(fake.requests) == asked


async def test_people_who_ask_together_share_one_request(fake: FakeLastFm) -> None:
    async with looking_up(fake, None) as lookup:
        await asyncio.gather(*(lookup.find("The Weeknd") for _ in range(20)))
    assert fake.count("artist.getTopTracks") == 1


@pytest.mark.parametrize("typed", ["teh weeknd", "the weekend", "weekndd"])
async def test_a_typo_leads_to_the_artist_and_not_to_a_record_of_the_misspelling(
    fake: FakeLastFm, catalogue: Catalogue, typed: str
) -> None:
    async with looking_up(fake, catalogue) as lookup:
        assert (await listed(lookup, typed)).artist == "The Weeknd"


async def test_the_artist_that_last_fm_corrects_to_has_its_own_figures() -> None:
    async with FakeLastFm(WEEKND, (ARTIST,), corrections={"abel": "The Weeknd"}) as fake:
        fake.correct_tracks_only = True
        async with looking_up(fake, None) as lookup:
            found = await listed(lookup, "abel")
    assert found.artist == "The Weeknd"
    assert {song.artist_listeners for song in found.songs} == {4_512_003}


@pytest.mark.parametrize("name", ["Zzyzx Qwertz", "[unknown]"])
async def test_an_unknown_artist_is_not_found(fake: FakeLastFm, catalogue: Catalogue, name: str) -> None:
    async with looking_up(fake, catalogue) as lookup:
        assert await lookup.find(name) == ArtistNotFound(name)


async def test_names_distantly_like_it_are_suggested(fake: FakeLastFm, catalogue: Catalogue) -> None:
    async with looking_up(fake, catalogue) as lookup:
        missing = await lookup.find("Lionel Richards")
    assert isinstance(missing, ArtistNotFound)
    assert missing.suggestions == ("Lionel Richie",)


FAULTS = {
    "time-out": Fault.hang(),
    "reset mid-body": Fault.reset(),
    "500 HTML": Fault.status(500),
    "503 XML": Fault.xml(16, 503),
    "garbage": Fault.garbage(),
    "10 MB body": Fault.huge(),
    "429": Fault.status(429),
    "code 29": Fault.error(29),
    "no list": Fault.status(200, '{"toptracks": "none"}'),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_in_an_outage_the_catalogue_answers_and_is_called_old(catalogue: Catalogue, fault: Fault) -> None:
    async def main() -> None:
        async with FakeLastFm(WEEKND, (ARTIST,)) as fake:
            fake.break_next(fault)
            async with looking_up(fake, catalogue, fallback=True) as lookup:
                found = await listed(lookup, "weeknd")
        assert (found.source.origin, found.source.stale) == (Origin.CATALOGUE, True)
        assert {song.title for song in found.songs} == {"Blinding Lights", "The Hills", "Blinding Lights - Remix"}
        assert all(song.listeners is None for song in found.songs)

    run_warped(main())


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_in_an_outage_the_last_good_list_is_given_and_called_old(fault: Fault) -> None:
    async def main() -> None:
        clock = WallClock()
        async with FakeLastFm(WEEKND, (ARTIST,)) as fake, looking_up(fake, None, clock=clock) as lookup:
            first = await listed(lookup, "The Weeknd")
            clock.jump(timedelta(hours=7))
            fake.break_next(fault)
            again = await listed(lookup, "The Weeknd")
            assert again.source.stale
            assert again.songs == first.songs

    run_warped(main())


async def test_in_an_outage_with_nothing_at_hand_the_fault_is_raised(fake: FakeLastFm, catalogue: Catalogue) -> None:
    fake.break_next(Fault.error(10, http_status=403))
    async with looking_up(fake, catalogue, fallback=True) as lookup:
        with pytest.raises(UpstreamRefused):
            await lookup.find("Nobody In The Catalogue")
    async with looking_up(fake, None) as lookup:
        with pytest.raises(UpstreamError):
            await lookup.find("The Weeknd")


async def test_without_the_artists_figures_the_songs_are_listed(fake: FakeLastFm) -> None:
    fake.break_next(Fault.status(500), method="artist.getInfo")
    async with looking_up(fake, None) as lookup:
        found = await listed(lookup, "The Weeknd")
    assert {song.artist_listeners for song in found.songs} == {None}
    assert len(found.songs) == 3


@pytest.mark.parametrize(
    ("tracks", "titles"),
    [
        ({"name": "One", "listeners": "5", "playcount": None, "artist": {"name": "The Weeknd"}}, ["One"]),
        ([{"name": "A" * 5_000, "artist": {"name": "The Weeknd"}}], ["A" * 300]),
        ([{"name": "One", "artist": {"name": "The Weeknd"}}, {"name": "Two", "artist": {"name": "Other"}}], ["One"]),
        ([{"name": "One\u202e", "listeners": "1e9", "playcount": -4, "artist": "The Weeknd"}, 7, None], ["One"]),
        ([{"name": f"Song {n}", "artist": "The Weeknd"} for n in range(80)], [f"Song {n}" for n in range(50)]),
    ],
)  # fmt: skip
async def test_hostile_lists_are_read_or_left_out(fake: FakeLastFm, tracks: object, titles: list[str]) -> None:
    body = json.dumps({"toptracks": {"track": tracks}})
    fake.break_next(Fault.status(200, body), method="artist.getTopTracks")
    async with looking_up(fake, None) as lookup:
        found = await listed(lookup, "The Weeknd")
    assert [song.title for song in found.songs] == titles
    assert all(song.listeners is None or song.listeners == 5 for song in found.songs)


@pytest.mark.parametrize("nothing", [[], "", "\n", {}, None])
async def test_a_list_of_nothing_is_no_artist(fake: FakeLastFm, nothing: object) -> None:
    fake.break_next(Fault.status(200, json.dumps({"toptracks": {"track": nothing}})), method="artist.getTopTracks")
    async with looking_up(fake, None) as lookup:
        assert isinstance(await lookup.find("The Weeknd"), ArtistNotFound)


async def test_an_answer_without_a_list_is_garbled(fake: FakeLastFm) -> None:
    fake.break_next(Fault.status(200, "{}"), method="artist.getTopTracks")
    async with looking_up(fake, None) as lookup:
        with pytest.raises(UpstreamGarbled):
            await lookup.find("The Weeknd")


# without a key


def recorded(title: str, artist: str) -> RecordedSong:
    song = Song(title=title, artist=artist, listeners=900_000, playcount=9_000_000)
    return RecordedSong(Found(song, Source(Origin.RECORDED, MAY_2025)))


RECORDED = RecordedFigures([recorded("Blinding Lights", "The Weeknd"), recorded("New Song", "Newcomer")])


def without_key(catalogue: Catalogue | None) -> ArtistLookup:
    worker = SerialExecutor("lookup")
    return ArtistLookup(
        source=CatalogueSource(RECORDED, catalogue, worker),
        artists=RECORDED.artists if catalogue is None else catalogue.artists,
        catalogue=catalogue,
        live=False,
        worker=worker,
    )


async def test_without_a_key_each_song_is_as_it_is_answered_by_itself(catalogue: Catalogue) -> None:
    found = await listed(without_key(catalogue), "the weekend")
    listeners = {song.title: song.listeners for song in found.songs}
    assert listeners == {"Blinding Lights": 900_000, "The Hills": None, "Blinding Lights - Remix": None}
    assert found.source.origin is Origin.CATALOGUE


async def test_an_artist_of_recorded_songs_alone_is_called_recorded(catalogue: Catalogue) -> None:
    for lookup in (without_key(catalogue), without_key(None)):
        found = await listed(lookup, "newcomer")
        assert found.source == Source(Origin.RECORDED, MAY_2025)


async def test_without_a_key_an_unknown_artist_says_so(catalogue: Catalogue) -> None:
    missing = await without_key(catalogue).find("Nobody Known")
    assert isinstance(missing, ArtistNotFound)
    assert missing.key_missing


async def test_an_artist_in_other_letters_is_found_by_the_spelling(catalogue: Catalogue) -> None:
    found = await listed(without_key(catalogue), "molchat doma")
    assert [song.title for song in found.songs] == ["Судно (Борис Рижий)"]
