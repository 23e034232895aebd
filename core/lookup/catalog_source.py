"""Answers without Last.fm: recorded figures where there are some, else what the catalogue knows of a song."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Final

from core.domain import Candidate, Found, Origin, Reading, RecordedPopularity, SongName, Source
from core.lookup.dataset import RECORDED_ON, CatalogueEntry

if TYPE_CHECKING:
    from core.concurrency import SerialExecutor
    from core.lookup.catalog import Catalogue
    from core.lookup.demo import RecordedFigures

CATALOGUE_SOURCE: Final = Source(Origin.CATALOGUE, datetime.combine(RECORDED_ON, time(), UTC))


class CatalogueSource:
    """A :class:`core.lookup.source.SongSource` over recorded figures and the catalogue; nothing is ever asked for.

    A song of the catalogue is given as the model learnt it, with the title as the data set writes it, so that what was
    measured with genres, audio, title and credits alone is what answers.
    """

    def __init__(self, recorded: RecordedFigures | None, catalogue: Catalogue | None, worker: SerialExecutor) -> None:
        """Take what is at hand, either of which may be missing; ``worker`` looks into the catalogue."""
        self._recorded = recorded
        self._catalogue = catalogue
        self._worker = worker

    async def find(self, reading: Reading, *, fresh: bool = False) -> Found | None:
        """Fetch the song of exactly this title and artist, spelling apart; ``fresh`` changes nothing."""
        if self._recorded is not None and (found := await self._recorded.find(reading)) is not None:
            return found
        if self._catalogue is None:
            return None
        entry = await self._worker.run(self._catalogue.find, SongName(reading.title, reading.artist or ""))
        return None if entry is None else _found(entry)

    async def search(self, reading: Reading) -> tuple[Candidate, ...]:
        """List the recorded songs that are like the reading; whoever resolves searches the catalogue anyway."""
        return () if self._recorded is None else await self._recorded.search(reading)

    async def records(self, name: SongName) -> tuple[Candidate, ...]:
        """List the one record there is of a recorded song."""
        return () if self._recorded is None else await self._recorded.records(name)

    async def aclose(self) -> None:
        """Leave the catalogue open: it belongs to whoever opened it."""


def recorded_popularity(entry: CatalogueEntry) -> RecordedPopularity:
    """Tell what the catalogue says of a song's popularity, with its year."""
    return RecordedPopularity(entry.popularity, RECORDED_ON.year, entry.rerelease)


def _found(entry: CatalogueEntry) -> Found:
    song = replace(entry.song, title=entry.full_title or entry.song.title)
    return Found(song, CATALOGUE_SOURCE, recorded_popularity(entry))
