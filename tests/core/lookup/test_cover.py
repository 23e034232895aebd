import asyncio
import logging

import pytest
from PIL import Image

from core.domain import Song
from core.lookup.cover import Artwork
from core.lookup.lastfm_parse import STAR_IMAGE
from core.lookup.release import ReleaseLookup
from core.lookup.safe_fetch import HostPolicy
from core.settings import Settings
from tests.fakes.art_server import Art, ArtServer
from tests.fakes.release_server import Record, ReleaseFault, ReleaseServer

pytestmark = pytest.mark.warped_time

LOOPBACK = HostPolicy(
    hosts=frozenset({"127.0.0.1"}),
    schemes=frozenset({"http"}),
    ports=None,
    private_hosts=frozenset({"127.0.0.1"}),
)
BUDGET_S = 0.6


@pytest.fixture
async def server():
    async with ArtServer() as running:
        yield running


@pytest.fixture
async def shops():
    async with ReleaseServer() as running:
        yield running


@pytest.fixture
async def releases(shops):
    lookup = ReleaseLookup.connect(**shops.urls)
    yield lookup
    await lookup.aclose()


@pytest.fixture
async def artwork(releases):
    artwork = Artwork(releases, policy=LOOPBACK, budget_s=BUDGET_S)
    yield artwork
    await artwork.aclose()


def record(cover, title="Hello", artist="Adele"):
    return Record(title=title, artist=artist, cover=cover)


def song(cover_url=None, title="Hello", artist="Adele"):
    return Song(title=title, artist=artist, cover_url=cover_url)


def colour(cover):
    return Image.frombytes("RGB", (cover.side_px, cover.side_px), cover.rgb).getpixel((210, 210))


async def test_takes_the_albums_cover_first(server, shops, artwork):
    cover = await artwork.cover(song(server.art(Art.PNG)))
    assert colour(cover) == (200, 40, 40)
    assert not shops.itunes.requests


async def test_the_star_is_no_cover_and_the_release_is_asked_for(server, shops, artwork):
    shops.itunes.put(record(server.art(Art.PNG)))
    assert await artwork.cover(song(f"{server.url}/art/{STAR_IMAGE}.png")) is not None
    assert server.hits == {Art.PNG: 1}
    assert len(shops.itunes.requests) == 1


async def test_the_releases_cover_may_be_of_either_shop(server, shops, artwork):
    shops.deezer.put(record(server.art(Art.PNG)))
    assert await artwork.cover(song()) is not None
    assert server.hits == {Art.PNG: 1}


async def test_a_release_that_was_looked_up_is_not_looked_up_again(server, shops, releases, artwork):
    shops.itunes.put(record(server.art(Art.PNG)))
    release = await releases.within(song().name, 5)
    assert release.cover_url == server.art(Art.PNG)
    assert await artwork.cover(song()) is not None
    assert len(shops.itunes.requests) == 1


async def test_a_cover_that_failed_is_not_fetched_again_as_the_releases(server, shops, artwork):
    shops.itunes.put(record(server.art(Art.MISSING)))
    assert await artwork.cover(song(server.art(Art.MISSING))) is None
    assert server.hits[Art.MISSING] == 1


FAULTS = [kind for kind in Art if kind not in (Art.JPEG, Art.PNG, Art.WEBP, Art.GIF, Art.SEE_THROUGH, Art.WIDE)]


@pytest.mark.parametrize("kind", FAULTS)
async def test_with_any_fault_there_is_no_cover_within_the_budget(server, shops, artwork, kind, caplog):
    server.redirect_to = "http://169.254.169.254/latest/meta-data"
    shops.itunes.put(record(f"{server.art(kind)}?of=the-release"))
    started = asyncio.get_running_loop().time()
    with caplog.at_level(logging.INFO, logger="core.lookup"):
        assert await artwork.cover(song(server.art(kind))) is None
    assert asyncio.get_running_loop().time() - started < BUDGET_S + 0.2
    assert server.hits[kind] >= 1
    assert len(caplog.records) == 1


async def test_after_a_fault_the_releases_cover_is_tried(server, shops, artwork):
    shops.itunes.put(record(server.art(Art.WEBP)))
    assert await artwork.cover(song(server.art(Art.MISSING))) is not None


async def test_a_silent_source_is_joined_by_the_next(server, shops, releases):
    shops.itunes.put(record(server.art(Art.PNG)))
    artwork = Artwork(releases, policy=LOOPBACK, hedge_s=0.05)
    assert await artwork.cover(song(server.art(Art.SILENT))) is not None
    await artwork.aclose()


@pytest.mark.parametrize("fault", [ReleaseFault.HANG, ReleaseFault.ERROR_500, ReleaseFault.GARBAGE])
async def test_without_a_release_there_is_no_cover_within_the_budget(server, shops, artwork, fault):
    shops.knows(record(server.art(Art.PNG)))
    for service in (shops.itunes, shops.deezer, shops.musicbrainz):
        service.break_next(fault)
    started = asyncio.get_running_loop().time()
    assert await artwork.cover(song()) is None
    assert asyncio.get_running_loop().time() - started < BUDGET_S + 0.2
    assert not server.hits


async def test_a_cover_is_kept(server, artwork):
    for _ in range(3):
        assert await artwork.cover(song(server.art(Art.PNG))) is not None
    assert server.hits[Art.PNG] == 1


async def test_people_who_ask_at_once_share_one_download(server, artwork):
    covers = await asyncio.gather(*(artwork.cover(song(server.art(Art.PNG))) for _ in range(20)))
    assert all(covers)
    assert server.hits[Art.PNG] == 1


async def test_one_who_leaves_does_not_take_it_from_the_others(server, shops, artwork):
    shops.itunes.latency_s = 0.1
    shops.itunes.put(record(server.art(Art.PNG)))
    leaving, staying = (asyncio.create_task(artwork.cover(song())) for _ in range(2))
    await asyncio.sleep(0.02)
    leaving.cancel()
    assert await staying is not None


async def test_switched_off_nothing_is_asked(server, shops, releases):
    artwork = Artwork.from_settings(Settings(_env_file=None, art_downloads=False), releases, LOOPBACK)
    assert await artwork.cover(song(server.art(Art.PNG))) is None
    assert await artwork.cover(song()) is None
    await artwork.aclose()
    assert not server.hits
    assert not shops.itunes.requests


async def test_the_production_policy_refuses_loopback(server, shops, releases):
    shops.itunes.put(record(server.art(Art.PNG)))
    artwork = Artwork.from_settings(Settings(_env_file=None), releases)
    assert await artwork.cover(song(server.art(Art.PNG))) is None
    await artwork.aclose()
    assert not server.hits[Art.PNG]
