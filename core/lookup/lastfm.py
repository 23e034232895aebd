"""Last.fm, live: a song's figures and those of its artist, and songs that may be meant."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Self
from urllib.parse import urlsplit

from pydantic import TypeAdapter

from core.concurrency import deadline_at
from core.domain import ArtistSongs, Candidate, Found, Origin, Reading, Song, SongName, Source
from core.errors import SettingsError, UpstreamError
from core.limits import ARTIST_SONGS_MAX, LOOKUP_BUDGET_S
from core.lookup.cache import AnswerCache, Cached, CacheTimes, OnLookup
from core.lookup.lastfm_client import OnRequest, RetryPolicy, Transport
from core.lookup.lastfm_parse import (
    ArtistInfo,
    ArtistTracks,
    TrackInfo,
    is_misspelling,
    music_tags,
    parse_artist,
    parse_artist_tracks,
    parse_search,
    parse_text,
    parse_top_tags,
    parse_track,
    song_from,
)
from core.lookup.normalise import names_nobody, normalize, plain_title, song_key
from core.lookup.service import Breaker, RequestRate
from core.settings import Settings

ARTIST_SHARE: Final = 0.4
"""Share of the budget that an artist's figures may take: the song's own are worth telling without them."""

SEARCH_LIMIT: Final = 30
"""Songs asked of one search."""

SEARCH_LISTENERS_MIN: Final = 5
"""Search results with fewer listeners are left out: they are misspellings too, and no album tells them apart."""

_TRACK: Final = TypeAdapter(TrackInfo)
_ARTIST: Final = TypeAdapter(ArtistInfo)
_ARTIST_TRACKS: Final = TypeAdapter(ArtistTracks)
_TAGS: Final = TypeAdapter(tuple[str, ...])
_CANDIDATES: Final = TypeAdapter(tuple[Candidate, ...])


class LastFm:
    """A :class:`core.lookup.resolver.SongSource` over Last.fm's API.

    Finding asks for the track and its artist side by side: one round trip. Each is cached by itself, so songs of one
    artist share its figures. If the artist's figures fail, the song is answered without them.
    """

    def __init__(self, transport: Transport, cache: AnswerCache, *, budget_s: float = LOOKUP_BUDGET_S) -> None:
        self._transport = transport
        self._cache = cache
        self._budget_s = budget_s

    @classmethod
    def connect(
        cls,
        api_key: str,
        api_url: str,
        *,
        cache_url: str = "mem://",
        times: CacheTimes | None = None,
        rate: RequestRate | None = None,
        retries: RetryPolicy | None = None,
        breaker: Breaker | None = None,
        budget_s: float = LOOKUP_BUDGET_S,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_request: OnRequest | None = None,
        on_lookup: OnLookup | None = None,
    ) -> Self:
        """Put a client together; nothing is asked yet.

        Raises:
            SettingsError: ``cache_url`` cannot be a cache.
        """
        space = urlsplit(api_url).hostname or ""
        cache = AnswerCache(cache_url, times=times, clock=clock, space=space, on_lookup=on_lookup)
        transport = Transport(
            api_key,
            api_url,
            rate=rate,
            shared_rate=cache.shared_rate(space),
            retries=retries,
            breaker=breaker,
            on_request=on_request,
        )
        return cls(transport, cache, budget_s=budget_s)

    @classmethod
    def from_settings(
        cls, settings: Settings, *, on_request: OnRequest | None = None, on_lookup: OnLookup | None = None
    ) -> Self:
        """Put the client together that the settings ask for.

        Raises:
            SettingsError: There is no key, or ``CACHE_URL`` cannot be a cache.
        """
        if settings.lastfm_api_key is None:
            raise SettingsError("LASTFM_API_KEY is not set", user_message="LASTFM_API_KEY is not set.")
        return cls.connect(
            settings.lastfm_api_key.get_secret_value(),
            str(settings.lastfm_api_url),
            cache_url=settings.cache_url,
            on_request=on_request,
            on_lookup=on_lookup,
        )

    async def find(self, reading: Reading, *, fresh: bool = False) -> Found | None:
        """Fetch the song; see :meth:`core.lookup.resolver.SongSource.find`."""
        title, name = parse_text(reading.title), parse_text(reading.artist)
        if not title or not name:
            return None
        until = self._until()
        asked_artist = asyncio.create_task(self._artist_or_none(name, until, fresh=fresh))
        try:
            track = await self._track(title, name, until, fresh=fresh)
            if track.value is None or names_nobody(track.value.artist):
                return None
            artist = await asked_artist
        finally:
            asked_artist.cancel()
        artist = await self._corrected(artist, name, track.value.artist, until, fresh=fresh)
        info = None if artist is None else artist.value
        if is_misspelling(track.value, info):
            return None
        tags = music_tags(track.value.tags or (info.tags if info else ()), track.value.title, track.value.artist)
        if not tags:
            tags = music_tags(await self._top_tags(track.value.artist, until), track.value.title, track.value.artist)
        return Found(song_from(track.value, info, tags), _source(track, artist))

    async def search(self, reading: Reading) -> tuple[Candidate, ...]:
        """List songs that may be meant; see :meth:`core.lookup.resolver.SongSource.search`.

        With an artist given, the title is also searched without it, in the same round trip: the artist may be
        misspelt, and Last.fm finds nothing then.
        """
        title, name = parse_text(reading.title), parse_text(reading.artist)
        if not title:
            return ()
        until = self._until()
        searches = [self._search(title, name, until)] if name else []
        outcomes = await asyncio.gather(*searches, self._search(title, "", until), return_exceptions=True)
        answers = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
        if not answers:
            raise next(outcome for outcome in outcomes if isinstance(outcome, BaseException))
        merged: dict[tuple[str, str], Candidate] = {}
        for candidate in (candidate for answer in answers for candidate in answer):
            merged.setdefault((candidate.name.title.casefold(), candidate.name.artist.casefold()), candidate)
        return tuple(merged.values())

    async def records(self, name: SongName) -> tuple[Candidate, ...]:
        """List the records of a song; see :meth:`core.lookup.resolver.SongSource.records`."""
        title, artist = parse_text(plain_title(name.title)), parse_text(name.artist)
        return await self._search(title, artist, self._until()) if title and artist else ()

    async def artist_songs(self, artist: str) -> ArtistSongs | None:
        """List an artist's most heard songs; see :meth:`core.lookup.artist.ArtistSource.artist_songs`.

        One request lists them. The artist's own figures and tags, which every song of the artist shares and which are
        mostly kept already, are asked for beside it; without them the songs are worth telling, too.
        """
        name = parse_text(artist)
        if not name or names_nobody(name):
            return None
        until = self._until()
        asked_artist = asyncio.create_task(self._artist_or_none(name, until, fresh=False))
        try:
            tracks = await self._artist_tracks(name, until)
            if tracks.value is None:
                return None
            found = await asked_artist
        finally:
            asked_artist.cancel()
        found = await self._corrected(found, name, tracks.value.artist, until, fresh=False)
        info = None if found is None else found.value
        songs: dict[str, Song] = {}
        for title, listeners, playcount in tracks.value.tracks:
            track = TrackInfo(title=title, artist=tracks.value.artist, listeners=listeners, playcount=playcount)
            song = song_from(track, info, music_tags(info.tags if info else (), title, track.artist))
            # Of several records of one song the most heard counts, as it does for a question.
            known = songs.setdefault(song_key(title, track.artist), song)
            if (song.listeners or 0) > (known.listeners or 0):
                songs[song_key(title, track.artist)] = song
        return ArtistSongs(tracks.value.artist, tuple(songs.values()), _source(tracks, found))

    async def aclose(self) -> None:
        """Free connections and the cache."""
        await self._cache.aclose()
        await self._transport.aclose()

    def _until(self, latest: float = math.inf) -> float:
        """Return when to give up what begins now, no later than ``latest``."""
        return min(latest, deadline_at(self._budget_s))

    async def _track(self, title: str, artist: str, until: float, *, fresh: bool) -> Cached[TrackInfo]:
        async def load() -> TrackInfo | None:
            params = {"track": title, "artist": artist, "autocorrect": "1"}
            payload = await self._transport.call("track.getInfo", params, deadline=self._until(until))
            return None if payload is None else parse_track(payload)

        # A bare record may be a misspelling or tomorrow's song: it is asked again as soon as a miss is.
        return await self._cache.fetch(
            "track", (title, artist), load, _TRACK, fresh=fresh, settled=lambda track: not track.is_bare
        )

    async def _artist_or_none(self, name: str, until: float, *, fresh: bool) -> Cached[ArtistInfo] | None:
        patience = min(until, deadline_at(self._budget_s * ARTIST_SHARE))

        async def load() -> ArtistInfo | None:
            params = {"artist": name, "autocorrect": "1"}
            payload = await self._transport.call("artist.getInfo", params, deadline=self._until(patience))
            return None if payload is None else parse_artist(payload)

        try:
            return await self._cache.fetch("artist", (name,), load, _ARTIST, fresh=fresh)
        except UpstreamError:
            return None

    async def _corrected(
        self, artist: Cached[ArtistInfo] | None, asked: str, resolved: str, until: float, *, fresh: bool
    ) -> Cached[ArtistInfo] | None:
        """Return the figures of the artist that a name was resolved to, asking anew if those at hand are another's."""
        got = normalize(artist.value.name) if artist and artist.value else None
        if got != normalize(resolved) != normalize(asked):
            return await self._artist_or_none(resolved, until, fresh=fresh)
        return artist

    async def _artist_tracks(self, artist: str, until: float) -> Cached[ArtistTracks]:
        async def load() -> ArtistTracks | None:
            params = {"artist": artist, "autocorrect": "1", "limit": str(ARTIST_SONGS_MAX)}
            payload = await self._transport.call("artist.getTopTracks", params, deadline=self._until(until))
            return None if payload is None else parse_artist_tracks(payload, ARTIST_SONGS_MAX)

        return await self._cache.fetch("artist_tracks", (artist,), load, _ARTIST_TRACKS)

    async def _top_tags(self, artist: str, until: float) -> tuple[str, ...]:
        async def load() -> tuple[str, ...] | None:
            params = {"artist": artist, "autocorrect": "1"}
            payload = await self._transport.call("artist.getTopTags", params, deadline=self._until(until))
            return None if payload is None else parse_top_tags(payload)

        try:
            return (await self._cache.fetch("tags", (artist,), load, _TAGS)).value or ()
        except UpstreamError:
            return ()

    async def _search(self, title: str, artist: str, until: float) -> tuple[Candidate, ...]:
        async def load() -> tuple[Candidate, ...] | None:
            params = {"track": title, "limit": str(SEARCH_LIMIT)} | ({"artist": artist} if artist else {})
            payload = await self._transport.call("track.search", params, deadline=self._until(until))
            if payload is None:
                return None
            return tuple(c for c in parse_search(payload) if (c.listeners or 0) >= SEARCH_LISTENERS_MIN) or None

        return (await self._cache.fetch("search", (title, artist), load, _CANDIDATES)).value or ()


def _source(first: Cached[Any], *others: Cached[Any] | None) -> Source:
    """Date the answer by its oldest part, and its songs by the first; it is stale if any part is."""
    parts = [first, *(part for part in others if part is not None)]
    as_of, stale = min(part.as_of for part in parts), any(part.stale for part in parts)
    return Source(Origin.LASTFM, as_of, stale, None if first.as_of == as_of else first.as_of)
