import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from core.lookup.safe_fetch import ART_HOSTS, FetchRefused, HostPolicy, SafeFetcher, is_public
from tests.fakes.art_server import Art, ArtServer, picture

OUTER = "art.test"
INNER = "inner.art.test"


class Names(AbstractResolver):
    """Resolves the test's names to given addresses and counts what was asked."""

    def __init__(self, **addresses: str) -> None:
        self.addresses = {OUTER: "127.0.0.1", INNER: "127.0.0.1", **addresses}
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        address = self.addresses[host]
        return [ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        pass


POLICY = HostPolicy(
    hosts=frozenset({OUTER, ".art.test"}),
    schemes=frozenset({"http"}),
    ports=None,
    private_hosts=frozenset({OUTER}),
)


@pytest.fixture
async def server():
    async with ArtServer() as running:
        yield running


@pytest.fixture
async def fetcher():
    fetcher = SafeFetcher(POLICY, resolver=Names())
    yield fetcher
    await fetcher.aclose()


async def test_fetches_a_body(server, fetcher):
    assert await fetcher.fetch(server.art(Art.PNG, OUTER)) == picture("PNG")


async def test_follows_an_admitted_redirect(server, fetcher):
    server.redirect_to = server.art(Art.JPEG, OUTER)
    assert await fetcher.fetch(server.art(Art.REDIRECT, OUTER)) == picture("JPEG")


async def test_redirect_to_a_name_with_a_private_address_is_refused_before_connecting(server, fetcher):
    async with ArtServer() as inside:
        server.redirect_to = inside.art(Art.JPEG, INNER)
        with pytest.raises(FetchRefused):
            await fetcher.fetch(server.art(Art.REDIRECT, OUTER))
        assert server.hits[Art.REDIRECT] == 1
        assert not inside.hits


@pytest.mark.parametrize("target", ["127.0.0.1", "[::1]", "169.254.169.254", "localhost", "evil.test"])
async def test_redirect_to_a_host_that_is_not_listed_is_refused_before_connecting(server, fetcher, target):
    async with ArtServer() as inside:
        server.redirect_to = f"http://{target}:{inside.port}/art/jpeg"
        with pytest.raises(FetchRefused, match="address"):
            await fetcher.fetch(server.art(Art.REDIRECT, OUTER))
        assert not inside.hits


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (Art.TOO_LONG, "too_long"),
        (Art.ENDLESS, "too_long"),
        (Art.MISSING, "status_404"),
        (Art.BROKEN, "status_500"),
        (Art.REDIRECT_LOOP, "redirects"),
        (Art.REDIRECT_NOWHERE, "redirects"),
        (Art.RESET, "ServerDisconnectedError"),
    ],
)
async def test_refuses(server, fetcher, kind, reason):
    with pytest.raises(FetchRefused, match=reason):
        await fetcher.fetch(server.art(kind, OUTER))


async def test_a_compressed_body_is_not_unfolded(server, fetcher):
    body = await fetcher.fetch(server.art(Art.COMPRESSED, OUTER))
    assert len(body) < 1_000_000


async def test_the_text_of_a_refusal_holds_no_address(server, fetcher):
    with pytest.raises(FetchRefused) as caught:
        await fetcher.fetch("http://user:hunter2@art.test/a.jpg")
    assert "hunter2" not in str(caught.value)
    assert "art.test" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "admitted"),
    [
        ("https://lastfm.freetls.fastly.net/i/u/300x300/a.jpg", True),
        ("https://is1-ssl.mzstatic.com/image/a.jpg", True),
        ("https://cdn-images.dzcdn.net/images/cover/a.jpg", True),
        ("https://LASTFM.freetls.fastly.net./a.jpg", True),
        ("http://lastfm.freetls.fastly.net/a.jpg", False),
        ("https://lastfm.freetls.fastly.net:8443/a.jpg", False),
        ("https://mzstatic.com.evil.test/a.jpg", False),
        ("https://evilmzstatic.com/a.jpg", False),
        ("https://is1-ssl.mzstatic.com@evil.test/a.jpg", False),
        ("https://user@is1-ssl.mzstatic.com/a.jpg", False),
        ("https://127.0.0.1/a.jpg", False),
        ("https://[::1]/a.jpg", False),
        ("file:///etc/passwd", False),
        ("data:image/png;base64,AAAA", False),
        ("", False),
    ],
)
def test_the_production_policy(address, admitted):
    assert HostPolicy().admits(URL(address)) is admitted


def test_every_listed_host_has_its_reason():
    assert all(ART_HOSTS.values())


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - an address to refuse, none to bind
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::808:808", True),
        ("no address", False),
    ],
)
def test_public_addresses(address, public):
    assert is_public(address) is public
