import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from core.domain import SongName
from core.errors import UpstreamGarbled
from core.lookup.lastfm_parse import (
    COUNT_MAX,
    TEXT_MAX_CHARS,
    error_code,
    parse_artist,
    parse_body,
    parse_count,
    parse_page_url,
    parse_search,
    parse_tags,
    parse_text,
    parse_top_tags,
    parse_top_tracks,
    parse_track,
)

STAR = "https://lastfm.freetls.fastly.net/i/u/300x300/2a96cbd8b46e442fc41c2b86b821562f.png"
ART = "https://lastfm.freetls.fastly.net/i/u/{}/00112233445566778899aabbccddeeff.png"


def track(**changes: Any) -> dict[str, Any]:
    record = {
        "name": "Harbour Lights",
        "url": "https://www.last.fm/music/The+Keels/_/Harbour+Lights",
        "duration": "187000",
        "streamable": {"#text": "0", "fulltrack": "0"},
        "listeners": "120345",
        "playcount": "980001",
        "artist": {"name": "The Keels", "url": "https://www.last.fm/music/The+Keels"},
        "album": {
            "artist": "The Keels",
            "title": "Tide",
            "image": [
                {"#text": ART.format("34s"), "size": "small"},
                {"#text": ART.format("300x300"), "size": "extralarge"},
                {"#text": ART.format("174s"), "size": "large"},
            ],
        },
        "toptags": {"tag": [{"name": "shanty", "url": "..."}, {"name": "folk", "url": "..."}]},
    }
    return {"track": {key: value for key, value in (record | changes).items() if value is not ...}}


def test_track_in_full() -> None:
    info = parse_track(track())
    assert (info.title, info.artist, info.album) == ("Harbour Lights", "The Keels", "Tide")
    assert (info.listeners, info.playcount, info.duration_ms) == (120345, 980001, 187000)
    assert info.tags == ("shanty", "folk")
    assert info.cover_url == ART.format("300x300")
    assert info.url == "https://www.last.fm/music/The+Keels/_/Harbour+Lights"
    assert info.artist_url == "https://www.last.fm/music/The+Keels"
    assert not info.is_bare


@pytest.mark.parametrize(
    ("value", "count"),
    [
        ("2275434", 2275434), (2275434, 2275434), (12.0, 12), ("0", 0), (" 7 ", 7), (None, None), ("", None),
        ("1.5", None), (1.5, None), ("-3", None), (-3, None), (True, None), ([], None), ({"#text": "5"}, None),
        (float("nan"), None), (float("inf"), None), ("٣", None), ("²", None), (COUNT_MAX + 1, None), ("9" * 5000, None),
    ],
)  # fmt: skip
def test_counts_come_in_many_types(value: object, count: int | None) -> None:
    assert parse_count(value) == count


@pytest.mark.parametrize("duration", ["0", 0, "", None, ..., "99999999999", "x", {"#text": "0"}])
def test_unknown_duration(duration: object) -> None:
    assert parse_track(track(duration=duration)).duration_ms is None


@pytest.mark.parametrize("nothing", ["", "\n", [], None, ..., {}, {"#text": "\n"}, {"#text": "\n", "artist": "X"}, 0])
def test_nothing_in_any_shape_is_no_tags(nothing: object) -> None:
    assert parse_track(track(toptags=nothing)).tags == ()
    assert parse_track(track(toptags={"tag": nothing})).tags == ()


def test_one_tag_comes_as_an_object() -> None:
    assert parse_track(track(toptags={"tag": {"name": "shanty", "url": "..."}})).tags == ("shanty",)


def test_tags_are_given_once_whatever_their_case() -> None:
    tags = [{"name": "Pop"}, {"name": "pop"}, {"name": ""}, {"url": "x"}, "pop", None, {"name": "K-pop", "count": 3}]
    assert parse_tags({"tag": tags}) == ("Pop", "K-pop")


@pytest.mark.parametrize("album", [..., None, "", "\n", {}, {"title": ""}, {"title": "\n"}, []])
def test_no_album(album: object) -> None:
    info = parse_track(track(album=album))
    assert info.album is None
    assert info.cover_url is None


@pytest.mark.parametrize(
    "images",
    [
        ...,
        None,
        "",
        [],
        [{"#text": "", "size": "extralarge"}],
        [{"#text": STAR, "size": "extralarge"}],
        [{"size": "extralarge"}],
        [{"#text": "http://userserve-ak.last.fm/serve/300x300/1.jpg", "size": "extralarge"}],
        [{"#text": None, "size": "large"}],
        [None, 3, "x"],
    ],
)
def test_no_real_picture(images: object) -> None:
    album = {"title": "Tide"} if images is ... else {"title": "Tide", "image": images}
    info = parse_track(track(album=album))
    assert info.album == "Tide"
    assert info.cover_url is None


