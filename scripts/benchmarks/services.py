"""The loopback services that are asked while the bot is measured, each in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, Self

from aiohttp import web

from core.domain import Song
from core.lookup.normalise import artist_key, first_artist, normalize, song_key, title_key
from scripts.benchmarks.measurement import rows_of, whole
from tests.fakes.lastfm_server import FakeArtist, FakeLastFm, FakeSong
from tests.fakes.release_server import Record, deezer_track, itunes_song, musicbrainz_recording

COVER: Final = "https://is1-ssl.mzstatic.com/image/thumb/cover/100x100bb.jpg"
MAX_ARTIST_WORDS: Final = 8
_FIELD: Final = re.compile(r"(\w+):(?:\"((?:[^\"\\]|\\.)*)\"|\(([^)]*)\)|(\S+))")

Serve = Callable[..., AbstractAsyncContextManager[tuple[str, Callable[[], Counter[Any]]]]]
"""Opens a service, a function of a module; gives its address and what counts the requests it got."""


class ServerProcess:
    """A loopback service in a process of its own, so that its work is not taken for the bot's.

    A context manager; ``url`` is where it answers.
    """

    def __init__(self, serve: Serve, *arguments: object) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(theirs, serve, arguments), daemon=True)
        self.url = ""

    def __enter__(self) -> Self:
        self._process.start()
        self.url = self._pipe.recv()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._pipe.send("stop")
        self._process.join(10)

    @property
    def pid(self) -> int | None:
        """Number of the process."""
        return self._process.pid

    def requests(self) -> Counter[Any]:
        """Count all requests so far, by what the service tells apart."""
        self._pipe.send("requests")
        counted: Counter[Any] = self._pipe.recv()
        return counted


def _run(pipe: Connection, serve: Serve, arguments: tuple[object, ...]) -> None:
    async def run() -> None:
        async with serve(*arguments) as (url, requests):
            pipe.send(url)
            while await asyncio.to_thread(pipe.recv) != "stop":
                pipe.send(requests())

    asyncio.run(run())


@contextlib.asynccontextmanager
async def serve_lastfm(
    songs: Sequence[FakeSong], artists: Sequence[FakeArtist], latency_s: float = 0.0
) -> AsyncIterator[tuple[str, Callable[[], Counter[tuple[str, str, str]]]]]:
    """Serve Last.fm's answers about songs and artists; requests are counted by method, artist and track."""
    async with FakeLastFm(songs, artists, latency_s=latency_s) as server:
        yield (
            server.url,
            lambda: Counter((one["method"], one.get("artist", ""), one.get("track", "")) for one in server.requests),
        )


def lastfm_of(songs: Sequence[Song], latency_s: float = 0.0) -> ServerProcess:
    """Make a Last.fm that knows songs and their artists by made-up figures, the same each time."""
    known = tuple(
        FakeSong(song.title, song.artist, 900_000 - 900 * place, 12_000_000 - 9_000 * place, tags=("pop", "rock"))
        for place, song in enumerate(songs)
    )
    names = {artist_key(song.artist): song.artist for song in songs}
    artists = tuple(FakeArtist(name, 2_000_000 + place, 60_000_000) for place, name in enumerate(names.values()))
    return ServerProcess(serve_lastfm, known, artists, latency_s)


class Shop:
    """Finds records by words, as shops do: artist and title in either order, the right title first."""

    def __init__(self, records: Iterable[Record]) -> None:
        """Take what is on sale."""
        self.records = tuple(records)
        self._places: dict[str, dict[str, int]] = {}
        for place, record in enumerate(self.records):
            self._places.setdefault(artist_key(record.artist), {}).setdefault(title_key(record.title), place)

    def find(self, text: str, limit: int) -> tuple[int, ...]:
        """Return the places of at most ``limit`` records that the words of ``text`` fit, the best first."""
        words = normalize(text).split()
        hits: dict[int, int] = {}
        for artist, title in self._cuts(words):
            for known, place in self._places.get(artist, {}).items():
                if title == known:
                    hits[place] = 0
                elif title and (known.startswith(f"{title} ") or title.startswith(f"{known} ")):
                    hits.setdefault(place, 1)
        return tuple(sorted(hits, key=lambda place: hits[place]))[:limit]

    @staticmethod
    def _cuts(words: list[str]) -> Iterator[tuple[str, str]]:
        for cut in range(1, min(MAX_ARTIST_WORDS, len(words) - 1) + 1):
            yield " ".join(words[:cut]).removeprefix("the "), " ".join(words[cut:])
            yield " ".join(words[-cut:]).removeprefix("the "), " ".join(words[:-cut])


