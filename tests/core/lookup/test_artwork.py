import asyncio
import logging
import time

import pytest
from PIL import Image

from core.domain import Song
from core.lookup.artwork import Artwork
from core.lookup.lastfm_parse import STAR_IMAGE
from core.lookup.safe_fetch import HostPolicy
from core.settings import Settings
from tests.fakes.art_server import Art, ArtServer, deezer_track, itunes_song

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
async def artwork(server):
    artwork = Artwork(
        itunes_url=f"{server.url}/itunes", deezer_url=f"{server.url}/deezer", policy=LOOPBACK, budget_s=BUDGET_S
    )
    yield artwork
    await artwork.aclose()


def song(cover_url=None, title="Hello", artist="Adele"):
    return Song(title=title, artist=artist, cover_url=cover_url)


def colour(cover):
    return Image.frombytes("RGB", (cover.side_px, cover.side_px), cover.rgb).getpixel((210, 210))


async def test_takes_the_albums_cover_first(server, artwork):
    cover = await artwork.cover(song(server.art(Art.PNG)))
    assert colour(cover) == (200, 40, 40)
    assert not server.hits["itunes"]


async def test_the_star_is_no_cover_and_itunes_is_asked(server, artwork):
    server.itunes = [itunes_song("Hello", "Adele", server.art(Art.PNG))]
    assert await artwork.cover(song(f"{server.url}/art/{STAR_IMAGE}.png")) is not None
    assert server.hits == {"itunes": 1, Art.PNG: 1}


async def test_deezer_comes_after_itunes(server, artwork):
    server.deezer = {"data": [deezer_track("Hello", "Adele", server.art(Art.PNG))]}
    assert await artwork.cover(song()) is not None
    assert server.hits == {"itunes": 1, "deezer": 1, Art.PNG: 1}


FAULTS = [kind for kind in Art if kind not in (Art.JPEG, Art.PNG, Art.WEBP, Art.GIF, Art.SEE_THROUGH, Art.WIDE)]


@pytest.mark.parametrize("kind", FAULTS)
async def test_with_any_fault_there_is_no_cover_within_the_budget(server, artwork, kind, caplog):
    server.redirect_to = "http://169.254.169.254/latest/meta-data"
    server.itunes = [itunes_song("Hello", "Adele", server.art(kind))]
    server.deezer = {"data": [deezer_track("Hello", "Adele", server.art(kind))]}
    started = time.monotonic()
    with caplog.at_level(logging.INFO, logger="core.lookup"):
        assert await artwork.cover(song(server.art(kind))) is None
    assert time.monotonic() - started < BUDGET_S + 1.0
    assert server.hits[kind] >= 1
    assert len(caplog.records) == 1


async def test_after_a_fault_the_next_source_is_tried(server, artwork):
    server.itunes = [itunes_song("Hello", "Adele", server.art(Art.SVG))]
    server.deezer = {"data": [deezer_track("Hello", "Adele", server.art(Art.WEBP))]}
    assert await artwork.cover(song(server.art(Art.MISSING))) is not None


async def test_a_silent_source_is_joined_by_the_next(server, monkeypatch):
    monkeypatch.setattr("core.lookup.artwork.HEDGE_S", 0.05)
    server.itunes = [itunes_song("Hello", "Adele", server.art(Art.PNG))]
    artwork = Artwork(itunes_url=f"{server.url}/itunes", deezer_url=f"{server.url}/deezer", policy=LOOPBACK)
    assert await artwork.cover(song(server.art(Art.SILENT))) is not None
    await artwork.aclose()


async def test_itunes_is_left_alone_after_its_limit(server, artwork):
    server.itunes = 403
    assert await artwork.cover(song(title="One")) is None
    assert await artwork.cover(song(title="Two")) is None
    assert server.hits["itunes"] == 1
    assert server.hits["deezer"] == 2


async def test_a_cover_is_kept(server, artwork):
    for _ in range(3):
        assert await artwork.cover(song(server.art(Art.PNG))) is not None
    assert server.hits[Art.PNG] == 1


async def test_people_who_ask_at_once_share_one_download(server, artwork):
    covers = await asyncio.gather(*(artwork.cover(song(server.art(Art.PNG))) for _ in range(20)))
    assert all(covers)
    assert server.hits[Art.PNG] == 1


async def test_one_who_leaves_does_not_take_it_from_the_others(server, artwork):
    server.search_delay_s = 0.1
    server.itunes = [itunes_song("Hello", "Adele", server.art(Art.PNG))]
    leaving, staying = (asyncio.create_task(artwork.cover(song())) for _ in range(2))
    await asyncio.sleep(0.02)
    leaving.cancel()
    assert await staying is not None


async def test_switched_off_nothing_is_asked(server):
    settings = Settings(_env_file=None, art_downloads=False, itunes_search_url=f"{server.url}/itunes")
    artwork = Artwork.from_settings(settings, LOOPBACK)
    assert await artwork.cover(song(server.art(Art.PNG))) is None
    await artwork.aclose()
    assert not server.hits


async def test_the_production_policy_refuses_loopback(server):
    settings = Settings(
        _env_file=None, itunes_search_url=f"{server.url}/itunes", deezer_search_url=f"{server.url}/deezer"
    )
    artwork = Artwork.from_settings(settings)
    assert await artwork.cover(song(server.art(Art.PNG))) is None
    await artwork.aclose()
    assert not server.hits[Art.PNG]
