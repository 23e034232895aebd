from collections.abc import Callable

import pytest

from bot.reply import SongToken, token_of
from bot.signing import Signer
from bot.web.links import Site, SongLinks, is_loopback, listening_address, network_of
from core.domain import SongName
from core.settings import Settings

TOKEN = token_of(SongName("Hello", "Adele"))


def test_a_link_is_read_by_who_wrote_it_alone() -> None:
    ours, theirs = SongLinks(Signer(b"ours")), SongLinks(Signer(b"theirs"))
    link = ours.write(TOKEN)
    assert ours.read(link) == TOKEN
    assert theirs.read(link) is None
    assert ours.read(TOKEN.value) is None
    other = token_of(SongName("Halo", "Beyoncé"))
    assert ours.read(other.value + link[len(TOKEN.value) :]) is None


@pytest.mark.parametrize("text", ["", "x" * 20, "../../etc/passwd", "é" * 20, "a" * 21, "\ud800" * 20])
def test_what_is_no_link_is_none(text: str) -> None:
    assert SongLinks(Signer(b"ours")).read(text) is None


def test_a_link_fits_an_address() -> None:
    links = SongLinks(Signer(b"ours"))
    assert all(c.isalnum() or c in "-_" for c in links.write(SongToken("_-aZ09______")))


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104
        ("::", False),
        ("192.168.0.2", False),
        ("box.example", False),
    ],
)
def test_only_loopback_addresses_are_this_machine_alone(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("host", "welcome"),
    [
        ("127.0.0.1:8080", True),
        ("localhost", True),
        ("LOCALHOST:1", True),
        ("[::1]:8080", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("127.0.0.1:8080@evil.example", False),
        ("localhost/../", False),
        ("a\r\nb", False),
        ("", False),
    ],
)
def test_on_loopback_other_names_are_refused(settings_for: Callable[..., Settings], host: str, welcome: bool) -> None:
    assert Site.from_settings(settings_for()).welcomes(host) is welcome


def test_behind_a_proxy_its_name_is_welcome_too(settings_for: Callable[..., Settings]) -> None:
    site = Site.from_settings(settings_for(web_url="https://hits.example.org"))
    assert [site.welcomes(host) for host in ("hits.example.org", "127.0.0.1", "evil.example")] == [True, True, False]
    assert site.address("http", "127.0.0.1:8080", "/song/x") == "https://hits.example.org/song/x"


def test_beyond_loopback_any_name_is_welcome_but_nonsense(settings_for: Callable[..., Settings]) -> None:
    site = Site.from_settings(settings_for(web_host="0.0.0.0"))  # noqa: S104
    assert [site.welcomes(host) for host in ("box.example:80", '"><script>', "")] == [True, False, False]
    assert site.address("http", "box.example:80", "/x") == "http://box.example:80/x"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("192.0.2.7:40001", "192.0.2.7"),
        ("unknown", None),
    ],
)
def test_a_household_is_one_asker(address: str, network: str | None) -> None:
    assert network_of(address) == network


def test_who_asks_is_told_by_the_proxy_alone_if_there_is_one(settings_for: Callable[..., Settings]) -> None:
    plain, proxied = Site.from_settings(settings_for()), Site.from_settings(settings_for(web_url="https://x.example"))
    assert plain.asker("127.0.0.1", "198.51.100.1") == "127.0.0.1"
    assert proxied.asker("127.0.0.1", "203.0.113.9, 198.51.100.1") == "198.51.100.1"
    assert proxied.asker("127.0.0.1", None) == "127.0.0.1"
    assert proxied.asker("127.0.0.1", "203.0.113.9,198.51.100.1:40001") == "198.51.100.1"
    assert proxied.asker("127.0.0.1", "[2001:db8::1]:443") == proxied.asker("127.0.0.1", "2001:db8::2")
    assert proxied.asker("127.0.0.1", "unknown") == "127.0.0.1"


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),  # noqa: S104
        ("::1", "http://[::1]:8080"),
        ("box.example", "http://box.example:8080"),
    ],
)
def test_the_address_to_open(host: str, address: str) -> None:
    assert listening_address(host, 8080) == address
