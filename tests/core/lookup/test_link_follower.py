from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.domain import Reading, SongQuery
from core.errors import LinkSaysNothing
from core.lookup.catalogue import Catalogue
from core.lookup.catalogue_build import build_catalogue
from core.lookup.link_follower import LinkFollower
from core.query import LinkedSong, parse_question
from core.settings import Settings
from tests.fakes.link_server import LinkFault, LinkServer, Page
from tests.fakes.spotify_rows import row, write_csv

pytestmark = pytest.mark.warped_time

BLINDING_ID = "0VjIjW4GlUZAMYd2vXMi3b"
ELSEWHERE_ID = "7qiZfU4dY1lWllzX7mPBI3"
YOUTUBE = "https://www.youtube.com/watch?v=fJ9rUzIMcZQ"
SPOTIFY = f"https://open.spotify.com/track/{ELSEWHERE_ID}"
DEEZER = "https://www.deezer.com/track/3135556"

VIDEOS = {"fJ9rUzIMcZQ": Page("Queen – Bohemian Rhapsody (Official Video Remastered)", "Queen Official")}
TRACKS = {f"https://open.spotify.com/track/{ELSEWHERE_ID}": Page("Shape of You")}
SONGS = {3135556: ("Harder, Better, Faster, Stronger", "Daft Punk")}
HOSTILE = Page("\u202e<b>@everyone</b> `rm` https://evil.example/ Hello\x00 - Adele (Official Video)", "javascript:1")


@asynccontextmanager
async def following(
    settings_for: Callable[..., Settings], catalogue: Catalogue | None = None, **changes: str
) -> AsyncIterator[tuple[LinkFollower, LinkServer]]:
    async with LinkServer(VIDEOS, TRACKS, SONGS) as server:
        follower = LinkFollower.from_settings(settings_for(**(server.settings | changes)), catalogue)
        try:
            yield follower, server
        finally:
            await follower.aclose()


@pytest.fixture
def catalogue(tmp_path: Path):
    rows = (row("Blinding Lights", "The Weeknd", 91, track_id=BLINDING_ID), row("Hello", "Adele", 74))
    build_catalogue(write_csv(tmp_path / "songs.csv", rows), tmp_path / "c.sqlite", source="test", rows_least=1)
    opened = Catalogue.open(tmp_path / "c.sqlite")
    yield opened
    opened.close()


def linked(text: str) -> LinkedSong:
    question = parse_question(text)
    assert isinstance(question, LinkedSong)
    return question


async def follow(follower: LinkFollower, text: str) -> SongQuery:
    return await follower.follow(linked(text))


@pytest.mark.parametrize(
    "link",
    [
        f"https://open.spotify.com/track/{BLINDING_ID}?si=1",
        f"https://open.spotify.com/intl-de/track/{BLINDING_ID}",
        f"open.spotify.com/embed/track/{BLINDING_ID}",
        f"spotify:track:{BLINDING_ID}",
    ],
)
async def test_the_catalogue_knows_tracks_by_id_and_nobody_is_asked(settings_for, catalogue, link) -> None:
    async with following(settings_for, catalogue) as (follower, server):
        query = await follow(follower, link)
    assert query.readings == (Reading("Blinding Lights", "The Weeknd"),)
    assert server.asked == []


async def test_a_track_the_catalogue_lacks_has_a_title_without_an_artist(settings_for, catalogue) -> None:
    async with following(settings_for, catalogue) as (follower, server):
        query = await follow(follower, SPOTIFY)
    assert query.readings == (Reading("Shape of You"),)
    assert query.artist_unknown
    assert server.asked == [("/spotify/oembed", SPOTIFY)]


async def test_a_short_link_leads_to_the_track_it_embeds(settings_for, catalogue) -> None:
    async with following(settings_for, catalogue) as (follower, server):
        embedded = f"https://open.spotify.com/embed/track/{BLINDING_ID}?utm_source=oembed"
        server.tracks["https://spotify.link/AbC123"] = Page("Blinding Lights", embeds=embedded)
        query = await follow(follower, "https://spotify.link/AbC123")
    assert query.readings == (Reading("Blinding Lights", "The Weeknd"),)


async def test_a_short_link_to_an_album_says_so(settings_for) -> None:
    async with following(settings_for) as (follower, server):
        embedded = "https://open.spotify.com/embed/album/4yP0hdKOZPNshxUOjY0cZj"
        server.tracks["https://spotify.link/AbC123"] = Page("After Hours", embeds=embedded)
        with pytest.raises(LinkSaysNothing) as caught:
            await follow(follower, "https://spotify.link/AbC123")
    assert "an album" in caught.value.user_message


