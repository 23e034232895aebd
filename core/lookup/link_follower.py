"""Finds out which song a pasted link leads to: by the catalogue, or by asking the shop that it belongs to.

No address that a stranger wrote is ever opened: what is asked is put together from an id, at the one host of each
service that the settings name.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, Self, assert_never

from aiohttp.abc import AbstractResolver

from core.concurrency import SerialExecutor, SingleFlight, deadline_at
from core.domain import SongQuery
from core.errors import LinkSaysNothing, QueryError, UpstreamError
from core.links import LinkKind, LinkTarget, read_link
from core.lookup.release_parse import Embedded, parse_deezer_name, parse_oembed
from core.lookup.service import NothingThere, RequestRate, Service
from core.query import LinkedSong, query_of, query_of_video

if TYPE_CHECKING:
    from core.lookup.catalogue import Catalogue
    from core.settings import Settings

log = logging.getLogger(__name__)

DEEZER_LINKS_RATE: Final = RequestRate(burst=5, window_s=5.0, per_window=10)
"""What the look-up of releases leaves of Deezer's 50 requests in 5 seconds."""

OEMBED_RATE: Final = RequestRate(burst=10, window_s=60.0, per_window=120)
"""Neither YouTube nor Spotify names a limit; two requests a second disturb neither."""

ANSWER_MAX_BYTES: Final = 200_000
"""Longest answer read; a track of Deezer has 5 kB, an oEmbed answer one."""

LINKS_KEPT: Final = 256
"""Links whose song is kept: people in one chat paste the same."""


class DeezerTracks(Service):
    """Deezer, asked for one track."""

    label = "deezer_links"
    absent = frozenset({404})

    async def ask(self, number: str) -> SongQuery:
        """Name a track.

        Raises:
            UpstreamError: There is no such track, or Deezer gave no usable answer.
            QueryError: Its name is no question.
        """
        address = self.url.parent / "track" / number
        name = await self._ask(address, parse_deezer_name, deadline_at(self._timeout_s))
        if name is None:
            raise NothingThere(f"{self.label}: no such track")
        return query_of(name.title, name.artist)


class OEmbed(Service):
    """A service that tells the title of its pages by oEmbed; pages that are private or gone are no fault of its."""

    absent = frozenset({400, 401, 403, 404})
    limited = frozenset({429})

    def __init__(
        self, label: str, url: str, worker: SerialExecutor, *, resolver: AbstractResolver | None = None
    ) -> None:
        super().__init__(url, worker, rate=OEMBED_RATE, resolver=resolver, max_bytes=ANSWER_MAX_BYTES)
        self.label = label

    async def ask(self, page: str) -> Embedded:
        """Return what a page is called.

        Raises:
            UpstreamError: There is no such page, it has no title, or the service gave no usable answer.
        """
        address = self.url.update_query({"url": page, "format": "json"})
        told = await self._ask(address, parse_oembed, deadline_at(self._timeout_s))
        if not told.title:
            raise NothingThere(f"{self.label}: no title")
        return told


class LinkFollower:
    """Follows links to songs; people who paste the same at the same time share one request.

    Args:
        catalogue: Knows Spotify's tracks by id; None if it was not built.
        deezer: Names Deezer's tracks; None is not asked, as for the others.
        youtube: Tells the titles of videos.
        spotify: Tells the titles of tracks that the catalogue lacks, but not their artists.
        worker: Reads the catalogue and the answers; closed with the follower.
    """

    def __init__(
        self,
        catalogue: Catalogue | None,
        *,
        deezer: DeezerTracks | None = None,
        youtube: OEmbed | None = None,
        spotify: OEmbed | None = None,
        worker: SerialExecutor | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._deezer = deezer
        self._youtube = youtube
        self._spotify = spotify
        self._worker = worker or SerialExecutor("links")
        self._followed: SingleFlight[SongQuery | None] = SingleFlight(LINKS_KEPT)

    @classmethod
    def from_settings(
        cls, settings: Settings, catalogue: Catalogue | None, *, resolver: AbstractResolver | None = None
    ) -> Self:
        """Put the follower together that the settings ask for; nothing is asked yet."""
        worker = SerialExecutor("links")

        def oembed(label: str, url: object) -> OEmbed | None:
            return None if url is None else OEmbed(label, str(url), worker, resolver=resolver)

        deezer = None
        if settings.deezer_search_url is not None:
            deezer = DeezerTracks(
                str(settings.deezer_search_url),
                worker,
                rate=DEEZER_LINKS_RATE,
                resolver=resolver,
                max_bytes=ANSWER_MAX_BYTES,
            )
        return cls(
            catalogue,
            deezer=deezer,
            youtube=oembed("youtube", settings.youtube_oembed_url),
            spotify=oembed("spotify", settings.spotify_oembed_url),
            worker=worker,
        )

    async def follow(self, linked: LinkedSong) -> SongQuery:
        """Write the question that a link stands for; if nobody knows its song, the one in the words around it.

        Raises:
            LinkSaysNothing: Nobody knows its song or it leads to none, and there are no such words.
        """
        try:
            query = await self._followed.get(linked.target, lambda: self._ask(linked.target))
        except LinkSaysNothing:
            if linked.instead is None:
                raise
            query = None
        except (UpstreamError, QueryError) as error:
            log.info("event=link_lost kind=%s reason=%s", linked.target.kind.name, type(error).__name__)
            query = None
        if query is not None:
            return query
        if linked.instead is not None:
            return linked.instead
        raise LinkSaysNothing("nobody knows the song of that link", user_message=linked.silence)

    async def aclose(self) -> None:
        """Free connections and the thread."""
        for service in (self._deezer, self._youtube, self._spotify):
            if service is not None:
                await service.aclose()
        self._worker.close()

    async def _ask(self, target: LinkTarget) -> SongQuery | None:
        """Ask whoever knows; None if there is nobody to ask."""
        match target.kind:
            case LinkKind.SPOTIFY_TRACK:
                known = await self._catalogued(target.key)
                return known or await self._ask_spotify(f"https://open.spotify.com/track/{target.key}")
            case LinkKind.SPOTIFY:
                return await self._ask_spotify(target.key)
            case LinkKind.DEEZER_TRACK:
                return None if self._deezer is None else await self._deezer.ask(target.key)
            case LinkKind.YOUTUBE:
                if self._youtube is None:
                    return None
                video = await self._youtube.ask(target.key)
                return await self._worker.run(query_of_video, video.title, video.author)
            case _:
                assert_never(target.kind)

    async def _catalogued(self, track_id: str) -> SongQuery | None:
        if self._catalogue is None:
            return None
        name = await self._worker.run(self._catalogue.track, track_id)
        return None if name is None else query_of(name.title, name.artist)

    async def _ask_spotify(self, page: str) -> SongQuery | None:
        """Ask for the title of a track; a short link leads to its id first."""
        if self._spotify is None:
            return None
        told = await self._spotify.ask(page)
        led = read_link(told.address) if told.address else None
        if led is not None and led.target is not None and led.target.kind is LinkKind.SPOTIFY_TRACK:
            known = await self._catalogued(led.target.key)
            if known is not None:
                return known
        elif led is not None and led.silence is not None:
            # The page of an album or a playlist, whose title names no song.
            raise LinkSaysNothing("no track", user_message=led.silence)
        return query_of(told.title, None)
