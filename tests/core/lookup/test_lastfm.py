import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.concurrency import deadline
from core.domain import Origin, Reading, SongName
from core.errors import SettingsError, UpstreamRefused, UpstreamUnavailable
from core.lookup.lastfm import LastFm
from core.lookup.lastfm_client import RetryPolicy
from core.lookup.lastfm_parse import ArtistInfo, TrackInfo, is_misspelling, music_tags
from core.lookup.service import Breaker, BreakerState, RequestRate
from core.settings import Settings
from tests.fakes.lastfm_server import API_KEY, FakeArtist, FakeLastFm, FakeSong, Fault

pytestmark = pytest.mark.warped_time

QUICK = RetryPolicy(wait_initial_s=0.001, wait_max_s=0.002, jitter_s=0.001, attempt_s=0.25, connect_s=0.25)
AMPLE = RequestRate(burst=10_000, per_window=20_000)
LIGHTS = FakeSong("Harbour Lights", "The Keels", 120_345, 980_001, "Tide", 187_000, ("shanty", "folk"))
KEELS = FakeArtist("The Keels", 400_000, 9_000_000, ("folk", "seen live"))
READING = Reading("Harbour Lights", "The Keels")


class WallClock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **kwargs: float) -> None:
        self.now += timedelta(**kwargs)


@pytest.fixture
def clock() -> WallClock:
    return WallClock()


@pytest.fixture
async def fake() -> AsyncIterator[FakeLastFm]:
    songs = [
        LIGHTS,
        FakeSong("Rope", "The Keels", 5_000, 20_000, tags=()),
        FakeSong("Untagged", "Nobody Knows", 300, 900, tags=()),
        FakeSong("Harbour Lights", "Somebody Else", 900, 2_000),
        FakeSong("Harbour Lights (Live)", "The Keels", 4, 5),
    ]
    artists = [KEELS, FakeArtist("Nobody Knows", 500, 1_500, ("drone", "Nobody Knows", "noise", "tape"))]
    async with FakeLastFm(songs, artists, key=API_KEY, corrections={"keels": "The Keels"}) as server:
        yield server


@pytest.fixture
async def lastfm(fake: FakeLastFm, clock: WallClock) -> AsyncIterator[LastFm]:
    async with connect(fake, clock) as client:
        yield client


@asynccontextmanager
async def connect(fake: FakeLastFm, clock: WallClock, **options: Any) -> AsyncIterator[LastFm]:
    defaults = {"retries": QUICK, "rate": AMPLE, "budget_s": 0.7, "breaker": Breaker(threshold=1000), "clock": clock}
    async with aclosing(LastFm.connect(API_KEY, fake.url, **(defaults | options))) as client:
        yield client


async def test_a_song_with_all_its_figures_in_one_round_trip(
    fake: FakeLastFm, lastfm: LastFm, clock: WallClock
) -> None:
    found = await lastfm.find(READING)
    assert found is not None
    song = found.song
    assert (song.title, song.artist) == ("Harbour Lights", "The Keels")
    assert song.album is None, "for many hits Last.fm names a compilation"
    assert (song.listeners, song.playcount) == (120_345, 980_001)
    assert (song.artist_listeners, song.artist_playcount) == (400_000, 9_000_000)
    assert (song.tags, song.duration_ms) == (("shanty", "folk"), 187_000)
    assert song.cover_url is not None
    assert song.cover_url.startswith("https://lastfm.freetls.fastly.net/i/u/300x300/")
    assert song.url == "https://www.last.fm/music/The+Keels/_/Harbour+Lights"
    assert song.artist_url == "https://www.last.fm/music/The+Keels"
    assert (found.source.origin, found.source.as_of, found.source.stale) == (Origin.LASTFM, clock.now, False)
    assert sorted(request["method"] for request in fake.requests) == ["artist.getInfo", "track.getInfo"]
    assert all(request["autocorrect"] == "1" for request in fake.requests)


async def test_track_and_artist_are_asked_side_by_side(fake: FakeLastFm, lastfm: LastFm) -> None:
    arrived = asyncio.Barrier(2)

    async def both_under_way(*_: object) -> None:
        async with asyncio.timeout(60):
            await arrived.wait()

    fake.on_request = both_under_way
    assert await lastfm.find(READING) is not None


