"""An artist's songs by predicted popularity, and the one among them whose chance is a surprise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Final

from core.domain import ArtistRanking, ArtistSongs, RankedSong, Surprise

if TYPE_CHECKING:
    from core.model.hit_model import HitModel

SURPRISE_SONGS_MIN: Final = 6
"""With fewer songs of known listeners a place says nothing."""

SURPRISE_PLACES: Final = 1 / 3
"""Share of the songs by which the two places of a surprise differ at least."""

SURPRISE_PROBABILITY: Final = 0.10
"""Least difference between a surprise's chance and that of the song which stands, by chance, where the surprise stands
by listeners. Among songs of nearly the same chance the places are a matter of decimals."""


def rank_artist(found: ArtistSongs, model: HitModel, as_of: date) -> ArtistRanking:
    """Rank an artist's songs by their probability; takes some milliseconds of a core, so call it off the event loop.

    Args:
        found: The songs, the most heard first; of equal probabilities that order stays.
        model: Judges them all in one go.
        as_of: The day for which the songs' ages are counted.
    """
    probabilities = model.probabilities(found.songs, as_of)
    judged = [
        RankedSong(song, float(probability), model.bands.verdict(float(probability)))
        for song, probability in zip(found.songs, probabilities, strict=True)
    ]
    ranked = tuple(sorted(judged, key=lambda one: -one.probability))
    return ArtistRanking(
        artist=found.artist,
        songs=ranked,
        source=found.source,
        bands=model.bands,
        base_rate=model.base_rate,
        trained_at=model.trained_at,
        surprise=find_surprise(ranked),
    )


def find_surprise(ranked: Sequence[RankedSong]) -> Surprise | None:
    """Find the song with the greatest gap between its place by listeners and that by chance.

    Args:
        ranked: Songs by falling probability; those without known listeners are passed over.

    Returns:
        None if no gap is great, in places or in chance.
    """
    known = [one for one in ranked if one.song.listeners is not None]
    if len(known) < SURPRISE_SONGS_MIN:
        return None
    by_listeners = sorted(range(len(known)), key=lambda place: -(known[place].song.listeners or 0))
    found: tuple[int, Surprise] | None = None
    for place, chance_place in enumerate(by_listeners):
        gap = abs(place - chance_place)
        expected, own = known[place].probability, known[chance_place].probability
        if gap < SURPRISE_PLACES * len(known) or abs(own - expected) < SURPRISE_PROBABILITY:
            continue
        if found is None or gap > found[0]:
            found = gap, Surprise(known[chance_place], place + 1, chance_place + 1)
    return None if found is None else found[1]
