import json
import os
from pathlib import Path

import pytest

from core.domain import SongName
from core.lookup.art_search import ArtResult, RateLimited, SearchFailed, best_cover, parse_deezer, parse_itunes
from tests.fakes.art_server import deezer_track, itunes_song

SMALL = "https://is1-ssl.mzstatic.com/image/thumb/Music/v4/ab/cd/source/100x100bb.jpg"


def body(payload):
    return json.dumps(payload).encode()


def test_itunes_gives_names_and_large_covers():
    results = parse_itunes(200, body({"resultCount": 1, "results": [itunes_song("Hello", "Adele", SMALL)]}))
    assert results == (ArtResult(SongName("Hello", "Adele"), SMALL.replace("100x100bb", "600x600bb")),)


def test_itunes_may_begin_with_blank_lines():
    assert parse_itunes(200, b'\n\n\n{"resultCount":0,"results":[]}') == ()


@pytest.mark.parametrize("status", [403, 429])
def test_itunes_limits_with_an_empty_body(status):
    with pytest.raises(RateLimited):
        parse_itunes(status, b"")


@pytest.mark.parametrize("raw", [b"<html>", b"", b"\xff\xfe", b"[" * 100_000])
@pytest.mark.parametrize("parse", [parse_itunes, parse_deezer])
def test_garbage_is_a_failed_search(parse, raw):
    with pytest.raises(SearchFailed, match="garbled"):
        parse(200, raw)


@pytest.mark.parametrize(
    "raw", [b"null", b"[]", b"{}", b'{"results": null, "data": {}}', b'{"results":[1],"data":[1]}']
)
@pytest.mark.parametrize("parse", [parse_itunes, parse_deezer])
def test_json_of_another_shape_holds_nothing(parse, raw):
    assert parse(200, raw) == ()


def test_deezer_gives_names_and_covers():
    art = "https://cdn-images.dzcdn.net/images/cover/abc/500x500-000000-80-0-0.jpg"
    results = parse_deezer(200, body({"data": [deezer_track("Hello", "Adele", art)], "total": 1}))
    assert results == (ArtResult(SongName("Hello", "Adele"), art),)


def test_deezer_quota_comes_with_status_200():
    with pytest.raises(RateLimited):
        parse_deezer(200, body({"error": {"type": "Exception", "message": "Quota limit exceeded", "code": 4}}))


def test_deezer_other_errors_do_not_pause():
    with pytest.raises(SearchFailed) as caught:
        parse_deezer(200, body({"error": {"type": "DataException", "message": "no data", "code": 800}}))
    assert not isinstance(caught.value, RateLimited)


def test_deezer_blank_hash_is_no_cover():
    art = "https://cdns-images.dzcdn.net/images/cover//500x500-000000-80-0-0.jpg"
    assert parse_deezer(200, body({"data": [deezer_track("Hello", "Adele", art)]})) == ()


def found(*names):
    return tuple(ArtResult(SongName(title, artist), f"{place}") for place, (title, artist) in enumerate(names))


@pytest.mark.parametrize(
    ("title", "artist", "results", "chosen"),
    [
        ("Hello", "Adele", [("Hello", "Lionel Richie"), ("Hello", "Adele")], "1"),
        ("Hello", "Adele", [("Hello Again", "Adele"), ("Hello", "Adele")], "1"),
        ("Levitating", "Dua Lipa", [("Levitating (feat. DaBaby)", "Dua Lipa")], "0"),
        ("Halo", "Beyonce", [("Halo", "Beyoncé")], "0"),
        ("夜に駆ける", "YOASOBI", [("群青", "YOASOBI"), ("夜に駆ける", "YOASOBI")], "1"),
        ("Hello", "Adele", [("Hello (Live)", "Adele"), ("Hello", "Adele")], "1"),
        ("Hello", "Adele", [("Hello", "Karaoke Hits")], None),
        ("Hello", "Adele", [("Skyfall", "Adele")], None),
        ("Hello", "Adele", [], None),
    ],
)
def test_chooses_the_song_that_is_meant(title, artist, results, chosen):
    assert best_cover(SongName(title, artist), found(*results)) == chosen


@pytest.fixture
def recorded():
    folder = os.environ.get("RECORDED_DIR")
    if not folder:
        pytest.skip("RECORDED_DIR is not set")
    return Path(folder) / "art"


@pytest.mark.recorded
def test_recorded_itunes(recorded):
    results = parse_itunes(200, (recorded / "itunes_search_song_dua_lipa.json").read_bytes())
    chosen = best_cover(SongName("Levitating", "Dua Lipa"), results)
    assert chosen is not None
    assert chosen.endswith("/600x600bb.jpg")
    assert len(parse_itunes(200, (recorded / "itunes_search_song_jack_johnson.json").read_bytes())) > 5
    assert parse_itunes(200, (recorded / "itunes_search_empty.json").read_bytes()) == ()
    with pytest.raises(RateLimited):
        parse_itunes(403, (recorded / "itunes_rate_limited_403.txt").read_bytes())


@pytest.mark.recorded
def test_recorded_deezer(recorded):
    results = parse_deezer(200, (recorded / "deezer_search_track_25_of_31.json").read_bytes())
    assert len(results) == 25
    chosen = best_cover(SongName("Movement in Green", "Nobuo Uematsu"), results)
    assert chosen is not None
    assert "dzcdn.net" in chosen
    blank = parse_deezer(200, (recorded / "deezer_search_track_one_hit_blank_artist_picture.json").read_bytes())
    assert best_cover(SongName("Zeitgeist", "Calcou"), blank) is not None
    with pytest.raises(RateLimited):
        parse_deezer(200, (recorded / "deezer_error_quota_http200.json").read_bytes())