async def test_the_artist_the_track_resolved_to_is_the_one_whose_figures_count(
    fake: FakeLastFm, lastfm: LastFm
) -> None:
    fake.correct_tracks_only = True
    found = await lastfm.find(Reading("Harbour Lights", "Keels"))
    assert found is not None
    assert (found.song.artist, found.song.artist_listeners) == ("The Keels", 400_000)
    asked = [request["artist"] for request in fake.requests if request["method"] == "artist.getInfo"]
    assert asked == ["Keels", "The Keels"]


async def test_autocorrect_by_both_needs_no_third_request(fake: FakeLastFm, lastfm: LastFm) -> None:
    found = await lastfm.find(Reading("harbour lights", "KEELS"))
    assert found is not None
    assert (found.song.artist, found.song.artist_listeners) == ("The Keels", 400_000)
    assert len(fake.requests) == 2


@pytest.mark.parametrize("misspellings", [True, False])
async def test_an_unknown_song_is_none_however_lastfm_puts_it(misspellings: bool, clock: WallClock) -> None:
    async with FakeLastFm([LIGHTS], ghosts=misspellings) as fake, connect(fake, clock) as client:
        assert await client.find(Reading("Harbor Light", "The Keels")) is None
        assert await client.find(Reading("Anything", "Unknown Artist")) is None


@pytest.mark.parametrize("reading", [Reading("Harbour Lights"), Reading("", "The Keels"), Reading(" ", "\u202e")])
async def test_half_a_name_finds_nothing_and_asks_nothing(fake: FakeLastFm, lastfm: LastFm, reading: Reading) -> None:
    assert await lastfm.find(reading) is None
    assert fake.requests == []


def bare(listeners: int, **known: Any) -> TrackInfo:
    return TrackInfo(title="T", artist="A", listeners=listeners, **known)


@pytest.mark.parametrize(
    ("track", "artist_listeners", "misspelling"),
    [
        (bare(2), None, True),
        (bare(19), None, True),
        (bare(20), None, False),
        (bare(20), 80_000, False),
        (bare(90), 890_956, True),
        (bare(499), 40_000_000, True),
        (bare(500), 40_000_000, False),
        (bare(2, album="X"), 890_956, False),
        (bare(2, duration_ms=1000), 890_956, False),
        (bare(2, tags=("folk",)), 890_956, False),
        (TrackInfo(title="T", artist="A"), None, True),
    ],
)
def test_ghosts(track: TrackInfo, artist_listeners: int | None, misspelling: bool) -> None:
    artist = None if artist_listeners is None else ArtistInfo(name="A", listeners=artist_listeners)
    assert is_misspelling(track, artist) is misspelling


async def test_a_ghost_is_asked_again_as_soon_as_a_miss_is(fake: FakeLastFm, lastfm: LastFm, clock: WallClock) -> None:
    new = Reading("New Song", "The Keels")
    assert await lastfm.find(new) is None
    fake.put(FakeSong("New Song", "The Keels", 800, 900))
    clock.forward(minutes=9)
    assert await lastfm.find(new) is None
    clock.forward(minutes=2)
    assert await lastfm.find(new) is not None


async def test_tags_of_the_artist_stand_in_without_another_request(fake: FakeLastFm, lastfm: LastFm) -> None:
    found = await lastfm.find(Reading("Rope", "The Keels"))
    assert found is not None
    assert found.song.tags == ("folk",)  # "seen live" tells of the listener
    assert fake.count("artist.getTopTags") == 0


async def test_top_tags_are_asked_only_when_neither_has_any(fake: FakeLastFm, lastfm: LastFm) -> None:
    fake.put(FakeSong("Plain", "Plain", 300, 900, tags=()))
    fake.break_next(Fault.error(8), method="artist.getInfo")
    found = await lastfm.find(Reading("Untagged", "Nobody Knows"))
    assert found is not None
    assert found.song.tags == ("drone", "noise", "tape")
    assert fake.count("artist.getTopTags") == 1
    fake.mend()
    fake.break_next(Fault.error(8), method="artist.getTopTags")
    fake.break_next(Fault.error(6), method="artist.getInfo")
    found = await lastfm.find(Reading("Plain", "Plain"))
    assert found is not None
    assert found.song.tags == ()


def test_noise_among_tags_is_dropped() -> None:
    tags = ("Synth-Pop", "The Keels", "HARBOUR LIGHTS", "MySpotigramBot", "Seen Live", "favourites", "80s", "...")
    assert music_tags(tags, "Harbour Lights", "The Keels") == ("Synth-Pop", "80s", "...")


