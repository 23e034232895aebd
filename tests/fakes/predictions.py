"""Predictions to draw and to say, made by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from core.domain import (
    Assessment,
    Block,
    Cover,
    FeatureValue,
    Origin,
    Prediction,
    Reason,
    RecordedPopularity,
    Song,
    Source,
    VerdictBands,
)

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)

FEATURES = (
    FeatureValue("listeners", "Listeners", 2_275_434, "listeners", 99.2, Block.TRACK),
    FeatureValue("playcount", "Plays", 37_246_021, "plays", 99.6, Block.TRACK),
    FeatureValue("plays_per_listener", "Plays per listener", 16.4, "plays per listener", 82.0, Block.TRACK),
    FeatureValue("artist_listeners", "Artist listeners", 4_512_003, "listeners", 98.7, Block.ARTIST),
    FeatureValue("duration", "Length", 200_040, "ms", 36.0),
    FeatureValue("tempo", "Tempo", 171, "BPM"),
    FeatureValue("danceability", "Danceability", 0.51, "", 22.4, Block.AUDIO),
)

PUSH = Reason("listeners", "many listeners", 1.4, 2_275_434, "listeners")
BANDS = VerdictBands()


def prediction(
    title: str = "Blinding Lights",
    artist: str = "The Weeknd",
    *,
    probability: float = 0.923,
    features: tuple[FeatureValue, ...] = FEATURES,
    push: Reason | None = PUSH,
    origin: Origin = Origin.LASTFM,
    age: timedelta = timedelta(minutes=2),
    stale: bool = False,
    bands: VerdictBands = BANDS,
    popularity: RecordedPopularity | None = None,
) -> Prediction:
    """Make a prediction whose verdict follows from ``probability``."""
    assessment = Assessment(
        probability=probability,
        verdict=bands.verdict(probability),
        features=features,
        reasons=(push,) if push else (),
        view=(Block.TRACK, Block.ARTIST),
        bands=bands,
        base_rate=0.121,
        trained_at=datetime(2026, 11, 22, tzinfo=UTC),
    )
    source = Source(origin, NOW - age, stale)
    return Prediction(
        song=Song(title=title, artist=artist), assessment=assessment, source=source, popularity=popularity
    )


def plain_cover(red: int, green: int, blue: int, side_px: int = 420) -> Cover:
    """Make a cover of one colour."""
    return Cover(bytes((red, green, blue)) * (side_px * side_px), side_px)
