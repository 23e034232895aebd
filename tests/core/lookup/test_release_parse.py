import json
import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from core.domain import SongName
from core.errors import UpstreamError, UpstreamGarbled, UpstreamUnavailable
from core.lookup.release_parse import (
    Listing,
    RateLimited,
    deezer_params,
    itunes_params,
    musicbrainz_params,
    parse_deezer,
    parse_deezer_day,
    parse_itunes,
    parse_musicbrainz,
    release_of,
    same_recording,
)
from tests.fakes.release_server import Record, deezer_track, itunes_song, musicbrainz_recording

SMALL = "https://is1-ssl.mzstatic.com/image/thumb/Music/v4/ab/cd/source/100x100bb.jpg"
COVER = "https://cdn-images.dzcdn.net/images/cover/abc/500x500-000000-80-0-0.jpg"
HELLO = Record(title="Hello", artist="Adele", album="25", released="2015-11-20", duration_ms=295_000)
PARSERS = [parse_itunes, parse_deezer, parse_musicbrainz]


def body(payload):
    return json.dumps(payload).encode()


def itunes(*items):
    return parse_itunes(b"\n\n\n" + body({"resultCount": len(items), "results": items}))


def deezer(*items):
    return parse_deezer(body({"data": items, "total": len(items)}))


def musicbrainz(*items):
    return parse_musicbrainz(body({"count": len(items), "recordings": items}))


def test_itunes_gives_day_album_large_cover_and_facts():
    item = itunes_song(HELLO) | {"artworkUrl100": SMALL, "trackExplicitness": "explicit"}
    assert itunes(item) == (
        Listing(
            name=SongName("Hello", "Adele"),
            album="25",
            released=date(2015, 11, 20),
            cover_url=SMALL.replace("100x100bb", "600x600bb"),
            explicit=True,
            duration_ms=295_000,
            link="https://music.apple.com/us/album/x/1?i=1",
        ),
    )


@pytest.mark.parametrize(
    ("changes", "attribute", "value"),
    [
        ({"collectionName": "Hello - Single"}, "album", "Hello"),
        ({"collectionName": "Songs - EP"}, "album", "Songs"),
        ({"collectionName": ""}, "album", None),
        ({"collectionName": "Best of 2015"}, "compilation", True),
        ({"collectionArtistName": "Various Artists"}, "compilation", True),
        ({"trackExplicitness": "cleaned"}, "explicit", None),
        ({"trackExplicitness": "notExplicit"}, "explicit", False),
        ({"releaseDate": "0001-01-01T00:00:00Z"}, "released", None),
        ({"releaseDate": 20151120}, "released", None),
        ({"trackTimeMillis": -1}, "duration_ms", None),
        ({"trackTimeMillis": True}, "duration_ms", None),
        ({"trackTimeMillis": 10**12}, "duration_ms", None),
        ({"artworkUrl100": "javascript:alert(1)"}, "cover_url", None),
        ({"trackViewUrl": "https://x/ y"}, "link", None),
        ({"collectionName": "25\u202e\n"}, "album", "25"),
    ],
)
def test_itunes_says_what_it_knows_and_nothing_else(changes, attribute, value):
    (listing,) = itunes(itunes_song(HELLO) | changes)
    assert getattr(listing, attribute) == value


@pytest.mark.parametrize("changes", [{"kind": "music-video"}, {"trackName": None}, {"artistName": ""}])
def test_itunes_entries_that_are_no_song_are_left_out(changes):
    assert itunes(itunes_song(HELLO) | changes) == ()


def test_deezer_gives_album_cover_and_facts_but_no_day():
    (found,) = deezer(deezer_track(HELLO, 12) | {"album": {"id": 5, "title": "25", "cover_big": COVER}})
    assert (found.track_id, found.album_id) == (12, 5)
    assert found.listing == Listing(
        name=SongName("Hello", "Adele"),
        album="25",
        cover_url=COVER,
        explicit=False,
        duration_ms=295_000,
        link="https://www.deezer.com/track/12",
    )


@pytest.mark.parametrize(
    ("code", "mark", "explicit"),
    [(0, False, False), (1, True, True), (2, False, None), (3, False, None), (6, False, None), (4, True, True),
     (None, True, True), (None, False, False), (None, "yes", None)],
)  # fmt: skip
def test_deezer_codes_that_say_nothing_are_unknown(code, mark, explicit):
    (found,) = deezer(deezer_track(HELLO) | {"explicit_content_lyrics": code, "explicit_lyrics": mark})
    assert found.listing.explicit is explicit


