from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import discord
import pytest

from bot.discord_app.subject import subject_of

YOUTUBE = "https://www.youtube.com/watch?v=fJ9rUzIMcZQ"
SPOTIFY = "https://open.spotify.com/track/0VjIjW4GlUZAMYd2vXMi3b"
VIDEO = {
    "type": "video",
    "title": "Queen – Bohemian Rhapsody (Official Video Remastered)",
    "author": {"name": "Queen Official"},
    "provider": {"name": "YouTube"},
}
TRACK = {"title": "Blinding Lights", "description": "The Weeknd · Song · 2020", "provider": {"name": "Spotify"}}


def message(content: str, *embeds: dict[str, Any]) -> SimpleNamespace:
    return SimpleNamespace(content=content, embeds=[discord.Embed.from_dict(embed) for embed in embeds])


@pytest.mark.parametrize(
    ("given", "subject"),
    [
        (message("Hello - Adele"), "Hello - Adele"),
        (message("<@1> <#2> <:note:3>\n\n  Hello - Adele  \nmore"), "Hello - Adele"),
        (message("", {}, {"title": "Hello — Adele"}), "Hello — Adele"),
        (message("https://www.last.fm/music/Adele/_/Hello"), "https://www.last.fm/music/Adele/_/Hello"),
        (message("<3 this song"), "<3 this song"),
        (message(" \n", {}, {"title": " "}), ""),
        (message("x" * 500), "x" * 200),
        (message(f"listen to this: {YOUTUBE}", VIDEO), "Queen – Bohemian Rhapsody (Official Video Remastered)"),
        (message(YOUTUBE, VIDEO | {"title": "Hello", "author": {"name": "AdeleVEVO"}}), "Hello - Adele"),
        (message(YOUTUBE), YOUTUBE),
        (message(SPOTIFY, TRACK), "Blinding Lights - The Weeknd"),
        (message(SPOTIFY, TRACK | {"description": "Song · The Weeknd · 2020"}), "Blinding Lights - The Weeknd"),
        (message(SPOTIFY, TRACK | {"description": ""}), "Blinding Lights"),
        (message(f"Hello - Adele {YOUTUBE}", VIDEO), f"Hello - Adele {YOUTUBE}"),
        (message("https://tidal.com/track/1", {"title": "Hello by Adele"}), "Hello by Adele"),
    ],
)
def test_the_first_thing_said_is_the_song(given: SimpleNamespace, subject: str) -> None:
    assert subject_of(given) == subject
