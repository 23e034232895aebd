"""Every error the project raises on purpose, each with the sentence a user reads.

HitmeterError
├── QueryError                  the question itself
│   ├── EmptyQuery
│   ├── QueryTooLong
│   │   └── ArtistTooLong
│   ├── LinkSaysNothing
│   └── NoArtist
├── UpstreamError               Last.fm
│   ├── UpstreamUnavailable
│   ├── UpstreamRefused
│   └── UpstreamGarbled
├── ModelError                  models/
│   ├── ModelMissing
│   └── ModelRejected
├── CatalogueError              data/catalogue.sqlite
│   └── CatalogueOutdated
├── DataError                   files given to scripts
├── DownloadError               a data set of the Hugging Face hub
├── RenderError                 the card
├── SettingsError               environment and .env
└── PlatformError               a chat platform

The text of an exception is for the log and never holds a key or a token. The ``user_message`` is for people: one
or two plain sentences that say what to do next, marked for translation where others than the operator read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from core.language import mark, say
from core.limits import QUERY_MAX_CHARS

HOW_TO_ASK: Final = mark("Ask like this: Blinding Lights - The Weeknd")
"""How to ask for a song."""

HOW_TO_ASK_FOR_ARTIST: Final = mark("Ask like this: /artist The Weeknd")
"""How to ask for an artist."""


class HitmeterError(Exception):
    """The root of all errors raised on purpose."""

    user_message = mark("Something went wrong here. Please try again in a moment.")
    values: ClassVar[Mapping[str, object]] = {}
    """What fills the braces of ``user_message``."""

    def __init__(self, detail: str = "", *, user_message: str | None = None) -> None:
        """Keep ``detail`` for the log and, if given, a more exact sentence for the user."""
        super().__init__(detail or type(self).__name__)
        if user_message is not None:
            self.user_message = user_message

    @property
    def sentence(self) -> str:
        """The ``user_message`` in the language spoken here."""
        return say(self.user_message, **self.values)


class QueryError(HitmeterError):
    """The question cannot be understood as a song."""

    user_message = mark("I could not read a song in that.")
    hint: ClassVar[str] = HOW_TO_ASK
    """Said below the ``user_message``: how to ask."""


class EmptyQuery(QueryError):
    """Nothing is left of the question once decoration is taken away."""

    user_message = mark("Which song?")


class QueryTooLong(QueryError):
    """The question is longer than any song."""

    user_message = mark("That is more than {limit} characters.")
    values: ClassVar[Mapping[str, object]] = {"limit": QUERY_MAX_CHARS}


class LinkSaysNothing(QueryError):
    """A pasted link whose address does not name the song."""

    user_message = mark("That link does not say which song it is.")


class NoArtist(QueryError):
    """Nothing is left of the question for an artist."""

    user_message = mark("Which artist?")
    hint = HOW_TO_ASK_FOR_ARTIST


class ArtistTooLong(QueryTooLong):
    """The question for an artist is longer than any name."""

    hint = HOW_TO_ASK_FOR_ARTIST


class UpstreamError(HitmeterError):
    """Last.fm did not give a usable answer."""

    user_message = mark("Last.fm gave no usable answer. Please try again in a minute.")


class UpstreamUnavailable(UpstreamError):
    """Last.fm is down, slow or limiting us, and nothing older is at hand."""

    user_message = mark("Last.fm is not answering just now. Please try again in a minute.")


class UpstreamRefused(UpstreamError):
    """Last.fm refuses our key: it is wrong or suspended."""

    user_message = mark("Last.fm refuses this bot's key. The operator of the bot has to fix that.")


class UpstreamGarbled(UpstreamError):
    """Last.fm answered with something that is not its documented JSON."""


class ModelError(HitmeterError):
    """The stored model cannot be used."""

    user_message = mark("The model is not ready. The operator of the bot has to fix that.")


class ModelMissing(ModelError):
    """There is no model where it should be."""


class ModelRejected(ModelError):
    """The stored model is damaged, tampered with or made by other rules."""


class CatalogueError(HitmeterError):
    """The song catalogue is damaged."""


class CatalogueOutdated(CatalogueError):
    """The song catalogue is of another version's format and has to be built anew."""


class DataError(HitmeterError):
    """A data file lacks what a script needs; the text names file, column and row."""


class DownloadError(HitmeterError):
    """A file of the hub cannot be fetched; the text is one clause that says why, without addresses."""


class RenderError(HitmeterError):
    """The card could not be drawn."""

    user_message = mark("The picture could not be drawn this time.")


class SettingsError(HitmeterError):
    """A setting has a value that cannot work; the text names it, never its secret value."""


class PlatformError(HitmeterError):
    """A chat platform cannot be served just now; the text is one clear line without secrets."""