def test_deezer_version_apart_from_the_title_is_a_note():
    (found,) = deezer(deezer_track(HELLO) | {"title": "Hello", "title_version": "(Live)"})
    assert found.listing.note == "(Live)"
    assert same_recording(SongName("Hello", "Adele"), [found.listing]) == ()


def test_deezer_blank_hash_is_no_cover():
    blank = "https://cdns-images.dzcdn.net/images/cover//500x500-000000-80-0-0.jpg"
    (found,) = deezer(deezer_track(HELLO) | {"album": {"title": "25", "cover_big": blank}})
    assert found.listing.cover_url is None


def test_deezer_tracks_without_a_number_are_left_out():
    assert deezer(deezer_track(HELLO) | {"id": "12"}, deezer_track(HELLO) | {"id": 0}) == ()


@pytest.mark.parametrize(
    ("track", "day"),
    [
        ({"release_date": "2015-11-20"}, date(2015, 11, 20)),
        ({"release_date": "2020-01-01", "album": {"release_date": "2015-11-20"}}, date(2015, 11, 20)),
        ({"release_date": "0000-00-00"}, None),
        ({}, None),
        ({"error": {"type": "DataException", "message": "no data", "code": 800}}, None),
    ],
)
def test_deezer_day_is_in_the_track(track, day):
    assert parse_deezer_day(body(track)) == day


@pytest.mark.parametrize("parse", [parse_deezer, parse_deezer_day])
@pytest.mark.parametrize(("code", "limited"), [(4, True), (700, False), (None, False), ({}, False)])
def test_deezer_errors_come_with_status_200(parse, code, limited):
    with pytest.raises(UpstreamUnavailable) as caught:
        parse(body({"error": {"type": "Exception", "message": "Quota limit exceeded", "code": code}}))
    assert isinstance(caught.value, RateLimited) is limited


def test_deezer_knowing_nothing_is_no_error():
    assert parse_deezer(body({"error": {"type": "DataException", "message": "no data", "code": 800}})) == ()


def test_musicbrainz_gives_day_album_and_length():
    assert musicbrainz(musicbrainz_recording(HELLO, 10)) == (
        Listing(
            name=SongName("Hello", "Adele"),
            credits=("Adele",),
            album="25",
            released=date(2015, 11, 20),
            duration_ms=295_000,
            link="https://musicbrainz.org/recording/0000000a",
        ),
    )


@pytest.mark.parametrize(("text", "day"), [("2015", date(2015, 7, 1)), ("2015-10", date(2015, 10, 1)), ("", None)])
def test_musicbrainz_days_may_be_years_or_months(text, day):
    (listing,) = musicbrainz(musicbrainz_recording(HELLO) | {"first-release-date": text, "releases": []})
    assert listing.released == day


def test_a_bare_year_gives_way_to_a_day_in_it():
    days = [release("25", "2015-11-20"), release("25", "2015")]
    vague = musicbrainz_recording(HELLO) | {"first-release-date": "2015", "releases": []}
    exact = musicbrainz_recording(HELLO) | {"first-release-date": "2015", "releases": days}
    (one,), (other,) = musicbrainz(vague), musicbrainz(exact)
    assert (one.released, one.vague) == (date(2015, 7, 1), True)
    assert (other.released, other.vague) == (date(2015, 11, 20), False)
    shop = replace(other, album="25 (the shop's)")
    name = SongName("Hello", "Adele")
    for told in ((one, shop), (shop, one)):
        assert release_of(name, told) == release_of(name, [shop])
    assert release_of(name, [one, replace(shop, released=date(2016, 1, 1))]).released == date(2015, 7, 1)


def test_musicbrainz_credits_are_joined_and_taken_apart():
    credit = [{"name": "Queen", "joinphrase": " & "}, {"name": "David Bowie"}]
    (listing,) = musicbrainz(musicbrainz_recording(HELLO) | {"artist-credit": credit})
    assert (listing.name.artist, listing.credits) == ("Queen & David Bowie", ("Queen", "David Bowie"))


def release(title, day, *kinds, status="Official"):
    return {"title": title, "date": day, "status": status, "release-group": {"secondary-types": list(kinds)}}


def test_musicbrainz_album_is_the_earliest_official_one_that_is_no_compilation():
    releases = [
        release("Bootleg", "2001", status="Bootleg"),
        release("Hits of the Year", "2014-12-31", "Compilation"),
        release("Late", "2016-01-01"),
        release("25", "2015-11-20"),
    ]
    (listing,) = musicbrainz(musicbrainz_recording(HELLO) | {"releases": releases, "first-release-date": None})
    assert (listing.album, listing.compilation, listing.released) == ("25", False, date(2014, 12, 31))


