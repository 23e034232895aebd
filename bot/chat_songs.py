"""Songs answered for in a chat where everyone read the answer: what completion may offer there, and nowhere else."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from typing import Final

from core.domain import SongName
from core.lookup.normalise import fold

CHATS_KEPT: Final = 1_000
"""Chats whose songs are remembered; the one quiet for longest is forgotten first."""

SONGS_KEPT: Final = 50
"""Songs remembered of one chat; the oldest is forgotten first."""

SONGS_SHOWN: Final = 5
"""Most of them that one completion lists."""


class ChatSongs:
    """Remembers, in memory only, the last songs that a chat has read answers about.

    Whoever calls :meth:`note` vouches that everyone in the chat could read the answer. A chat is any key that an
    adapter tells its chats apart by; songs of one are never listed in another.
    """

    def __init__(self, chats: int = CHATS_KEPT, songs: int = SONGS_KEPT) -> None:
        """Remember so many chats, and so many songs of each."""
        self._chats_kept = chats
        self._songs_kept = songs
        self._chats: OrderedDict[Hashable, OrderedDict[SongName, None]] = OrderedDict()

    def note(self, chat: Hashable, names: Iterable[SongName]) -> None:
        """Note songs that a chat has just read an answer about."""
        songs = self._chats.setdefault(chat, OrderedDict())
        self._chats.move_to_end(chat)
        for name in names:
            songs[name] = None
            songs.move_to_end(name)
        while len(songs) > self._songs_kept:
            songs.popitem(last=False)
        while len(self._chats) > self._chats_kept:
            self._chats.popitem(last=False)

    def complete(self, chat: Hashable, prefix: str, limit: int = SONGS_SHOWN) -> tuple[SongName, ...]:
        """List the chat's songs that hold what is typed, the latest first."""
        typed = fold(prefix)
        if not typed and prefix.strip():
            return ()
        fitting = [name for name in reversed(self._chats.get(chat, ())) if typed in fold(f"{name.title} {name.artist}")]
        return tuple(fitting[:limit])