def test_the_star_hides_no_real_picture_of_another_size() -> None:
    images = [{"#text": ART.format("64s"), "size": "medium"}, {"#text": STAR, "size": "extralarge"}]
    assert parse_track(track(album={"title": "Tide", "image": images})).cover_url == ART.format("64s")


def test_artist_may_be_a_plain_string() -> None:
    assert parse_track(track(artist="The Keels")).artist == "The Keels"


def test_a_ghost_is_bare() -> None:
    info = parse_track(track(album=..., duration="0", toptags={"tag": []}, listeners="2", playcount="4"))
    assert info.is_bare
    assert (info.listeners, info.playcount) == (2, 4)


@pytest.mark.parametrize(
    "payload", [{}, {"track": None}, {"track": []}, {"track": {}}, track(name=""), track(artist={}), {"artist": {}}]
)
def test_a_track_needs_title_and_artist(payload: dict[str, Any]) -> None:
    with pytest.raises(UpstreamGarbled):
        parse_track(payload)


def test_artist_in_full() -> None:
    info = parse_artist(
        {
            "artist": {
                "name": "The Keels",
                "url": "http://www.last.fm/music/The+Keels",
                "image": [{"#text": STAR, "size": "mega"}],
                "stats": {"listeners": "1688480", "playcount": 135692303},
                "similar": {"artist": {"name": "Anchor & Rope"}},
                "tags": {"tag": [{"name": "folk"}]},
            }
        }
    )
    assert (info.name, info.listeners, info.playcount) == ("The Keels", 1688480, 135692303)
    assert (info.tags, info.similar) == (("folk",), ("Anchor & Rope",))
    assert info.url == "https://www.last.fm/music/The+Keels"


def test_artist_without_stats_is_known_by_name_alone() -> None:
    info = parse_artist({"artist": {"name": "X", "stats": "", "tags": "\n", "similar": []}})
    assert (info.listeners, info.playcount, info.tags) == (None, None, ())


def test_an_artist_needs_a_name() -> None:
    with pytest.raises(UpstreamGarbled):
        parse_artist({"artist": {"stats": {"listeners": "1"}}})


def test_search_keeps_order_and_takes_both_forms_of_artist() -> None:
    hits = [
        {"name": "B", "artist": "X", "streamable": "FIXME", "listeners": "870", "image": []},
        {"name": "A", "artist": {"name": "Y"}, "streamable": {"#text": "0"}, "listeners": 9},
        {"name": "no artist", "artist": "", "listeners": "3"},
        {"artist": "no title"},
    ]
    found = parse_search({"results": {"trackmatches": {"track": hits}}})
    assert [(c.name, c.listeners, c.score) for c in found] == [
        (SongName("B", "X"), 870, 0.0),
        (SongName("A", "Y"), 9, 0.0),
    ]


@pytest.mark.parametrize("matches", [[], "", "\n", {"track": []}, {"track": ""}, {"#text": "\n"}, None])
def test_empty_search(matches: object) -> None:
    assert parse_search({"results": {"trackmatches": matches}}) == ()


@pytest.mark.parametrize("payload", [{}, {"results": None}, {"results": "x"}, {"tracks": {}}])
def test_a_search_needs_results(payload: dict[str, Any]) -> None:
    with pytest.raises(UpstreamGarbled):
        parse_search(payload)


def test_top_tags() -> None:
    assert parse_top_tags({"toptags": {"tag": [{"count": 100, "name": "rock"}], "@attr": {"artist": "X"}}}) == ("rock",)
    assert parse_top_tags({"toptags": {"#text": "\n", "artist": "X"}}) == ()
    with pytest.raises(UpstreamGarbled):
        parse_top_tags({"tags": {}})


