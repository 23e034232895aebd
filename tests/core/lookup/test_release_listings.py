from datetime import date

import pytest

from core.domain import SongName
from core.lookup.release_parse import Listing, is_compilation, release_of, same_recording


def listed(title, artist="Adele", **more):
    return Listing(name=SongName(title, artist), **more)


def titles(name, *listings):
    return [listing.name.title for listing in same_recording(name, listings)]


HELLO = SongName("Hello", "Adele")


@pytest.mark.parametrize(
    ("title", "artist", "other"),
    [
        ("Hello", "Adele", listed("Hello", "Lionel Richie")),
        ("Hello", "Adele", listed("Skyfall")),
        ("Hello", "Adele", listed("Hello Again")),
        ("Hello", "Adele", listed("Hello (Live)")),
        ("Hello", "Adele", listed("Hello - Live at the Royal Albert Hall")),
        ("Hello", "Adele", listed("Hello (Karaoke Version)")),
        ("Hello", "Adele", listed("Hello", "Karaoke Hits")),
        ("Hello", "Adele", listed("Hello", "Adele Tribute Band")),
        ("Hello", "Adele", listed("Hello (Originally Performed by Adele)", "Party Tyme")),
        ("Hello", "Adele", listed("Hello (Originally Performed by Adele)")),
        ("Hello", "Adele", listed("Hello (In the Style of Adele)")),
        ("Hello", "Adele", listed("Hello (Marshmello Remix)")),
        ("Hello", "Adele", listed("Hello (Acoustic)")),
        ("Hello", "Adele", listed("Hello (Sped Up)")),
        ("Hello", "Adele", listed("Hello (Commentary)")),
        ("Hello", "Adele", listed("Hello", note="live, 1996-08-14: Great Woods (Boston), MA")),
        ("Hello", "Adele", listed("Hello", album="25 (Live)")),
        ("Hello", "Adele", listed("Hello", album="Karaoke: The Songs of Adele")),
        ("Hello (Live)", "Adele", listed("Hello")),
        ("Hello (A Remix)", "Adele", listed("Hello (Zedd Remix)")),
        ("Another Brick in the Wall, Pt. 2", "Pink Floyd", listed("Another Brick in the Wall, Pt. 1", "Pink Floyd")),
        ("Love Story (Taylor's Version)", "Taylor Swift", listed("Love Story", "Taylor Swift")),
        ("Love Story", "Taylor Swift", listed("Love Story (Taylor's Version)", "Taylor Swift")),
    ],
)
def test_another_song_or_version_never_matches(title, artist, other):
    assert same_recording(SongName(title, artist), [other]) == ()


@pytest.mark.parametrize(
    ("title", "artist", "same"),
    [
        ("Hello", "Adele", listed("HELLO")),
        ("Halo", "Beyonce", listed("Halo", "Beyoncé")),
        ("Levitating", "Dua Lipa", listed("Levitating (feat. DaBaby)", "Dua Lipa")),
        ("Bohemian Rhapsody", "Queen", listed("Bohemian Rhapsody - Remastered 2011", "Queen")),
        ("Bohemian Rhapsody - Remastered 2011", "Queen", listed("Bohemian Rhapsody", "Queen")),
        ("Under Pressure", "Queen", listed("Under Pressure", "Queen & David Bowie")),
        ("Under Pressure", "Queen & David Bowie", listed("Under Pressure", "Queen")),
        ("Shallow", "Lady Gaga", listed("Shallow", "Lady Gaga, Bradley Cooper")),
        ("Telephone", "Beyoncé", listed("Telephone", "Lady Gaga feat. Beyoncé", credits=("Lady Gaga", "Beyoncé"))),
        ("Snow (Hey Oh)", "Red Hot Chili Peppers", listed("Snow", "Red Hot Chili Peppers")),
        ("夜に駆ける", "YOASOBI", listed("夜に駆ける", "YOASOBI")),
        ("Hello (Live)", "Adele", listed("Hello - Live")),
        ("Live Forever", "Oasis", listed("Live Forever", "Oasis")),
        ("Hello", "Adele", listed("Hello", note="explicit")),
        ("Hello", "Adele", listed("Hello", album="Hello (Remixes)")),
        ("Roxanne", "The Police", listed("Roxanne", "Police")),
        ("Back in Black", "AC/DC", listed("Back In Black", "AC/DC")),
    ],
)
def test_the_same_recording_matches_however_it_is_written(title, artist, same):
    assert same_recording(SongName(title, artist), [same]) == (same,)


