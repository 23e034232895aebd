from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain import Reading
from core.links import read_link, split_links


@pytest.mark.parametrize(
    ("link", "reading"),
    [
        ("https://www.last.fm/music/The+Weeknd/_/Blinding+Lights", Reading("Blinding Lights", "The Weeknd")),
        ("last.fm/music/The+Weeknd/_/Blinding+Lights", Reading("Blinding Lights", "The Weeknd")),
        ("https://www.last.fm/de/music/AC%2FDC/_/Back+in+Black", Reading("Back in Black", "AC/DC")),
        ("https://www.last.fm/music/AC%252FDC/Back+in+Black/Shoot+to+Thrill", Reading("Shoot to Thrill", "AC/DC")),
        ("https://www.last.fm/music/Adele/_/Hello/+tags", Reading("Hello", "Adele")),
        ("https://www.last.fm/user/rj/library/music/Adele/_/Hello", Reading("Hello", "Adele")),
        (
            "https://www.last.fm/music/YOASOBI/_/%E5%A4%9C%E3%81%AB%E9%A7%86%E3%81%91%E3%82%8B",
            Reading("夜に駆ける", "YOASOBI"),
        ),
        ("https://music.apple.com/us/song/blinding-lights/1488408568", Reading("blinding lights")),
        ("https://music.apple.com/us/album/blinding-lights/1488408555?i=1488408568", Reading("blinding lights")),
        ("https://soundcloud.com/theweeknd/blinding-lights", Reading("blinding lights", "theweeknd")),
        ("https://theweeknd.bandcamp.com/track/blinding-lights", Reading("blinding lights", "theweeknd")),
        ("https://www.shazam.com/track/497784632/blinding-lights", Reading("blinding lights")),
    ],
)
def test_addresses_that_name_the_song(link: str, reading: Reading) -> None:
    assert read_link(link).reading == reading


@pytest.mark.parametrize(
    ("link", "search"),
    [
        ("https://www.youtube.com/results?search_query=blinding+lights", "blinding lights"),
        ("https://music.youtube.com/search?q=blinding+lights", "blinding lights"),
        ("https://open.spotify.com/search/blinding%20lights", "blinding lights"),
        ("https://genius.com/The-weeknd-blinding-lights-lyrics", "The weeknd blinding lights"),
    ],
)
def test_addresses_that_hold_a_search(link: str, search: str) -> None:
    assert read_link(link).search == search


@pytest.mark.parametrize(
    ("link", "word"),
    [
        ("https://open.spotify.com/track/0VjIjW4GlUZAMYd2vXMi3b", "could not find out"),
        ("spotify:track:0VjIjW4GlUZAMYd2vXMi3b", "could not find out"),
        ("https://youtu.be/4NRXx6U8ABQ", "could not find out"),
        ("https://www.youtube.com/watch?v=4NRXx6U8ABQ", "could not find out"),
        ("https://music.apple.com/us/album/after-hours/1499378108", "album"),
        ("https://www.last.fm/music/The+Weeknd", "artist"),
        ("https://www.last.fm/music/The+Weeknd/After+Hours", "album"),
        ("https://tidal.com/track/126102208", "does not say which song"),
        ("https://example.com/music/The+Weeknd/_/Blinding+Lights", "does not say which song"),
        ("https://last.fm.evil.example/music/A/_/B", "does not say which song"),
        ("http://[::1", "does not say which song"),
        ("https://notlast.fm/music/A/_/B", "does not say which song"),
    ],
)
def test_addresses_that_tell_nothing_say_why(link: str, word: str) -> None:
    news = read_link(link)
    assert (news.reading, news.search) == (None, None)
    assert news.silence is not None
    assert word in news.silence


def test_links_are_parted_from_the_text_around_them() -> None:
    text = "hear (https://www.last.fm/music/Foo/_/Bar+(Live)), please. And www.last.fm/music/A/_/B!"
    links, rest = split_links(text)
    assert links == ["https://www.last.fm/music/Foo/_/Bar+(Live)", "www.last.fm/music/A/_/B"]
    assert rest == "hear ( ), please. And !"


def test_words_with_dots_are_no_links() -> None:
    assert split_links("Mr. Brightside vs. Feel Good Inc. a.b/c")[0] == []


@given(
    st.text(max_size=200),
    st.sampled_from(["https://last.fm/", "https://music.apple.com/", "https://youtube.com/?q=", ""]),
)
@settings(max_examples=300, deadline=None)
def test_no_address_raises(text: str, site: str) -> None:
    news = read_link(site + text)
    assert [news.reading, news.search, news.silence].count(None) == 2
