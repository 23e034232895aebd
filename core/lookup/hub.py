"""One file of the Hugging Face hub, fetched from a pinned revision and checked.

The hub answers an address of the form ``/datasets/OWNER/NAME/resolve/REVISION/FILE`` with a redirect to its storage,
which states the file's SHA-256 as ``X-Linked-Etag``; its page of the file shows the same one.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import aiohttp
from yarl import URL

from core.errors import DownloadError
from core.lookup.transport import USER_AGENT

CONNECT_S: Final = 10.0
"""Longest until the file begins to come, redirects included."""

SILENCE_S: Final = 30.0
"""Longest pause within the file before the connection counts as cut."""

ATTEMPTS: Final = 2
"""A file that is cut off is fetched once more from its beginning; who cannot be reached is not asked twice."""

REDIRECTS_MAX: Final = 5

_CHUNK_BYTES: Final = 1 << 18
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_SHA256: Final = re.compile(r'(?:W/)?"?([0-9a-f]{64})"?')

OnBytes = Callable[[int, int], None]
"""Is told how many bytes there are by now, and how many there will be; begins anew with an attempt."""


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file as it has to come.

    Attributes:
        address: Where the hub answers for it.
        sha256: Its checksum in hex.
        size_bytes: Its length.
    """

    address: str
    sha256: str
    size_bytes: int


class _Cut(Exception):
    """The file began to come and did not end."""


async def download(file: HubFile, out: Path, on_bytes: OnBytes) -> None:
    """Fetch ``file`` into ``out``, whole and as it has to be.

    Raises:
        DownloadError: It cannot be reached, was cut off or is another file; the text is one clause without addresses.
        OSError: ``out`` cannot be written.
    """
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENCE_S)
    # A proxy may be the only way out; a compressed body would have another length and checksum.
    async with aiohttp.ClientSession(
        timeout=timeout,
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        auto_decompress=False,
        trust_env=True,
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:
        for attempt in range(1, ATTEMPTS + 1):
            response = await _open(session, file)
            try:
                with out.open("wb") as written:
                    await _receive(response, file, written, on_bytes)
            except _Cut as cut:
                if attempt == ATTEMPTS:
                    raise DownloadError(str(cut)) from None
            else:
                return
            finally:
                response.close()


async def _open(session: aiohttp.ClientSession, file: HubFile) -> aiohttp.ClientResponse:
    """Follow the redirects to the file's beginning, and check on the way what the hub states of it."""
    url = URL(file.address)
    try:
        async with asyncio.timeout(CONNECT_S):
            for _ in range(REDIRECTS_MAX + 1):
                response = await session.get(url, allow_redirects=False)
                _check_stated(response, file)
                if response.status == 200:
                    return response
                response.close()
                if response.status not in _REDIRECTS:
                    raise DownloadError(f"the hub answered with status {response.status}")
                further = url.join(URL(response.headers.get("Location", "")))
                if further.scheme not in {url.scheme, "https"}:
                    raise DownloadError("the hub led to an address that is not https")
                url = further
    except TimeoutError:
        raise DownloadError(f"the hub did not answer within {CONNECT_S:.0f} s") from None
    except aiohttp.ClientConnectorError:
        raise DownloadError("the hub cannot be reached") from None
    except (aiohttp.ClientError, ValueError) as error:
        raise DownloadError(f"the hub gave no usable answer: {type(error).__name__}") from None
    raise DownloadError("the hub led in circles")


def _check_stated(response: aiohttp.ClientResponse, file: HubFile) -> None:
    """Compare the checksum that an answer of the hub states, if it does, with the one the file has to have."""
    stated = _SHA256.fullmatch(response.headers.get("X-Linked-Etag", ""))
    if stated is not None and stated[1] != file.sha256:
        response.close()
        raise DownloadError("the hub states another checksum than this version expects")


async def _receive(response: aiohttp.ClientResponse, file: HubFile, written: IO[bytes], on_bytes: OnBytes) -> None:
    digest, size = hashlib.sha256(), 0
    on_bytes(0, file.size_bytes)
    try:
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            size += len(chunk)
            if size > file.size_bytes:
                raise DownloadError("the file is longer than it has to be")
            digest.update(chunk)
            await asyncio.to_thread(written.write, chunk)
            on_bytes(size, file.size_bytes)
    except (aiohttp.ClientError, TimeoutError):
        raise _Cut(_cut_after(size, file)) from None
    if size < file.size_bytes:
        raise _Cut(_cut_after(size, file))
    if digest.hexdigest() != file.sha256:
        raise DownloadError("the file does not match its checksum")


def _cut_after(size: int, file: HubFile) -> str:
    return f"it was cut off after {size / 1e6:.1f} of {file.size_bytes / 1e6:.1f} MB"
