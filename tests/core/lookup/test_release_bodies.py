import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from core.domain import SongName
from core.lookup.release import ReleaseLookup
from core.lookup.service import _policy
from tests.fakes.release_server import Record, ReleaseServer

HELLO = Record(title="Hello", artist="Adele")


class AllHere(AbstractResolver):
    """Resolves every name to this machine."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("address", "admitted"),
    [
        ("https://api.deezer.com/track/1", True),
        ("http://api.deezer.com/track/1", False),
        ("https://api.deezer.com:8443/track/1", False),
        ("https://deezer.com/track/1", False),
        ("https://localhost/track/1", False),
        ("https://169.254.169.254/", False),
    ],
)
def test_only_the_host_of_the_settings_is_asked(address, admitted):
    assert _policy(URL("https://api.deezer.com/search")).admits(URL(address)) is admitted


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("https://api.deezer.com/search", frozenset()),
        ("http://localhost:8080/search", frozenset({"localhost"})),
        ("http://127.0.0.1:8080/search", frozenset({"127.0.0.1"})),
    ],
)
def test_only_a_plain_address_may_be_of_this_machine(url, private):
    assert _policy(URL(url)).private_hosts == private


async def test_a_name_that_leads_to_this_machine_is_not_asked():
    async with ReleaseServer() as server:
        server.knows(HELLO)
        urls = {name: url.replace("127.0.0.1", "shop.test") for name, url in server.urls.items()}
        lookup = ReleaseLookup.connect(**urls, resolver=AllHere())
        assert await lookup.within(SongName("Hello", "Adele"), 5) is None
        await lookup.aclose()
        assert server.itunes.requests == server.deezer.requests == server.musicbrainz.requests == []