def test_charts_give_seconds() -> None:
    page = parse_top_tracks(
        {
            "tracks": {
                "track": {"name": "A", "duration": "224", "listeners": "5", "artist": {"name": "X"}},
                "@attr": {"page": "1", "totalPages": "17"},
            }
        }
    )
    assert page.total_pages == 17
    assert [(t.title, t.artist, t.duration_ms, t.listeners, t.playcount) for t in page.tracks] == [
        ("A", "X", 224_000, 5, None)
    ]
    with pytest.raises(UpstreamGarbled):
        parse_top_tracks({"tracks": []})


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("http://www.last.fm/music/A", "https://www.last.fm/music/A"),
        ("https://last.fm/music/A", "https://last.fm/music/A"),
        ("https://www.last.fm/music/%E5%AE%87", "https://www.last.fm/music/%E5%AE%87"),
        ("https://example.com/music/A", None),
        ("https://www.last.fm.example.com/", None),
        ("https://evil-last.fm/", None),
        ("https://user@www.last.fm/", None),
        ("https://www.last.fm:8443/", None),
        ("https://www.last.fm:x/", None),
        ("javascript:alert(1)//www.last.fm", None),
        ("https://www.last.fm/\nmusic", None),
        ('https://www.last.fm/"><b>', None),
        ("https://[bad/", None),
        ("", None),
        (None, None),
        (5, None),
    ],
)
def test_only_pages_of_lastfm_are_linked(url: object, page: str | None) -> None:
    assert parse_page_url(url) == page


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("  Two \t words\n", "Two words"),
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("\u202eevil\u202c", "evil"),
        ("half \ud800 pair", "half pair"),
        ("क\u094d\u200dष", "क\u094d\u200dष"),
        (99, "99"),
        (None, ""),
        (True, ""),
        ({"#text": "x"}, ""),
    ],
)
def test_text_is_one_clean_line(value: object, text: str) -> None:
    assert parse_text(value) == text


def test_text_is_bounded() -> None:
    assert len(parse_text("x" * 1_000_000)) == TEXT_MAX_CHARS


def test_bodies() -> None:
    assert parse_body(b'{"a": 1}') == {"a": 1}
    assert parse_body(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}
    assert parse_body(b'<?xml version="1.0"?>\n<lfm status="failed">\n<error code="16">x</error></lfm>') == {
        "error": 16
    }


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\n<html><head>", "HTML"),
        (b"<!DOCTYPE html>", "HTML"),
        (b"<xml>NOT_VALID_JSON</xml>", "XML"),
        (b"", "empty"),
        (b"Internal Server Error", "text"),
        (b"[1, 2]", "text"),
        (b"jQuery1({error: 6});", "text"),
        (b"[" * 100_000, "text"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "text"),
        (b"\xff\xfe\x00", "text"),
    ],
)
def test_bodies_that_are_no_json_object(body: bytes, kind: str) -> None:
    with pytest.raises(UpstreamGarbled, match=kind):
        parse_body(body)


@pytest.mark.parametrize(
    ("payload", "code"),
    [({"track": {}}, None), ({"error": 6}, 6), ({"error": "29"}, 29), ({"error": None}, 0), ({"error": {}}, 0)],
)
def test_error_codes(payload: dict[str, Any], code: int | None) -> None:
    assert error_code(payload) == code


any_text = st.text(st.characters(exclude_categories=())) | st.builds("https://www.last.fm/{}".format, st.text())
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["name", "artist", "album", "image", "#text", "size", "tag", "track", "toptags", "tags", "stats", "url",
                 "listeners", "playcount", "duration", "title", "trackmatches", "@attr", "totalPages", "similar"]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)  # fmt: skip


@given(json_values)
def test_no_payload_crashes_a_parser(value: object) -> None:
    cases = [
        (parse_track, "track"), (parse_artist, "artist"), (parse_search, "results"),
        (parse_top_tags, "toptags"), (parse_top_tracks, "tracks"),
    ]  # fmt: skip
    for parse, key in cases:
        try:
            parsed = parse({key: value})
        except UpstreamGarbled:
            continue
        TypeAdapter(type(parsed)).dump_json(parsed)  # whatever was taken over can be stored and shown


RECORDED = os.environ.get("RECORDED_DIR")


def recorded(name: str) -> dict[str, Any]:
    return dict(parse_body((Path(RECORDED or "") / "lastfm" / name).read_bytes()))


