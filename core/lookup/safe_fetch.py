"""Downloads from addresses that strangers may have chosen: known hosts only, nothing private, nothing endless."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from core.version import USER_AGENT

MAX_BYTES: Final = 5_000_000
"""Longest body taken; a cover of 1,000 pixels has some 300 kB."""

REDIRECTS_MAX: Final = 3
CONNECT_S: Final = 1.5

ART_HOSTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "lastfm.freetls.fastly.net": "album art that Last.fm's answers name",
        "lastfm-img2.akamaized.net": "the same in older answers of Last.fm",
        ".mzstatic.com": "art found by iTunes Search (is1-ssl to is5-ssl)",
        ".dzcdn.net": "art found by Deezer (cdn-images, e-cdns-images)",
    }
)
"""Hosts that covers are fetched from, each with its reason; one that begins with a dot means all below it."""

_CHUNK_BYTES: Final = 1 << 16
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class FetchRefused(Exception):
    """Nothing usable came; the text is one short word for the log, never an address.

    Attributes:
        status: The HTTP status that was answered instead; None if it was something else.
    """

    def __init__(self, word: str, *, status: int | None = None) -> None:
        super().__init__(word)
        self.status = status


@dataclass(frozen=True, slots=True)
class HostPolicy:
    """Which addresses may be asked; the default is meant for the open network.

    Attributes:
        hosts: Names that are admitted; one that begins with a dot means all below it.
        schemes: Admitted schemes.
        ports: Admitted ports; None admits all.
        private_hosts: Names that may resolve to private or loopback addresses, for tests.
    """

    hosts: frozenset[str] = frozenset(ART_HOSTS)
    schemes: frozenset[str] = frozenset({"https"})
    ports: frozenset[int] | None = frozenset({443})
    private_hosts: frozenset[str] = frozenset()

    def admits(self, url: URL) -> bool:
        """Return whether ``url`` may be asked, by its text alone."""
        host = (url.host or "").rstrip(".").lower()
        return (
            url.scheme in self.schemes
            and (self.ports is None or url.port in self.ports)
            and url.user is None
            and url.password is None
            and any(host == known or (known.startswith(".") and host.endswith(known)) for known in self.hosts)
        )


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the open network, also when it hides an IPv4 address in IPv6."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None:
            ip = inner
        elif ip in _NAT64:
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.is_global and not ip.is_multicast


_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


class PublicResolver(AbstractResolver):
    """Resolves names and refuses those that lead to private addresses; what it returns is what is connected to."""

    def __init__(self, policy: HostPolicy, inner: AbstractResolver) -> None:
        self._policy = policy
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolve ``host``.

        Raises:
            OSError: The name is unknown, or one of its addresses is not public.
        """
        found = await self._inner.resolve(host, port, family)
        if host not in self._policy.private_hosts and not all(is_public(result["host"]) for result in found):
            raise OSError("a name that leads to a private address")
        return found

    async def close(self) -> None:
        """Free what the inner resolver holds."""
        await self._inner.close()


class SafeFetcher:
    """Fetches bodies under a policy; its session is made when first needed.

    Args:
        policy: Which addresses may be asked.
        resolver: Resolves their names; the system's by default.
        max_bytes: Longest body taken.
        accept: The kinds of body asked for, as in HTTP's Accept.
        user_agent: How we name ourselves.
    """

    def __init__(
        self,
        policy: HostPolicy | None = None,
        *,
        resolver: AbstractResolver | None = None,
        max_bytes: int = MAX_BYTES,
        accept: str = "image/*",
        user_agent: str = USER_AGENT,
    ) -> None:
        self._policy = policy or HostPolicy()
        self._resolver = resolver
        self._max_bytes = max_bytes
        self._headers = {"User-Agent": user_agent, "Accept": accept, "Accept-Encoding": "identity"}
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, address: str) -> bytes:
        """Fetch the body at ``address``, following redirects that the policy admits; the caller sets the time limit.

        Raises:
            FetchRefused: The address or one it led to is not admitted, or no usable body came.
        """
        try:
            url = URL(address)
            for _ in range(REDIRECTS_MAX + 1):
                if not self._policy.admits(url):
                    raise FetchRefused("address")
                status, location, body = await self._get(url)
                if status not in _REDIRECTS:
                    break
                url = url.join(URL(location))
            else:
                raise FetchRefused("redirects")
        except TimeoutError:
            raise FetchRefused("timeout") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise FetchRefused(type(error).__name__) from None
        if status != 200:
            raise FetchRefused(f"status_{status}", status=status)
        return body

    async def aclose(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()

    async def _get(self, url: URL) -> tuple[int, str, bytes]:
        async with self._open_session().get(url, allow_redirects=False) as response:
            if response.status != 200:
                return response.status, response.headers.get("Location", ""), b""
            if (response.content_length or 0) > self._max_bytes:
                raise FetchRefused("too_long")
            body = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                body += chunk
                if len(body) > self._max_bytes:
                    raise FetchRefused("too_long")
            return response.status, "", bytes(body)

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            resolver = PublicResolver(self._policy, self._resolver or aiohttp.ThreadedResolver())
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=resolver, limit=16),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
                headers=self._headers,
                auto_decompress=False,  # a compressed body could unfold without end
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session
