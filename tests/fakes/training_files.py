"""Made-up training files in the shapes of the real ones, small enough to train on in seconds."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

TRAINED_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

SPOTIFY_COLUMNS = (
    "track_id", "artists", "album_name", "track_name", "popularity", "duration_ms", "explicit", "danceability",
    "energy", "key", "loudness", "mode", "speechiness", "acousticness", "instrumentalness", "liveness", "valence",
    "tempo", "time_signature", "track_genre",
)  # fmt: skip
DATED_COLUMNS = (
    "track", "artist", "album", "album_type", "release_date", "popularity", "label_date", "duration_ms", "explicit",
    "genres", "isrc", "track_id", "source",
)  # fmt: skip
COLLECTIONS = {"charts_2025": ("2025-08", 12.0), "playlists_2023": ("2023-08", 0.0)}
"""Month of the labels and how much more popular the songs of a collection are."""
TAG_SOURCES = {"teotu2024": 3, "mattsandy2019": 5, "hetrec2011": 5, "adammertel": 4}
MOODS = ("chill", "party", "sad", "summer")
GENRE_PULL = {"pop": 1.2, "k-pop": 0.8, "rock": 0.0, "tango": -1.5, "sleep": -1.0}
N_ARTISTS = 320
SONGS_PER_ARTIST = 5


def write_training_files(folder: Path, *, seed: int = 7, n_artists: int = N_ARTISTS) -> Path:
    """Write five packed CSV files; popularity depends on the artist's audience, genre, energy and age."""
    rng = np.random.default_rng(seed)
    spotify, artists, tracks, artist_tags, dated = [], [], [], [], []
    genres = list(GENRE_PULL)
    for number in range(n_artists):
        artist = f"Artist {number}"
        audience = rng.normal(4.5, 1.0)
        genre = genres[rng.integers(len(genres))]
        listeners = int(10**audience)
        plays = int(listeners * rng.uniform(3, 30))
        artists.append([artist, listeners, plays, "A", "B", "C"])
        for source, n_tags in TAG_SOURCES.items():
            tags = [genre, f"{genre} music", MOODS[number % len(MOODS)], f"joke of {number}", "favorites"][:n_tags]
            artist_tags += [[artist, source, rank, tag, ""] for rank, tag in enumerate(tags, start=1)]
        for song in range(SONGS_PER_ARTIST):
            energy, own = rng.random(), rng.normal(0, 1.0)
            drive = 1.6 * (audience - 4.5) + GENRE_PULL[genre] + (energy - 0.5) + own
            popularity = int(np.clip(50 + 10 * drive + rng.normal(0, 4), 0, 100))
            title = f"Song {song} of {number}"
            row = [
                f"id{number}x{song}", f"{artist};Guest" if rng.random() < 0.2 else artist,
                title if rng.random() < 0.3 else f"Album {number}", title, popularity, int(rng.uniform(1e5, 4e5)),
                bool(rng.random() < 0.1), *np.round(rng.random(1), 4), round(energy, 4), int(rng.integers(12)),
                round(rng.uniform(-20, -2), 3), int(rng.integers(2)), *np.round(rng.random(5), 4),
                round(rng.uniform(60, 180), 3), 4, genre,
            ]  # fmt: skip
            spotify.append(row)
            if song == 0:
                spotify.append([*row[:2], "Party Hits 2020", title, 0, *row[5:-1], "rock"])
            if rng.random() < 0.35:
                heard = max(2, int(listeners * 10 ** (0.4 * own - 1.0)))
                tags = f"{genre}|seen live" if rng.random() < 0.7 else ""
                tracks.append([artist, title, f"{heard}.0", f"{heard * 6}.0", 200000.0, tags, "", "test", "2025-05"])
            for collection, (month, shift) in COLLECTIONS.items():
                if rng.random() < 0.3:
                    age_years = rng.exponential(4.0)
                    dated_popularity = int(np.clip(popularity + shift - 3 * age_years + rng.normal(0, 4), 0, 100))
                    released = f"{int(month[:4]) - int(age_years)}-0{rng.integers(1, 6)}-15"
                    dated.append([
                        title, artist, f"Album {number}", "album", released[:4] if song == 1 else released,
                        dated_popularity, month, 200000, "0", "", "", f"id{number}x{song}", collection,
                    ])  # fmt: skip
    _write(folder / "lastfm_artist_tags_test.csv.gz", ("artist", "source", "rank", "tag", "weight"), artist_tags)
    _write(folder / "dated_popularity_test.csv.gz", DATED_COLUMNS, dated)
    _write(folder / "spotify_tracks_test.csv.gz", SPOTIFY_COLUMNS, spotify)
    _write(
        folder / "lastfm_artists_test.csv.gz",
        ("artist", "lastfm_listeners", "lastfm_playcount", "similar_1", "similar_2", "similar_3"),
        artists,
    )
    _write(
        folder / "lastfm_tracks_test.csv.gz",
        ("artist", "track", "listeners", "playcount", "duration_ms", "tags", "album", "source", "collected"),
        tracks,
    )
    return folder


def _write(path: Path, header: tuple[str, ...], rows: list[list[object]]) -> None:
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