@pytest.mark.parametrize("fault", [Fault.error(8), Fault.error(6), Fault.hang(), Fault.garbage()])
async def test_without_the_artist_the_song_is_answered_all_the_same(
    fake: FakeLastFm, lastfm: LastFm, fault: Fault
) -> None:
    fake.break_next(fault, method="artist.getInfo")
    found = await lastfm.find(READING)
    assert found is not None
    assert found.song.listeners == 120_345
    assert (found.song.artist_listeners, found.song.artist_playcount) == (None, None)
    assert found.song.artist_url == "https://www.last.fm/music/The+Keels"
    assert not found.source.stale
    fake.mend()
    found = await lastfm.find(READING)
    if fault.kind != "raw" or b"6" not in fault.body[:12]:  # a failure is not kept, a "not found" is
        assert found is not None
        assert found.song.artist_listeners == 400_000


async def test_songs_of_one_artist_share_its_figures(fake: FakeLastFm, lastfm: LastFm) -> None:
    await lastfm.find(READING)
    await lastfm.find(Reading("Rope", "the keels"))
    assert fake.count("artist.getInfo") == 1


async def test_an_answer_is_kept_six_hours(fake: FakeLastFm, lastfm: LastFm, clock: WallClock) -> None:
    first = await lastfm.find(READING)
    clock.forward(hours=5.9)
    assert await lastfm.find(Reading(" HARBOUR   lights", "the KEELS ")) == first
    assert len(fake.requests) == 2
    clock.forward(hours=0.2)
    again = await lastfm.find(READING)
    assert again is not None
    assert again.source.as_of == clock.now
    assert len(fake.requests) == 4


async def test_fresh_asks_anew(fake: FakeLastFm, lastfm: LastFm, clock: WallClock) -> None:
    await lastfm.find(READING)
    fake.put(FakeSong("Harbour Lights", "The Keels", 130_000, 990_000))
    clock.forward(minutes=1)
    found = await lastfm.find(READING, fresh=True)
    assert found is not None
    assert (found.song.listeners, found.source.as_of) == (130_000, clock.now)
    assert await lastfm.find(READING) == found


DOWN = {
    "500": Fault.status(500),
    "429": Fault.status(429),
    "29": Fault.error(29),
    "refused": Fault.error(10, http_status=403),
    "suspended": Fault.error(26, http_status=403),
    "garbage": Fault.garbage(),
    "time-out": Fault.hang(),
    "dropped": Fault.refuse(),
    "huge": Fault.huge(3_000_000),
}


@pytest.mark.parametrize("fault", DOWN.values(), ids=DOWN.keys())
async def test_the_last_good_answer_when_lastfm_is_down(fake: FakeLastFm, clock: WallClock, fault: Fault) -> None:
    async with connect(fake, clock, budget_s=0.3) as lastfm:
        first = await lastfm.find(READING)
        assert first is not None
        fetched_at = clock.now
        fake.break_next(fault)
        clock.forward(days=2)
        found = await lastfm.find(READING)
        assert found is not None
        assert found.song == first.song
        assert (found.source.stale, found.source.as_of) == (True, fetched_at)
        fake.mend()
        found = await lastfm.find(READING, fresh=True) if fault.http_status != 403 else None
        if found is not None:
            assert (found.source.stale, found.source.as_of) == (False, clock.now)


async def test_fresh_falls_back_on_what_is_held(fake: FakeLastFm, lastfm: LastFm, clock: WallClock) -> None:
    await lastfm.find(READING)
    fake.break_next(Fault.status(503))
    found = await lastfm.find(READING, fresh=True)
    assert found is not None
    assert found.source.stale


async def test_an_answer_is_no_use_after_a_week(fake: FakeLastFm, lastfm: LastFm, clock: WallClock) -> None:
    await lastfm.find(READING)
    fake.break_next(Fault.status(503))
    clock.forward(days=7.1)
    with pytest.raises(UpstreamUnavailable):
        await lastfm.find(READING)


async def test_a_clock_set_back_does_not_freeze_answers(fake: FakeLastFm, lastfm: LastFm, clock: WallClock) -> None:
    await lastfm.find(READING)
    clock.forward(days=-30)
    found = await lastfm.find(READING)
    assert found is not None
    assert found.source.as_of == clock.now
    assert fake.count("track.getInfo") == 2