def records_on_sale(rows: Iterable[Mapping[str, str]]) -> tuple[Record, ...]:
    """Put each song on sale once, with the row of its earliest release; an unknown duration is 0."""
    earliest: dict[str, tuple[tuple[str, bool, str], Record]] = {}
    for row in rows:
        title, artist, released = row["track"], first_artist(row["artist"]), _day(row["release_date"])
        if not title or not artist or not released:
            continue
        key = song_key(title, artist)
        # Within a year a day is better than the year alone.
        order = (released[:4], row["release_date"] != released, released)
        if key not in earliest or order < earliest[key][0]:
            record = Record(
                title=title,
                artist=artist,
                album=row["album"] or title,
                released=released,
                cover=COVER,
                explicit=row["explicit"] == "1",
                duration_ms=whole(row["duration_ms"]),
            )
            earliest[key] = (order, record)
    return tuple(record for _, record in earliest.values())


@contextlib.asynccontextmanager
async def serve_shop(path: Path) -> AsyncIterator[tuple[str, Callable[[], Counter[str]]]]:
    """Serve days of release from a table, as iTunes, Deezer and MusicBrainz do; requests are counted by service."""
    shop = Shop(records_on_sale(rows_of(path)))
    asked: Counter[str] = Counter()

    def found(request: web.Request, parameter: str) -> list[tuple[int, Record]]:
        text = _plain(request.query.get(parameter, ""))
        return [(place + 1, shop.records[place]) for place in shop.find(text, int(request.query.get("limit", "25")))]

    async def itunes_search(request: web.Request) -> web.Response:
        asked["itunes"] += 1
        results = [itunes_song(record, number) for number, record in found(request, "term")]
        text = web.json_response({"resultCount": len(results), "results": results}).text
        return web.Response(text=text, content_type="text/javascript")

    async def deezer_search(request: web.Request) -> web.Response:
        asked["deezer search"] += 1
        tracks = [deezer_track(record, number) for number, record in found(request, "q")]
        return web.json_response({"data": tracks, "total": len(tracks)})

    async def deezer_day(request: web.Request) -> web.Response:
        asked["deezer track"] += 1
        number = int(request.match_info["number"])
        if not 1 <= number <= len(shop.records):
            return web.json_response({"error": {"type": "DataException", "message": "no data", "code": 800}})
        record = shop.records[number - 1]
        return web.json_response(deezer_track(record, number) | {"release_date": record.released})

    async def musicbrainz_search(request: web.Request) -> web.Response:
        asked["musicbrainz"] += 1
        recordings = [musicbrainz_recording(record, number) for number, record in found(request, "query")]
        return web.json_response({"count": len(recordings), "offset": 0, "recordings": recordings})

    app = web.Application()
    app.router.add_get("/itunes/search", itunes_search)
    app.router.add_get("/deezer/search", deezer_search)
    app.router.add_get(r"/deezer/track/{number:\d+}", deezer_day)
    app.router.add_get("/musicbrainz{tail:.*}", musicbrainz_search)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/", lambda: Counter(asked)
    finally:
        await runner.cleanup()


def _plain(query: str) -> str:
    """Reduce ``artist:"X" track:"Y"`` to its words, the artist's first, then the title's; other text is kept."""
    fields = {name.casefold(): quoted or grouped or bare for name, quoted, grouped, bare in _FIELD.findall(query)}
    artist = fields.get("artist") or fields.get("artistname") or ""
    title = fields.get("track") or fields.get("recording") or ""
    return f"{artist} {title}" if artist and title else query


def _day(date: str) -> str:
    """Complete a date: the year alone is taken for its 1 July, a month for its first day."""
    if re.fullmatch(r"\d{4}", date):
        return f"{date}-07-01"
    if re.fullmatch(r"\d{4}-\d{2}", date):
        return f"{date}-01"
    return date if re.fullmatch(r"\d{4}-\d{2}-\d{2}", date) else ""
