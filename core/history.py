"""Songs that buttons stand for: short stable tokens, and the names behind them."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import threading
from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from core.domain import SongName

log = logging.getLogger(__name__)

TOKEN_CHARS: Final = 12
"""Length of a token: 72 bits, so that a million songs collide with a chance below one in a billion."""

KEPT_SONGS: Final = 100_000
"""Songs remembered; the ones used longest ago are forgotten first."""

UNSTORED_KEPT: Final = 1_000
"""Songs kept in memory while the disk takes none."""

_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS song (token TEXT PRIMARY KEY, title TEXT NOT NULL, artist TEXT NOT NULL,"
    " turn INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS song_turn ON song (turn)",
)
_WITH_ASKED: Final = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'asked'"
_WITHOUT_ASKED: Final = (
    "INSERT OR IGNORE INTO song SELECT token, title, artist, turn FROM asked",
    "DROP TABLE asked",
)
"""Earlier versions also noted which songs had been asked for rather than offered; that is dropped."""


def song_token(name: SongName) -> str:
    """Name a song in twelve URL-safe characters, the same on every machine."""
    digest = hashlib.blake2b(f"{name.title}\x1f{name.artist}".encode(errors="replace"), digest_size=9).digest()
    return urlsafe_b64encode(digest).decode()


class History:
    """Remembers the songs behind buttons, whether asked for or offered, and never by whom or where.

    There is no way to list them: a name is found by its token alone, so that no question can be read from another
    chat.

    One SQLite file, closed to other users of the machine; every method blocks for a disk write at most, so call it
    from a worker thread. A write is committed as a whole or not at all. While the disk is full, read-only or damaged
    the latest songs are kept in memory: an answer is worth more than its being remembered.
    """

    def __init__(self, path: Path | None) -> None:
        """Open or create the file at ``path``; None keeps everything in memory."""
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.touch(mode=0o600)  # SQLite gives its further files the same mode
        self._lock = threading.Lock()
        self._unstored: OrderedDict[str, SongName] = OrderedDict()
        self._failing = False
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        try:
            self._set_up()
        except sqlite3.Error:
            self._db.close()
            raise

    def remember(self, name: SongName) -> str:
        """Note a song that was asked for or offered, and return its token."""
        token = song_token(name)
        with self._lock:
            try:
                self._store(token, name)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.ProgrammingError):
                    raise
                self._failed(error)
                self._unstored[token] = name
                if len(self._unstored) > UNSTORED_KEPT:
                    self._unstored.popitem(last=False)
            else:
                self._failing = False
        return token

    def recall(self, token: str) -> SongName | None:
        """Find the song a token names; None if it was forgotten or never given out."""
        with self._lock:
            rows = self._read("SELECT title, artist FROM song WHERE token = ?", token)
            return SongName(*rows[0]) if rows else self._unstored.get(token)

    def close(self) -> None:
        """Close the file; the history cannot be used afterwards."""
        with self._lock:
            self._db.close()

    def _set_up(self) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        for statement in _SCHEMA:
            self._db.execute(statement)
        if self._db.execute(_WITH_ASKED).fetchone():
            with self._whole():
                # Looked at again: another process with the same folder may have been quicker.
                for statement in _WITHOUT_ASKED if self._db.execute(_WITH_ASKED).fetchone() else ():
                    self._db.execute(statement)

    def _store(self, token: str, name: SongName) -> None:
        with self._whole():
            (turn,) = self._db.execute("SELECT coalesce(max(turn), 0) + 1 FROM song").fetchone()
            self._db.execute(
                "INSERT INTO song VALUES (?, ?, ?, ?) ON CONFLICT (token) DO UPDATE SET turn = excluded.turn",
                (token, _storable(name.title), _storable(name.artist), turn),
            )
            self._db.execute("DELETE FROM song WHERE turn <= ?", (turn - KEPT_SONGS,))

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """Commit what the block writes as a whole, or nothing of it."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # a full disk may have ended it already
                self._db.execute("ROLLBACK")
            raise

    def _read(self, sql: str, value: str) -> list[tuple[str, str]]:
        try:
            return self._db.execute(sql, (value,)).fetchall()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.ProgrammingError):
                raise
            self._failed(error)
            return []

    def _failed(self, error: sqlite3.DatabaseError) -> None:
        if not self._failing:
            log.warning("event=history_failing error=%s", error)
        self._failing = True


def _storable(text: str) -> str:
    """Replace lone surrogates, which SQLite cannot store as UTF-8."""
    return text.encode(errors="replace").decode()
