"""Questions over a real client, a real catalogue and the loopback Last.fm."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from core.domain import Ambiguous, AudioFeatures, Candidate, Found, NotFound, Reading, Song, SongName, SongQuery
from core.errors import UpstreamUnavailable
from core.lookup.catalogue import Catalogue
from core.lookup.catalogue_build import write_catalogue
from core.lookup.dataset import CatalogueEntry
from core.lookup.lastfm import LastFm
from core.lookup.lastfm_client import RetryPolicy
from core.lookup.normalise import base_title
from core.lookup.recorded import CATALOGUE_SOURCE, CatalogueSource
from core.lookup.resolver import SongResolver
from core.query import parse_query
from tests.fakes.lastfm_server import API_KEY, FakeArtist, FakeLastFm, FakeSong, Fault

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
            if catalogue is not None:
                catalogue.close()


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


async def test_a_failure_for_the_likeliest_name_is_not_answered_by_another_song() -> None:
    """The right record does not answer, and somebody once scrobbled it the wrong way round."""
    async with resolving(None, FakeSong("Beyoncé", "Halo", 45)) as (resolver, _):
        source = resolver.source
        find = source.find

        async def failing(reading: Reading, *, fresh: bool = False) -> Found | None:
            if reading.title == "Halo":
                raise UpstreamUnavailable("timed out")
            return await find(reading, fresh=fresh)

        source.find = failing  # type: ignore[method-assign]
        with pytest.raises(UpstreamUnavailable):
            await resolver.resolve(parse_query("Halo - Beyoncé"))


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


BARBIE = FakeSong('What Was I Made For? [From the Motion Picture "Barbie"]', "Billie Eilish", 1_354_956, 20_553_072)
BARBIE_PLAIN = FakeSong("What Was I Made For?", "Billie Eilish", 23_021, 218_133)
CATCH = FakeSong("Can’t Catch Me Now - from The Hunger Games", "Olivia Rodrigo", 581_934, 9_321_133)
CATCH_PLAIN = FakeSong("Can’t Catch Me Now", "Olivia Rodrigo", 3_934, 27_417)
WORLD = FakeSong("Barbie World (with Aqua)", "Nicki Minaj", 170_751, 935_076)
WORLD_PLAIN = FakeSong("Barbie World", "Nicki Minaj", 517, 5_051)
AGAIN = FakeSong("See You Again (feat. Charlie Puth)", "Wiz Khalifa", 1_600_000, 15_000_000)
AGAIN_PLAIN = FakeSong("See You Again", "Wiz Khalifa", 22_178, 120_149)
KALI = FakeSong("See You Again (feat. Kali Uchis)", "Tyler, The Creator", 2_414_552, 53_041_556)
SPLIT = (BARBIE, BARBIE_PLAIN, CATCH, CATCH_PLAIN, WORLD, WORLD_PLAIN, AGAIN, AGAIN_PLAIN, KALI)


def catalogue_of(folder: Path, *entries: CatalogueEntry) -> Catalogue:
    path = folder / "catalogue.sqlite"
    write_catalogue(entries, path, source="test", rows_read=len(entries))
    return Catalogue.open(path)


@pytest.mark.parametrize("with_catalogue", [True, False])
@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("What Was I Made For? - Billie Eilish", BARBIE),
        ("Can't Catch Me Now by Olivia Rodrigo", CATCH),
        ("Can’t Catch Me Now - Olivia Rodrigo", CATCH),
        ("Barbie World - Nicki Minaj", WORLD),
        ("Barbie World - Nicki Minaj & Ice Spice", WORLD),
        ("See You Again - Wiz Khalifa feat. Charlie Puth", AGAIN),
        ("Wiz Khalifa - See You Again", AGAIN),
        ("Barbie World", WORLD),
    ],
)
async def test_the_record_that_most_people_play_answers(
    tmp_path: Path, text: str, heard: FakeSong, with_catalogue: bool
) -> None:
    known = catalogue_of(tmp_path, entry("See You Again (feat. Charlie Puth)", "Wiz Khalifa", 82))
    if not with_catalogue:
        known.close()
    async with resolving(known if with_catalogue else None, *SPLIT) as (resolver, _):
        found = await resolver.resolve(parse_query(text))
    assert isinstance(found, Found)
    assert (found.song.title, found.song.listeners) == (heard.title, heard.listeners)


async def test_a_record_twice_as_heard_is_enough() -> None:
    plain, other = FakeSong("Lake", "The Keels", 1_000), FakeSong("Lake (feat. Moor)", "The Keels", 2_000)
    async with resolving(None, plain, other) as (resolver, _):
        found = await resolver.resolve(parse_query("Lake - The Keels"))
    assert isinstance(found, Found)
    assert found.song.listeners == 2_000


@pytest.mark.parametrize("version", ["Lake (Moor Remix)", "Lake - Live", "Lake (Acoustic)"])
async def test_another_recording_is_another_song_however_much_it_is_heard(version: str) -> None:
    plain, other = FakeSong("Lake", "The Keels", 100_000), FakeSong(version, "The Keels", 900_000)
    async with resolving(None, plain, other) as (resolver, _):
        asked_plainly = await resolver.resolve(parse_query("Lake - The Keels"))
        asked_in_full = await resolver.resolve(parse_query(f"{version} - The Keels"))
    assert isinstance(asked_plainly, Found)
    assert isinstance(asked_in_full, Found)
    assert (asked_plainly.song.title, asked_in_full.song.title) == ("Lake", version)


async def test_a_version_typed_in_full_wins_over_a_song_twenty_times_as_heard() -> None:
    live = FakeSong("Lake - Live", "The Keels", 900)
    decorated = FakeSong("Lake - Live (feat. Moor)", "The Keels", 1_500)
    async with resolving(None, FakeSong("Lake", "The Keels", 900_000), live, decorated) as (resolver, _):
        found = await resolver.resolve(parse_query("Lake - Live - The Keels"))
    assert isinstance(found, Found)
    assert found.song.title == decorated.title


LAKE = FakeSong("Lake", "The Keels", 900_000)


@pytest.mark.parametrize("title", ["Lake", "The Lake beneath the Northern Lighthouse on the Moor"])
@pytest.mark.parametrize("version", ["{} - Live", "{} (Moor Remix)", "{} - Acoustic"])
async def test_a_version_typed_in_full_wins_over_the_song_that_the_catalogue_knows(
    tmp_path: Path, title: str, version: str
) -> None:
    known = catalogue_of(tmp_path, entry(title, "The Keels", 80))
    asked = FakeSong(version.format(title), "The Keels", 300)
    async with resolving(known, FakeSong(title, "The Keels", 900_000), asked) as (resolver, _):
        found = await resolver.resolve(parse_query(f"{asked.title} - The Keels"))
    assert isinstance(found, Found)
    assert found.song.title == asked.title


@pytest.mark.parametrize("edit", ["Lake (Edit)", "Lake - Long Version", "Lake - Original Single Version"])
@pytest.mark.parametrize("text", ["Lake - The Keels", "The Keels - Lake", "lake the keels", "Laek - The Keels"])
async def test_a_song_of_which_the_catalogue_knows_an_edit_alone_is_found(tmp_path: Path, edit: str, text: str) -> None:
    known = catalogue_of(tmp_path, entry(edit, "The Keels", 60))
    async with resolving(known, LAKE) as (resolver, _):
        found = await resolver.resolve(parse_query(text))
    assert isinstance(found, Found)
    assert found.song.title == "Lake"


async def test_another_song_of_the_artist_is_no_misspelling_however_much_it_is_heard(tmp_path: Path) -> None:
    known = catalogue_of(tmp_path, entry("Una Locura", "Ozuna", 76))
    locura, flor = FakeSong("Una Locura", "Ozuna", 82_638), FakeSong("Una Flor", "Ozuna", 2_274)
    async with resolving(known, locura, flor) as (resolver, _):
        found = await resolver.resolve(parse_query("Una Flor - Ozuna"))
    assert isinstance(found, Found)
    assert found.song.title == "Una Flor"


async def test_the_catalogue_answers_for_a_song_that_the_source_lacks(tmp_path: Path) -> None:
    known = catalogue_of(tmp_path, entry("Lake (Edit)", "The Keels", 60))
    async with resolving(known, BLINDING) as (resolver, _):
        resolver = replace(resolver, fallback=CatalogueSource(None, known, resolver.worker))
        asked = await resolver.resolve(parse_query("Lake - The Keels"))
        picked = await resolver.fetch(SongName("Lake (Edit)", "The Keels"))
        unknown = await resolver.resolve(parse_query("Moor - The Reeds"))
        other = await resolver.resolve(parse_query("Lake - KR Ver. - The Keels"))
    assert isinstance(asked, Found)
    assert picked is not None
    assert {asked.song.title, picked.song.title} == {"Lake (Edit)"}
    assert {asked.source, picked.source} == {CATALOGUE_SOURCE}
    assert isinstance(unknown, NotFound)
    assert isinstance(other, NotFound)


async def test_a_song_known_under_its_plain_title_is_searched_for_only_if_little_heard(tmp_path: Path) -> None:
    known = catalogue_of(tmp_path, entry("Lake", "The Keels", 60), entry("Moor", "The Keels", 60))
    lake, moor = FakeSong("Lake", "The Keels", 60_000), FakeSong("Moor", "The Keels", 400)
    moor_heard = FakeSong("Moor - From the film", "The Keels", 30_000)
    keels = FakeArtist("The Keels", 1_000_000, 9_000_000)
    async with resolving(known, lake, moor, moor_heard, artists=[keels]) as (resolver, fake):
        found = await resolver.resolve(parse_query("Lake - The Keels"))
        assert isinstance(found, Found)
        assert (found.song.title, fake.count("track.search")) == ("Lake", 0)
        found = await resolver.resolve(parse_query("Moor - The Keels"))
        assert isinstance(found, Found)
        assert (found.song.title, fake.count("track.search")) == (moor_heard.title, 1)
        asked = len(fake.requests)
        assert await resolver.resolve(parse_query("Moor - The Keels")) == found
        assert len(fake.requests) == asked


async def test_the_record_at_hand_answers_when_the_search_for_others_fails(tmp_path: Path) -> None:
    known = catalogue_of(tmp_path, entry("See You Again", "Wiz Khalifa", 82))
    khalifa = FakeArtist("Wiz Khalifa", 3_000_000, 90_000_000)
    async with resolving(known, AGAIN, AGAIN_PLAIN, artists=[khalifa]) as (resolver, fake):
        fake.break_next(Fault.status(500), method="track.search")
        found = await resolver.resolve(parse_query("See You Again - Wiz Khalifa"))
        fake.mend()
        later = await resolver.fetch(SongName("See You Again", "Wiz Khalifa"))
    assert isinstance(found, Found)
    assert found.song.listeners == AGAIN_PLAIN.listeners
    assert later is not None
    assert later.song.listeners == AGAIN.listeners


async def test_a_title_the_source_decorates_is_found_by_search(tmp_path: Path) -> None:
    known = catalogue_of(tmp_path, entry("Scandalous", "Gryffin", 63))
    scandalous = FakeSong("Scandalous (with Tinashe)", "Gryffin", 40_000)
    async with resolving(known, scandalous) as (resolver, fake):
        found = await resolver.resolve(parse_query("Scandalous - Gryffin"))
        by_title = await resolver.resolve(parse_query("Scandalous"))
        assert fake.count("track.search") == 2
    assert isinstance(found, Found)
    assert found.song.title == "Scandalous (with Tinashe)"
    assert isinstance(by_title, Found)
    assert by_title.song == found.song


async def test_a_song_the_source_credits_to_two_is_found_by_search(tmp_path: Path) -> None:
    known = catalogue_of(tmp_path, entry("Scandalous (with Tinashe)", "Gryffin", 63))
    async with resolving(known, FakeSong("Scandalous", "Gryffin & Tinashe", 40_000)) as (resolver, _):
        found = await resolver.resolve(parse_query("Scandalous - Gryffin"))
    assert isinstance(found, Found)
    assert found.song.artist == "Gryffin & Tinashe"


@pytest.mark.parametrize("text", ["Scandalous - Gryffin", "Gryffin - Scandalous", "scandalous gryfin"])
async def test_a_song_that_is_missing_is_not_named_as_its_own_likeness(tmp_path: Path, text: str) -> None:
    known = catalogue_of(tmp_path, entry("Scandalous (with Tinashe)", "Gryffin", 63), entry("Caught Up", "Gryffin", 40))
    remix = FakeSong("Scandalous - Rework", "Gryffin", 9_000)
    async with resolving(known, FakeSong("Caught Up", "Gryffin", 900), remix) as (resolver, _):
        missing = await resolver.resolve(parse_query(text))
    assert isinstance(missing, NotFound)
    assert missing.suggestions
    assert not any(base_title(name.title) == "scandalous" and "with" in name.title for name in missing.suggestions)


async def test_a_ghost_is_not_named_as_its_own_likeness() -> None:
    misspelling = FakeSong("Sex Memories", "The Keels", 105, 400, album="", duration_ms=0, tags=())
    keels = FakeArtist("The Keels", 4_000_000, 90_000_000)
    async with resolving(None, misspelling, FakeSong("Memories", "The Keels", 5_000), artists=[keels]) as (resolver, _):
        missing = await resolver.resolve(parse_query("Sex Memories - The Keels"))
    assert isinstance(missing, NotFound)
    assert "Sex Memories" not in [name.title for name in missing.suggestions]
