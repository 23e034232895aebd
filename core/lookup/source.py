"""What every source of songs offers, so that the predictor need not know which one answers."""

from __future__ import annotations

from typing import Protocol

from core.domain import Candidate, Found, Reading, SongName


class SongSource(Protocol):
    """Finds songs and their figures: Last.fm live, or the recorded figures without a key."""

    async def find(self, reading: Reading, *, fresh: bool = False) -> Found | None:
        """Fetch the song named by title and artist; None if the source has no such song.

        Args:
            reading: Title and artist; both must be given.
            fresh: Ask anew even if a cached answer is at hand.

        Raises:
            UpstreamError: The source gave no usable answer and nothing older is at hand.
        """
        ...

    async def search(self, reading: Reading) -> tuple[Candidate, ...]:
        """List songs that may be meant, in the source's own order; the artist may be None.

        Raises:
            UpstreamError: As for :meth:`find`.
        """
        ...

    async def records(self, name: SongName) -> tuple[Candidate, ...]:
        """List what the source holds of this title and artist, under the plain title and decorated ones.

        One request, for a source that asks. Other recordings of the song and mere likenesses may be among them.

        Raises:
            UpstreamError: As for :meth:`find`.
        """
        ...

    async def aclose(self) -> None:
        """Free connections; the source cannot be used afterwards."""
        ...
