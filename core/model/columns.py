"""Columns, separators and words shared by every table that is read."""

from __future__ import annotations

from typing import Final

AUDIO_COLUMNS: Final = (
    "danceability", "energy", "loudness", "speechiness", "acousticness", "instrumentalness", "liveness", "valence",
    "tempo",
)  # fmt: skip
"""The nine audio features that the predecessor used, in its order of kinds."""

SPOTIFY_NUMBERS: Final[dict[str, tuple[float, float]]] = {
    "popularity": (0, 100),
    "duration_ms": (0, 36_000_000),
    **dict.fromkeys(AUDIO_COLUMNS, (0, 1)),
    "loudness": (-100, 20),
    "tempo": (0, 1000),
    "key": (-1, 11),
    "mode": (0, 1),
    "time_signature": (0, 16),
}
"""Number columns of the Spotify Tracks Dataset with the least and greatest value that make sense."""

TRUE_WORDS: Final = frozenset({"true", "1", "yes"})
FALSE_WORDS: Final = frozenset({"false", "0", "no"})

CREDIT_SEPARATOR: Final = ";"
"""Stands between credited artists."""

TAG_SEPARATOR: Final = "|"
"""Stands between tags."""