@pytest.mark.recorded
@pytest.mark.skipif(not RECORDED, reason="RECORDED_DIR does not name the folder of recorded answers")
class TestRecorded:
    def test_no_recorded_body_crashes_a_parser(self) -> None:
        files = sorted((Path(RECORDED or "") / "lastfm").iterdir())
        assert len(files) > 90
        for file in files:
            for body in (file.read_bytes(), file.read_bytes()[: file.stat().st_size // 2]):
                try:
                    payload = parse_body(body)
                except UpstreamGarbled:
                    continue
                error_code(payload)
                for parse in (parse_track, parse_artist, parse_search, parse_top_tags, parse_top_tracks):
                    try:
                        parse(payload)
                    except UpstreamGarbled:
                        continue

    def test_every_json_file_is_read_and_every_other_is_not(self) -> None:
        for file in (Path(RECORDED or "") / "lastfm").iterdir():
            if file.suffix == ".json":
                assert parse_body(file.read_bytes()) == json.loads(file.read_bytes())
            elif file.suffix == ".xml":
                assert error_code(parse_body(file.read_bytes())) == 16
            else:
                with pytest.raises(UpstreamGarbled):
                    parse_body(file.read_bytes())

    def test_tracks(self) -> None:
        info = parse_track(recorded("track.getInfo__without_user_parameter.json"))
        assert (info.title, info.artist) == ("One Step Closer", "Linkin Park")
        assert (info.listeners, info.playcount, info.duration_ms) == (1315650, 11022708, 157000)
        assert info.album == "Road To Revolution: Live at Milton Keynes"
        assert info.tags[0] == "Nu Metal"
        assert info.cover_url is not None
        assert "300x300/1f922f8eb093037a30faa1c666a84c78" in info.cover_url

        misspelling = parse_track(recorded("track.getInfo__of_a_track_artist_that_doesnt_exist.json"))
        assert misspelling.is_bare
        assert misspelling.listeners == 2

        old = parse_track(recorded("jammus__track.getInfo_2010_id_field.json"))
        assert (old.album, old.duration_ms, old.listeners, old.cover_url) == ("HILLYH", 232000, 38019, None)
        assert old.url == "https://www.last.fm/music/The+Mae+Shi/_/Run+To+Your+Grave"
        assert len(old.tags) == 5

        assert parse_track(recorded("duhnnie__track.getInfo_noAlbum.json")).duration_ms == 302000

    def test_artists(self) -> None:
        figures = {
            "artist.getInfo__without_user_parameter.json": ("The Weeknd", 1688480, 135692303),
            "iflastfm__ArtistGetInfoSuccess.json": ("Frightened Rabbit", 513447, 16319896),
            "navidrome__artist.getinfo.empty.json": ("Legião Urbana", 740591, 44493504),
            "navidrome__artist.getinfo.json": ("U2", 3623538, 150387104),
            "sunsetscrob__artist.getInfo_aespa.json": ("aespa", 646792, 88649219),
            "tonlistarleit__mockArtistResponse.json": ("Deep Blue Something", 540185, 2963025),
        }
        for name, expected in figures.items():
            info = parse_artist(recorded(name))
            assert (info.name, info.listeners, info.playcount) == expected
            assert info.tags
            assert info.url

    def test_searches_tags_and_charts(self) -> None:
        hits = parse_search(recorded("airbag__track.search_2010_some_without_image.json"))
        assert (hits[0].name, hits[0].listeners) == (SongName("Airbag", "Radiohead"), 594122)
        assert len(hits) == 5
        assert parse_search(recorded("track.search__of_an_artist_track_that_doesnt_exist.json")) == ()
        assert len(parse_search(recorded("duhnnie__track.search.json"))) == 2

        assert parse_top_tags(recorded("track.getTopTags__ok.json"))[:2] == ("hard rock", "rock")
        assert parse_top_tags(recorded("iflastfm__ArtistGetTopTagsEmpty.json")) == ()

        chart = parse_top_tracks(recorded("chart.getTopTracks__ok.json"))
        assert (chart.tracks[0].title, chart.tracks[0].listeners, chart.tracks[0].playcount) == (
            "vampire", 417921, 5356360,
        )  # fmt: skip
        assert chart.tracks[0].duration_ms is None
        assert chart.total_pages == 3503455
        geo = parse_top_tracks(recorded("geo.getTopTracks__ok.json"))
        assert (geo.tracks[0].title, geo.tracks[0].duration_ms) == ("Mr. Brightside", 224_000)
        assert parse_top_tracks(recorded("tag.getTopTracks__of_a_tag_that_doesn_t_exist.json")).tracks == ()


def test_charts_leave_out_what_nobody_plays() -> None:
    tracks = [{"name": "Static", "artist": {"name": artist}, "listeners": "9"} for artist in ("[unknown]", "Unknown")]
    listed = parse_top_tracks({"tracks": {"track": tracks, "@attr": {"totalPages": "1"}}})
    assert [track.artist for track in listed.tracks] == ["Unknown"]
