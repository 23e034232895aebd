"""The services that know releases without a key, each at its own rate and behind its own breaker."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from core.domain import SongName
from core.errors import UpstreamError
from core.lookup.listing import Listing, same_recording
from core.lookup.release_parse import (
    DeezerFound,
    deezer_params,
    itunes_params,
    musicbrainz_params,
    parse_deezer,
    parse_deezer_day,
    parse_itunes,
    parse_musicbrainz,
)
from core.lookup.service import Service
from core.lookup.transport import RequestRate
from core.version import VERSION

DATED: Final = 3
"""Tracks of Deezer that are asked for their day, on different albums."""

ITUNES_RATE: Final = RequestRate(burst=5, window_s=60.0, per_window=20)
"""Apple: "approximately 20 calls per minute"."""

DEEZER_RATE: Final = RequestRate(burst=20, window_s=5.0, per_window=40)
"""Deezer: 50 requests in 5 seconds, of which pasted links may use 10."""

MUSICBRAINZ_RATE: Final = RequestRate(burst=1, window_s=60.0, per_window=60)
"""MusicBrainz: one request a second on average; whoever asks more is refused altogether."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What one service knows; not ``complete`` if some of its requests failed."""

    listings: tuple[Listing, ...]
    complete: bool = True


class ReleaseSource(Service, ABC):
    """One service that knows releases."""

    async def find(self, name: SongName) -> Answered:
        """List what may be ``name``, other songs and versions among them.

        Raises:
            UpstreamError: The service gave no usable answer, is given time to recover or was not asked for want of
                room in our rate.
        """
        return await self._find(name, asyncio.get_running_loop().time() + self._timeout_s)

    @abstractmethod
    async def _find(self, name: SongName, until: float) -> Answered:
        """Do as :meth:`find` says, by ``until`` of the loop's clock."""


class ITunes(ReleaseSource):
    """iTunes Search: day, album, cover, length and explicitness in one request."""

    label = "itunes"

    async def _find(self, name: SongName, until: float) -> Answered:
        return Answered(await self._ask(self.url.update_query(itunes_params(name)), parse_itunes, until))


class Deezer(ReleaseSource):
    """Deezer: a search, then the days of the few tracks that are the song."""

    label = "deezer"

    async def _find(self, name: SongName, until: float) -> Answered:
        found = await self._ask(self.url.update_query(deezer_params(name)), parse_deezer, until)
        chosen = await self._worker.run(_worth_dating, name, found)
        days = await asyncio.gather(*(self._day(one.track_id, until) for one in chosen), return_exceptions=True)
        complete = True
        listings = {one.track_id: one.listing for one in found}
        for one, day in zip(chosen, days, strict=True):
            if isinstance(day, UpstreamError):
                complete = False
            elif isinstance(day, BaseException):
                raise day
            else:
                listings[one.track_id] = replace(one.listing, released=day)
        return Answered(tuple(listings.values()), complete)

    async def _day(self, track_id: int, until: float) -> date | None:
        return await self._ask(self.url.parent / "track" / str(track_id), parse_deezer_day, until)


class MusicBrainz(ReleaseSource):
    """MusicBrainz: the day of a recording's first release, often where shops know only a re-release."""

    label = "musicbrainz"
    limited = Service.limited | {503}

    async def _find(self, name: SongName, until: float) -> Answered:
        address = (self.url / "recording").with_query(musicbrainz_params(name))
        return Answered(await self._ask(address, parse_musicbrainz, until))


def musicbrainz_agent(contact: str) -> str:
    """Name ourselves as MusicBrainz asks for: "name/version ( contact )"."""
    return f"Hitmeter/{VERSION} ( {contact or 'song popularity bot'} )"


def _worth_dating(name: SongName, found: tuple[DeezerFound, ...]) -> tuple[DeezerFound, ...]:
    """Choose the tracks whose day counts: the song itself, one of each album, compilations last."""
    same = set(map(id, same_recording(name, (one.listing for one in found))))
    by_album: dict[int | None, DeezerFound] = {}
    for one in sorted(found, key=lambda one: one.listing.compilation):
        if id(one.listing) in same:
            by_album.setdefault(one.album_id or -one.track_id, one)
    return tuple(by_album.values())[:DATED]