async def test_stale_figures_of_the_artist_date_the_answer(fake: FakeLastFm, lastfm: LastFm, clock: WallClock) -> None:
    await lastfm.find(READING)
    fetched_at = clock.now
    clock.forward(hours=13)
    fake.break_next(Fault.status(503), method="artist.getInfo")
    found = await lastfm.find(READING)
    assert found is not None
    assert found.song.artist_listeners == 400_000
    assert (found.source.stale, found.source.as_of) == (True, fetched_at)
    assert found.source.track_day == clock.now.date() > fetched_at.date()


async def test_two_hundred_asking_the_same_cost_one_request_each_way(fake: FakeLastFm, clock: WallClock) -> None:
    fake.break_next(Fault.slow(0.05))
    # Time enough that no request is given up where the machine stands still.
    async with connect(fake, clock, budget_s=30.0) as client:
        answers = await asyncio.gather(*(client.find(READING) for _ in range(200)))
    assert len(set(answers)) == 1
    assert answers[0] is not None
    assert len(fake.requests) == 2


async def test_one_who_leaves_takes_nothing_from_the_others(fake: FakeLastFm, lastfm: LastFm) -> None:
    fake.break_next(Fault.slow(0.05))
    askers = [asyncio.create_task(lastfm.find(READING)) for _ in range(3)]
    await asyncio.sleep(0.02)
    askers[0].cancel()
    answers = await asyncio.gather(*askers, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1] == answers[2]
    assert not isinstance(answers[1], BaseException)
    assert len(fake.requests) == 2


async def test_other_questions_go_on_while_one_hangs(fake: FakeLastFm, clock: WallClock) -> None:
    async with connect(fake, clock) as client:
        fake.break_next(Fault.hang(), times=2)
        hanging = asyncio.create_task(client.find(READING))
        await asyncio.sleep(0.05)
        assert await client.find(Reading("Rope", "The Keels")) is not None
        hanging.cancel()


async def test_an_outage_opens_the_breaker_and_its_end_closes_it(fake: FakeLastFm, clock: WallClock) -> None:
    now = [0.0]
    breaker = Breaker(threshold=4, open_s=10.0, clock=lambda: now[0])
    async with connect(fake, clock, breaker=breaker, budget_s=0.05) as client:
        fake.break_next(Fault.status(503))
        for _ in range(3):
            with pytest.raises(UpstreamUnavailable):
                await client.find(READING)
        assert breaker.state is BreakerState.OPEN
        fake.mend()
        asked = len(fake.requests)
        with pytest.raises(UpstreamUnavailable):
            await client.find(READING)
        assert len(fake.requests) == asked
        now[0] = 10.0
        found = await client.find(READING)
        assert found is not None
        assert found.song.artist_listeners == 400_000  # both halves of the question may probe
        assert breaker.state is BreakerState.CLOSED


async def test_finding_ends_within_its_budget_however_slow_each_step(fake: FakeLastFm, clock: WallClock) -> None:
    async with connect(fake, clock, budget_s=0.5) as client:
        fake.break_next(Fault.slow(0.2), method="track.getInfo")
        fake.break_next(Fault.drip(0.02))
        started = asyncio.get_running_loop().time()
        found = await client.find(Reading("Untagged", "Nobody Knows"))
        assert asyncio.get_running_loop().time() - started < 0.9
        assert found is not None
        assert found.song.tags == ()


async def test_calls_in_turn_keep_within_one_budget(fake: FakeLastFm, clock: WallClock) -> None:
    async with connect(fake, clock, budget_s=5.0) as client:
        fake.break_next(Fault.slow(0.15))
        started = asyncio.get_running_loop().time()
        with deadline(0.25):
            assert await client.find(READING) is not None
            with pytest.raises(UpstreamUnavailable):
                await client.search(READING)
            with pytest.raises(UpstreamUnavailable) as raised:
                await client.find(Reading("Rope", "The Keels"), fresh=True)
        assert asyncio.get_running_loop().time() - started < 0.6
        assert "no time was left" in str(raised.value)


async def test_a_refused_key_says_so(fake: FakeLastFm, clock: WallClock) -> None:
    client = LastFm.connect("f" * 32, fake.url, retries=QUICK, clock=clock, cache_url="mem://")
    with pytest.raises(UpstreamRefused) as raised:
        await client.find(READING)
    assert "key" in raised.value.user_message
    await client.aclose()


