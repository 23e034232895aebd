"""Of several records of one song, the one that most people play."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.concurrency import deadline
from core.domain import Candidate, Found, Reading, SongName
from core.errors import UpstreamError
from core.lookup.same_song import may_be_split, records_of

if TYPE_CHECKING:
    from core.lookup.source import SongSource

RECORDS_TRIED: Final = 2
"""Further records of a song that are asked for when the source lacks its very name: the first may be a ghost."""

PATIENCE_S: Final = 2.5
"""Longest that an answer at hand waits for a better record, by two calls in turn at most: of the 8 s that people wait,
time is left for the cover and the card."""

OLD_PATIENCE_S: Final = 0.4
"""The same for an old answer: what is newer was waited for already, and another old one is at hand at once or never."""


async def fetch_most_heard(
    source: SongSource, name: SongName, listed: tuple[Candidate, ...] = (), *, fresh: bool = False
) -> Found | None:
    """Fetch a song from its most heard record, also if the source lacks the very name; None if it has none at all.

    Args:
        source: Where the records are.
        name: The song.
        listed: What the source listed already; another list is asked for only if the song is not in it.
        fresh: Ask for new figures even if cached ones are at hand.

    Raises:
        UpstreamError: The source gave no usable answer and nothing older is at hand.
    """
    found = await source.find(Reading(name.title, name.artist), fresh=fresh)
    if found is not None:
        return await most_heard(source, found, listed, fresh=fresh)
    records = records_of(name, listed) or records_of(name, await source.records(name))
    for other in [one.name for one in records if one.name != name][:RECORDS_TRIED]:
        found = await source.find(Reading(other.title, other.artist), fresh=fresh)
        if found is not None:
            return found
    return None


async def most_heard(
    source: SongSource, found: Found, listed: tuple[Candidate, ...] = (), *, fresh: bool = False
) -> Found:
    """Exchange a record for that of the same song which most people play; the record itself if none is at hand.

    The records ``listed`` are compared; only if the song is not among them, and it is little heard for its artist,
    they are asked for. A source that fails or is slow costs no more than the exchange.
    """
    try:
        with deadline(OLD_PATIENCE_S if found.source.stale else PATIENCE_S):
            return await _exchanged(source, found, listed, fresh=fresh)
    except UpstreamError:
        return found


async def _exchanged(source: SongSource, found: Found, listed: tuple[Candidate, ...], *, fresh: bool) -> Found:
    listeners = found.song.listeners or 0
    records = records_of(found.song.name, listed)
    if not records and may_be_split(found.song):
        records = records_of(found.song.name, await source.records(found.song.name))
    if not records or (records[0].listeners or 0) <= listeners:
        return found
    greatest = await source.find(Reading(records[0].name.title, records[0].name.artist), fresh=fresh)
    return found if greatest is None or (greatest.song.listeners or 0) <= listeners else greatest
