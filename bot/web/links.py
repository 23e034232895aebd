"""The page's addresses: what stands for a song in them, and who may open them under which host name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from bot.reply import SongToken
from bot.signing import SIGNATURE_CHARS, Signer
from core.history import TOKEN_CHARS

if TYPE_CHECKING:
    from core.settings import Settings

ROOT_PATH: Final = "/"
SONG_PATH: Final = "/song/{song}"
COMPARE_PATH: Final = "/compare/{song}/{other}"
SONG_CARD_PATH: Final = "/card/{song}.png"
COMPARE_CARD_PATH: Final = "/card/{song}/{other}.png"
COVER_PATH: Final = "/cover/{song}.jpg"
PICTURE_PATH: Final = "/picture/{key}"
STATIC_PATH: Final = "/static/{name}"

_LINK: Final = re.compile(rf"([A-Za-z0-9_-]{{{TOKEN_CHARS}}})([A-Za-z0-9_-]{{{SIGNATURE_CHARS}}})")
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?")

IPV6_NETWORK_BITS: Final = 64
"""What a household is given of the newer addresses; its machines change the rest as they like (RFC 6177, RFC 8981)."""


class SongLinks:
    """Writes and reads what stands for a song in an address: its token and a signature, twenty characters.

    Without the signature anybody could try the tokens of songs and learn from the answer which were asked for.
    """

    def __init__(self, signer: Signer) -> None:
        """Take what signs."""
        self._signer = signer

    def write(self, token: SongToken) -> str:
        """Write a song's token for an address."""
        return f"{token}{self._signer.signature(_signed(token.value))}"

    def read(self, text: str) -> SongToken | None:
        """Read it; None if this bot never wrote it."""
        form = _LINK.fullmatch(text)
        if form is None or not self._signer.proves(_signed(form[1]), form[2]):
            return None
        return SongToken(form[1])


def _signed(token: str) -> str:
    return f"page:{token}"


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches a server that listens on ``host``."""
    if host.casefold() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


_WITH_PORT: Final = re.compile(r"\[(?P<six>[0-9A-Fa-f:.]+)\](?::\d+)?|(?P<four>[0-9.]+):\d+")


def network_of(address: str) -> str | None:
    """Name whom a limit is for: an address, of IPv6 the network of its household; None if it is no address.

    A port behind it, as some proxies tell, is no part of it.
    """
    if (told := _WITH_PORT.fullmatch(address)) is not None:
        address = told["six"] or told["four"]
    try:
        read = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if not isinstance(read, IPv6Address):
        return str(read)
    if read.ipv4_mapped is not None:
        return str(read.ipv4_mapped)
    return str(IPv6Address(int(read) >> (128 - IPV6_NETWORK_BITS) << (128 - IPV6_NETWORK_BITS)))


@dataclass(frozen=True, slots=True)
class Site:
    """Where the page is, as its visitors know it.

    Attributes:
        local: Whether only this machine reaches it: then other host names are refused. A hostile page could otherwise
            lead its own name to the loopback address and read what is served there (DNS rebinding).
        public: Address behind a proxy, without a slash at its end; None without a proxy.
        names: Host names it may be asked for by, in lower case, if it is local.
    """

    local: bool
    public: str | None
    names: frozenset[str]

    @classmethod
    def from_settings(cls, settings: Settings) -> Site:
        """Take it from the settings."""
        public = None if settings.web_url is None else str(settings.web_url).rstrip("/")
        hosts = {"localhost", "127.0.0.1", "::1", settings.web_host.casefold(), urlsplit(public or "").hostname or ""}
        names = frozenset(f"[{host}]" if ":" in host else host for host in hosts if host)
        return cls(is_loopback(settings.web_host), public, names)

    def welcomes(self, host: str) -> bool:
        """Return whether the page may be asked for by this Host header."""
        form = _HOST.fullmatch(host)
        return form is not None and (not self.local or form[1].casefold() in self.names)

    def address(self, scheme: str, host: str, path: str) -> str:
        """Write a whole address, as previews need it; ``host`` is one that is welcome."""
        return f"{self.public or f'{scheme}://{host}'}{path}"

    def asker(self, remote: str | None, forwarded_for: str | None) -> str:
        """Name whom a request is counted for.

        A proxy appends the address it was asked from, so that only the last one of the header is no invention of the
        asker's; without a proxy the header is never looked at.
        """
        told = forwarded_for.rpartition(",")[2].strip() if self.public is not None and forwarded_for else ""
        return network_of(told) or network_of(remote or "") or remote or ""


def listening_address(host: str, port: int) -> str:
    """Write the address that a person on this machine opens."""
    shown = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104 - compared, not bound
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"