async def test_search_by_title(fake: FakeLastFm, lastfm: LastFm) -> None:
    found = await lastfm.search(Reading("harbour lights"))
    assert [(c.name, c.listeners) for c in found] == [
        (SongName("Harbour Lights", "The Keels"), 120_345),
        (SongName("Harbour Lights", "Somebody Else"), 900),
    ]  # the record with four listeners is left out
    assert fake.count("track.search") == 1


async def test_search_finds_the_song_of_a_misspelt_artist(fake: FakeLastFm, lastfm: LastFm) -> None:
    found = await lastfm.search(Reading("Harbour Lights", "The Kils"))
    assert found[0].name == SongName("Harbour Lights", "The Keels")
    assert sorted(request.get("artist", "") for request in fake.requests) == ["", "The Kils"]


async def test_a_record_by_nobody_is_not_found(fake: FakeLastFm, lastfm: LastFm) -> None:
    fake.put(FakeSong("Harbour Lights", "[unknown]", 700_000))
    assert await lastfm.find(Reading("Harbour Lights", "[unknown]")) is None
    assert "[unknown]" not in [one.name.artist for one in await lastfm.search(Reading("Harbour Lights"))]


async def test_the_records_of_a_song_take_one_search_by_its_plain_title(fake: FakeLastFm, lastfm: LastFm) -> None:
    fake.put(FakeSong("Harbour Lights (feat. Moor)", "The Keels", 500_000))
    records = await lastfm.records(SongName("Harbour Lights - Bonus Track", "The Keels"))
    assert [(c.name.title, c.listeners) for c in records] == [
        ("Harbour Lights (feat. Moor)", 500_000),
        ("Harbour Lights", 120_345),
    ]
    assert [(r["method"], r["track"], r["artist"]) for r in fake.requests] == [
        ("track.search", "Harbour Lights", "The Keels")
    ]
    assert await lastfm.records(SongName("Harbour Lights", "The Keels")) == records
    assert len(fake.requests) == 1
    assert await lastfm.records(SongName("Harbour Lights", " ")) == ()


async def test_search_lists_a_song_once(fake: FakeLastFm, lastfm: LastFm) -> None:
    found = await lastfm.search(READING)
    assert len(found) == len({candidate.name for candidate in found}) == 2


async def test_searches_are_kept_too(fake: FakeLastFm, lastfm: LastFm, clock: WallClock) -> None:
    assert await lastfm.search(Reading("zzz")) == ()
    assert await lastfm.search(Reading("ZZZ ")) == ()
    assert len(fake.requests) == 1
    clock.forward(minutes=11)
    await lastfm.search(Reading("zzz"))
    assert len(fake.requests) == 2
    assert await lastfm.search(Reading("  ")) == ()


async def test_one_of_two_searches_is_enough(fake: FakeLastFm, lastfm: LastFm) -> None:
    fake.break_next(Fault.error(3), times=1)
    assert await lastfm.search(READING)
    fake.break_next(Fault.error(8))
    with pytest.raises(UpstreamUnavailable):
        await lastfm.search(Reading("Rope", "Nobody"))


async def test_from_settings(fake: FakeLastFm) -> None:
    settings = Settings(_env_file=None, lastfm_api_key=API_KEY, lastfm_api_url=fake.url)  # type: ignore[call-arg]
    seen: list[str] = []
    client = LastFm.from_settings(
        settings, on_request=lambda method, *_: seen.append(method), on_lookup=lambda *told: seen.append("-".join(told))
    )
    found = await client.find(READING)
    assert found is not None
    assert found.source.as_of.tzinfo is UTC
    await client.aclose()
    assert sorted(seen) == ["artist-miss", "artist.getInfo", "track-miss", "track.getInfo"]
    with pytest.raises(SettingsError):
        LastFm.from_settings(Settings(_env_file=None, lastfm_api_key=None))  # type: ignore[call-arg]


async def test_closing_ends_what_is_under_way(fake: FakeLastFm, clock: WallClock) -> None:
    async with connect(fake, clock) as client:
        fake.break_next(Fault.hang())
        asker = asyncio.create_task(client.find(READING))
        await asyncio.sleep(0.05)
    with pytest.raises(asyncio.CancelledError):
        await asker
