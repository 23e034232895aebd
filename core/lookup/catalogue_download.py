"""The song catalogue where there is none: its data set fetched from the hub, checked and built into one file.

The hub, Hugging Face's, answers an address of the form ``/datasets/OWNER/NAME/resolve/REVISION/FILE`` with a redirect
to its storage, which states the file's SHA-256 as ``X-Linked-Etag``; its page of the file shows the same one.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import aiohttp
from yarl import URL

from core.errors import CatalogueOutdated, DataError, DownloadError
from core.lookup.catalogue import Catalogue
from core.lookup.catalogue_build import BuildReport, Progress, Step, build_catalogue
from core.settings import DATASET_ADDRESS, Settings
from core.version import USER_AGENT

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

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


DATASET: Final = HubFile(
    address=DATASET_ADDRESS,
    sha256="b202fa49909b2d5cef71a04b1d21243cfeb36414535f2ca9272aa646721177bd",
    size_bytes=20_118_244,
)
"""The Spotify Tracks Dataset as the hub has held it since June 2023."""

DATASET_ROWS: Final = 114_000
"""Rows of the complete data set."""

DATASET_NAME: Final = "Spotify Tracks Dataset"

__all__ = ["DATASET", "DATASET_NAME", "DATASET_ROWS", "Progress", "Step", "dataset_of", "fetch_catalogue", "is_wanting"]


def dataset_of(settings: Settings) -> HubFile | None:
    """Say which file is to be fetched and from where; None if none is."""
    return None if settings.catalogue is None else replace(DATASET, address=str(settings.catalogue))


def is_wanting(path: Path) -> bool:
    """Return whether there is no catalogue at ``path``, or one of another version.

    Raises:
        CatalogueError: There is one, but it is damaged; it is left for the operator to look at.
    """
    try:
        catalogue = Catalogue.open_if_present(path)
    except CatalogueOutdated:
        return True
    if catalogue is None:
        return True
    with closing(catalogue):
        return False


def fetch_catalogue(file: HubFile, out: Path, progress: Progress, *, rows: int = DATASET_ROWS) -> BuildReport:
    """Fetch the data set and build the catalogue; blocks, so call it before an event loop runs.

    ``out`` is replaced only when all is well. What was fetched is kept nowhere else, so that after a cut, also by the
    end of the process, the next start begins anew.

    Args:
        file: The data set.
        out: The catalogue to write.
        progress: Told of bytes, rows and songs.
        rows: How many rows the data set has to have at least.

    Raises:
        DownloadError: The file cannot be fetched.
        DataError: It came, but does not hold the rows and columns it has to.
        OSError: ``out`` or the folder for temporary files cannot be written.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(out.parent, os.W_OK):
        raise PermissionError(None, "the folder cannot be written", str(out.parent))
    with tempfile.TemporaryDirectory(prefix="hitmeter-") as folder:
        csv_path = Path(folder) / "dataset.csv"
        asyncio.run(download(file, csv_path, lambda done, total: progress(Step.FETCHING, done, total)))
        return _built_aside(csv_path, out, file.address, rows, progress)


def _built_aside(csv_path: Path, out: Path, source: str, rows: int, progress: Progress) -> BuildReport:
    """Build in a process of its own: the 170 MB that building takes would stay with the bot for as long as it runs."""
    context = get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    child = context.Process(target=_build, args=(sending, csv_path, out, source, rows), daemon=True)
    child.start()
    sending.close()
    try:
        while True:
            match receiving.recv():
                case BuildReport() as report:
                    return report
                case Exception() as error:
                    raise error
                case (step, done, total):
                    progress(step, done, total)
    except EOFError:
        raise DataError("building the catalogue was broken off") from None
    finally:
        child.terminate()
        child.join()
        receiving.close()


def _build(told: Connection, csv_path: Path, out: Path, source: str, rows: int) -> None:
    """Build, and tell of progress and of what came of it; when told to end, leave nothing half written behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this process ends it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        report = build_catalogue(csv_path, out, source=source, rows_least=rows, progress=lambda *news: told.send(news))
    except (DataError, OSError) as error:
        told.send(error)
    else:
        told.send(report)
