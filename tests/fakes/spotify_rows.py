"""Rows in the shape of the Spotify Tracks Dataset, written by hand for tests."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

HEADER = (
    *("track_id", "artists", "album_name", "track_name", "popularity", "duration_ms", "explicit", "danceability"),
    *("energy", "key", "loudness", "mode", "speechiness", "acousticness", "instrumentalness", "liveness", "valence"),
    *("tempo", "time_signature", "track_genre"),
)


def row(title: str, artists: str, popularity: int = 50, genre: str = "pop", **other: object) -> dict[str, object]:
    """Make one row; ``other`` replaces single columns."""
    cells: dict[str, object] = {
        "track_id": "0",
        "artists": artists,
        "album_name": f"Album of {title}",
        "track_name": title,
        "popularity": popularity,
        "duration_ms": 200_040,
        "explicit": False,
        "loudness": -5.9,
        "tempo": 171.0,
        "key": 1,
        "mode": 1,
        "time_signature": 4,
        "track_genre": genre,
    }
    shares = ("danceability", "energy", "speechiness", "acousticness", "instrumentalness", "liveness", "valence")
    return {**dict.fromkeys(shares, 0.5), **cells, **other}


SONGS = (
    row("Blinding Lights", "The Weeknd", 91, danceability=0.514),
    row("Blinding Lights", "The Weeknd", 0, "dance", danceability=0.1),
    row("Blinding Lights - Remix", "The Weeknd;ROSALÍA", 60),
    row("Blinding Lights", "Lucas Estrada", 51),
    row("The Hills", "The Weeknd", 88, explicit=True),
    row("Chammak Challo", "Akon;Hamsika Iyer", 71, "indian"),
    row("Under Pressure - Remastered 2011", "Queen;David Bowie", 79, "rock"),
    row("Bohemian Rhapsody", "Queen", 80, "rock"),
    row("Hello", "Adele", 74),
    row("Hello", "Lionel Richie", 68),
    row("Help!", "The Beatles", 70),
    row("夜に駆ける", "YOASOBI", 80, "j-pop"),
    row("사랑", "Some One", 30, "k-pop"),
    row("Судно (Борис Рижий)", "Molchat Doma", 75),
    row("Snow (Hey Oh)", "Red Hot Chili Peppers", 79),
    row("None", "NA", 20),
    row("!!!", "???", 5),
    row("Halo", "Beyoncé", 77),
)


def write_csv(path: Path, rows: tuple[dict[str, object], ...] = SONGS, header: tuple[str, ...] = HEADER) -> Path:
    """Write rows as a CSV file, packed if the name ends in .gz."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, header, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    data = text.getvalue().encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path