def test_musicbrainz_bootlegs_and_videos_are_left_out():
    bootleg = musicbrainz_recording(HELLO) | {"releases": [release("A concert", "1996-08-14", status="Bootleg")]}
    assert musicbrainz(bootleg, musicbrainz_recording(HELLO) | {"video": True}) == ()


def test_musicbrainz_recordings_of_concerts_are_noted():
    noted = musicbrainz_recording(HELLO) | {"disambiguation": "live, 1996-08-14: Great Woods"}
    only_live = musicbrainz_recording(HELLO) | {"releases": [release("At Home", "2016", "Live")]}
    both = musicbrainz_recording(HELLO) | {"releases": [release("At Home", "2016", "Live"), release("25", "2015")]}
    assert same_recording(SongName("Hello", "Adele"), musicbrainz(noted, only_live)) == ()
    assert len(same_recording(SongName("Hello", "Adele"), musicbrainz(both))) == 1


@pytest.mark.parametrize("raw", [b"<html>", b"", b"\xff\xfe", b"[" * 100_000, b"null", b"[]", b'"x"', b"NaN"])
@pytest.mark.parametrize("parse", [*PARSERS, parse_deezer_day])
def test_what_is_no_object_is_garbled(parse, raw):
    with pytest.raises(UpstreamGarbled):
        parse(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"{}",
        b'{"results": null, "data": {}, "recordings": 3}',
        b'{"results": [1], "data": [1], "recordings": [1]}',
        b'{"results": [{"trackName": {}, "artistName": 1e999}], "data": [{"id": 1, "artist": []}],'
        b' "recordings": [{"title": "x", "artist-credit": [{"name": {}}], "releases": [{"status": []}]}]}',
    ],
)
@pytest.mark.parametrize("parse", PARSERS)
def test_json_of_another_shape_holds_nothing(parse, raw):
    assert parse(raw) == ()


def test_errors_are_of_the_tree():
    assert issubclass(RateLimited, UpstreamError)


def test_questions_name_first_artist_and_plain_title():
    name = SongName('Say "Hello" (feat. X) - 2011 Remaster', "Adele feat. Y")
    assert itunes_params(name)["term"] == 'Adele Say "Hello"'
    assert deezer_params(name)["q"] == 'artist:"Adele" track:"Say Hello"'
    assert musicbrainz_params(name)["query"] == 'recording:"Say Hello" AND artist:"Adele" AND status:official'
    assert musicbrainz_params(SongName("a\\", "b\\"))["query"].count("\\") == 0


@pytest.fixture
def recorded():
    folder = os.environ.get("RECORDED_DIR")
    if not folder:
        pytest.skip("RECORDED_DIR is not set")
    return Path(folder)


@pytest.mark.recorded
def test_recorded_itunes(recorded):
    listings = parse_itunes((recorded / "art" / "itunes_search_song_dua_lipa.json").read_bytes())
    same = same_recording(SongName("Levitating", "Dua Lipa"), listings)
    assert min(listing.released for listing in same) == date(2020, 3, 27)
    assert all(listing.cover_url.endswith("/600x600bb.jpg") for listing in same)
    assert len(parse_itunes((recorded / "art" / "itunes_search_song_jack_johnson.json").read_bytes())) > 5
    assert parse_itunes((recorded / "art" / "itunes_search_empty.json").read_bytes()) == ()


@pytest.mark.recorded
def test_recorded_deezer(recorded):
    found = parse_deezer((recorded / "art" / "deezer_search_track_25_of_31.json").read_bytes())
    assert len(found) == 25
    same = same_recording(SongName("Movement in Green", "Nobuo Uematsu"), [one.listing for one in found])
    assert same
    assert "dzcdn.net" in same[0].cover_url
    (blank,) = parse_deezer((recorded / "art" / "deezer_search_track_one_hit_blank_artist_picture.json").read_bytes())
    assert same_recording(SongName("Zeitgeist", "Calcou"), [blank.listing]) == (blank.listing,)
    with pytest.raises(RateLimited):
        parse_deezer((recorded / "art" / "deezer_error_quota_http200.json").read_bytes())
    assert parse_deezer_day((recorded / "release" / "deezer_track.json").read_bytes()) == date(2022, 4, 4)


@pytest.mark.recorded
def test_recorded_musicbrainz(recorded):
    raw = (recorded / "release" / "musicbrainz_recording_search_shortened.json").read_bytes()
    assert json.loads(raw)["recordings"]
    assert parse_musicbrainz(raw) == (), "the one recording is a bootleg"
