"""Tables of the loopback Last.fm from files, to try the bot on many songs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from tests.fakes.lastfm_table import FakeArtist, FakeSong


def load_artists(path: Path) -> list[FakeArtist]:
    """Read ``artist, lastfm_listeners, lastfm_playcount`` (.gz too)."""
    return [
        FakeArtist(row["artist"], _whole(row["lastfm_listeners"]), _whole(row["lastfm_playcount"]), ())
        for row in _rows(path)
    ]


def load_songs(path: Path) -> list[FakeSong]:
    """Read ``artist, track, listeners, playcount, duration_ms, tags, album`` (.gz too), the least heard first."""
    songs = [
        FakeSong(
            title=row["track"],
            artist=row["artist"],
            listeners=_whole(row["listeners"]),
            playcount=_whole(row["playcount"]),
            album=row["album"],
            duration_ms=_whole(row["duration_ms"]),
            tags=tuple(tag for tag in row["tags"].split("|") if tag)[:5],
            art="",
        )
        for row in _rows(path)
    ]
    return sorted(songs, key=lambda song: song.listeners)


def made_up_songs(path: Path, artists: list[FakeArtist]) -> list[FakeSong]:
    """Read the Spotify Tracks Dataset (.gz too) and make up figures: the more popular, the more of the artist's."""
    audience = {artist.name: artist.listeners for artist in artists}
    best: dict[tuple[str, str], FakeSong] = {}
    for row in sorted(_rows(path), key=lambda row: _whole(row["popularity"])):
        artist = row["artists"].split(";")[0]
        share = (_whole(row["popularity"]) / 100) ** 2
        listeners = 30 + int(audience.get(artist, 1000) * share * 0.8)
        best[artist, row["track_name"]] = FakeSong(
            title=row["track_name"],
            artist=artist,
            listeners=listeners,
            playcount=listeners * 8,
            album=row["album_name"],
            duration_ms=_whole(row["duration_ms"]),
            tags=(row["track_genre"],),
            art="",
        )
    return [song for song in best.values() if song.title and song.artist]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    table = pd.read_csv(path, keep_default_na=False, dtype=str)
    return (dict(zip(table.columns, row, strict=True)) for row in table.itertuples(index=False, name=None))


def _whole(value: str) -> int:
    return int(float(value)) if value else 0