def test_with_the_very_title_listed_others_of_much_the_same_name_are_left_out():
    name = SongName("Fallin", "Alicia Keys")
    exact, near = listed("Fallin", "Alicia Keys"), listed("Falling", "Alicia Keys")
    assert same_recording(name, [near, exact]) == (exact,)
    assert same_recording(name, [near]) == (near,)


def test_the_release_has_the_earliest_day_and_the_album_of_it():
    found = release_of(
        HELLO,
        [
            listed("Hello", "Karaoke Hits", released=date(1999, 1, 1), album="Karaoke", cover_url="http://x/k"),
            listed("Hello", released=date(2021, 5, 1), album="25 (Deluxe)", cover_url="http://x/2", duration_ms=2),
            listed("Hello", released=date(2015, 10, 23), album="25", cover_url="http://x/1", duration_ms=1),
        ],
    )
    assert (found.released, found.album, found.cover_url, found.duration_ms) == (
        date(2015, 10, 23), "25", "http://x/1", 1,
    )  # fmt: skip


def test_a_compilation_gives_its_day_but_not_its_name():
    found = release_of(
        HELLO,
        [
            listed("Hello", released=date(2015, 1, 1), album="Best of 2015", compilation=True, cover_url="http://x/c"),
            listed("Hello", released=date(2015, 11, 20), album="25"),
        ],
    )
    assert (found.released, found.album, found.cover_url) == (date(2015, 1, 1), "25", "http://x/c")
    only = release_of(HELLO, [listed("Hello", album="Best of 2015", compilation=True)])
    assert (only.released, only.album) == (None, "Best of 2015")


def test_the_cover_is_that_of_the_album_if_any_listing_of_it_has_one():
    found = release_of(
        HELLO,
        [
            listed("Hello", released=date(2015, 10, 23), album="25"),
            listed("Hello", released=date(2016, 1, 1), album="Other", cover_url="http://x/other"),
            listed("Hello", album="25", cover_url="http://x/25"),
        ],
    )
    assert found.cover_url == "http://x/25"


@pytest.mark.parametrize(
    ("marks", "explicit"), [([None, None], None), ([False, None], False), ([False, True], True), ([], None)]
)
def test_a_song_is_explicit_if_one_listing_says_so(marks, explicit):
    found = release_of(HELLO, [listed("Hello"), *(listed("Hello", explicit=mark) for mark in marks)])
    assert found.explicit is explicit


def test_one_page_of_each_site_is_kept():
    links = ("https://music.apple.com/1", "https://music.apple.com/2", "https://www.deezer.com/track/3")
    found = release_of(HELLO, [listed("Hello", link=link) for link in links])
    assert found.links == (links[0], links[2])


def test_nothing_of_the_song_is_no_release():
    assert release_of(HELLO, []) is None
    assert release_of(HELLO, [listed("Skyfall")]) is None


@pytest.mark.parametrize(
    ("album", "collects"),
    [
        ("Greatest Hits", True), ("The Best Of Queen", True), ("The Essential Bob Dylan", True), ("80s Party", True),
        ("Now That's What I Call Music! 92", True), ("Various Artists", True), ("Top 100 Pop", True),
        ("25", False), ("1989", False), ("A Night at the Opera", False), ("Whitney", False),
    ],
)  # fmt: skip
def test_compilations_are_told_by_their_names(album, collects):
    assert is_compilation(album) is collects