@pytest.mark.parametrize(
    "link",
    [
        YOUTUBE,
        "youtu.be/fJ9rUzIMcZQ?t=3",
        "https://m.youtube.com/watch?list=x&v=fJ9rUzIMcZQ",
        "https://music.youtube.com/watch?v=fJ9rUzIMcZQ&si=1",
        "https://www.youtube.com/shorts/fJ9rUzIMcZQ",
        "hey, what do you think of this: https://youtu.be/fJ9rUzIMcZQ",
    ],
)
async def test_a_video_is_read_as_people_mean_it(settings_for, link) -> None:
    async with following(settings_for) as (follower, server):
        query = await follow(follower, link)
    assert query.readings[0] == Reading("Bohemian Rhapsody", "Queen")
    assert server.asked == [("/youtube/oembed", YOUTUBE)]


@pytest.mark.parametrize("link", [DEEZER, "deezer.com/en/track/3135556?utm=1"])
async def test_deezer_names_its_tracks(settings_for, link) -> None:
    async with following(settings_for) as (follower, server):
        query = await follow(follower, link)
    assert query.readings == (Reading("Harder, Better, Faster, Stronger", "Daft Punk"),)
    assert server.asked == [("/deezer/track/3135556", "")]


async def test_a_link_is_followed_once_for_all_who_paste_it(settings_for) -> None:
    async with following(settings_for) as (follower, server):
        await asyncio.gather(*(follow(follower, YOUTUBE) for _ in range(5)))
        await follow(follower, YOUTUBE)
    assert len(server.asked) == 1


@pytest.mark.parametrize("link", [YOUTUBE, SPOTIFY, DEEZER])
@pytest.mark.parametrize("fault", [one for one in LinkFault if one is not LinkFault.HANG])
async def test_whatever_a_service_does_the_link_tells_no_song(settings_for, link, fault) -> None:
    async with following(settings_for) as (follower, server):
        server.fault = fault
        with pytest.raises(LinkSaysNothing) as caught:
            await follow(follower, link)
        assert server.hits["private"] == 0
        server.fault = None
        if fault not in (LinkFault.LIMITED, LinkFault.QUOTA_200, LinkFault.FORBIDDEN):
            assert (await follow(follower, link)).readings
    assert "could not find out which song" in caught.value.user_message


@pytest.mark.parametrize("link", [YOUTUBE, SPOTIFY, DEEZER])
async def test_a_silent_service_costs_two_seconds(settings_for, link) -> None:
    loop = asyncio.get_running_loop()
    async with following(settings_for) as (follower, server):
        server.fault = LinkFault.HANG
        started = loop.time()
        with pytest.raises(LinkSaysNothing):
            await follow(follower, link)
        assert loop.time() - started < 4


async def test_videos_that_are_gone_do_not_silence_the_others(settings_for) -> None:
    async with following(settings_for) as (follower, server):
        for number in range(8):
            with pytest.raises(LinkSaysNothing):
                await follow(follower, f"https://youtu.be/gone_video{number}")
        assert (await follow(follower, YOUTUBE)).readings
    assert len(server.asked) == 9


async def test_a_hostile_title_is_text(settings_for) -> None:
    async with following(settings_for) as (follower, server):
        server.videos["fJ9rUzIMcZQ"] = HOSTILE
        query = await follow(follower, YOUTUBE)
    assert query.text.isprintable()
    assert all(reading.title.isprintable() for reading in query.readings)
    assert len(server.asked) == 1


@pytest.mark.parametrize("title", ["x" * 5_000, "\u200b\u202e", "🔥🔥"])
async def test_a_title_that_is_no_question_tells_no_song(settings_for, title) -> None:
    async with following(settings_for) as (follower, server):
        server.videos["fJ9rUzIMcZQ"] = Page(title)
        with pytest.raises(LinkSaysNothing):
            await follow(follower, YOUTUBE)


async def test_words_around_a_link_that_tells_nothing_are_the_question(settings_for) -> None:
    async with following(settings_for) as (follower, _):
        query = await follow(follower, "bohemian rhapsody https://youtu.be/gone_video1")
    assert query.readings[0] == Reading("bohemian rhapsody")


@pytest.mark.parametrize(
    ("name", "link"), [("youtube_oembed_url", YOUTUBE), ("spotify_oembed_url", SPOTIFY), ("deezer_search_url", DEEZER)]
)
async def test_a_service_that_is_off_is_not_asked(settings_for, name, link) -> None:
    async with following(settings_for, **{name: "off"}) as (follower, server):
        with pytest.raises(LinkSaysNothing):
            await follow(follower, link)
    assert server.asked == []
