"""What a button carries: an action, a song's token and who may press it, signed so that nobody can make one up."""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Final

from bot.reply import SongToken
from core.history import TOKEN_CHARS

SIGNATURE_CHARS: Final = 8
"""48 bits: a forger who tries a thousand buttons a second needs some thousand years."""

_TOKEN: Final = rf"[A-Za-z0-9_-]{{{TOKEN_CHARS}}}"
_FORM: Final = re.compile(rf"([a-z])({_TOKEN})(?:~({_TOKEN}))?(\d{{0,19}})\.([A-Za-z0-9_-]{{{SIGNATURE_CHARS}}})")


class Action(StrEnum):
    """What a button does."""

    WHY = "w"
    REFRESH = "r"
    COMPARE = "c"
    PICK = "p"
    SHOW = "s"


@dataclass(frozen=True, slots=True)
class ButtonData:
    """One button's meaning.

    Attributes:
        action: What it does.
        token: The song it is about.
        asker: Id of the only one who may press it; None for everybody.
        against: Token of the song to compare a picked one with.
    """

    action: Action
    token: SongToken
    asker: int | None = None
    against: SongToken | None = None


class ButtonSigner:
    """Writes and reads callback data, at most 54 of the 64 bytes that Telegram allows.

    The signature's key is made from the bot's token, so buttons mean the same after a restart and on every process
    that serves the same bot.
    """

    def __init__(self, bot_token: str) -> None:
        """Make the key."""
        self._key = blake2b(bot_token.encode(), digest_size=32, person=b"hitmeter-button").digest()

    def pack(self, data: ButtonData) -> str:
        """Write callback data."""
        against = "" if data.against is None else f"~{data.against}"
        body = f"{data.action}{data.token}{against}{'' if data.asker is None else data.asker}"
        return f"{body}.{self.signature(body)}"

    def unpack(self, text: str | None) -> ButtonData | None:
        """Read callback data; None if this bot never wrote it."""
        form = _FORM.fullmatch(text or "")
        if form is None:
            return None
        action, token, against, asker, signature = form.groups()
        if not self.proves(form[0].rpartition(".")[0], signature):
            return None
        return ButtonData(
            Action(action), SongToken(token), int(asker) if asker else None, SongToken(against) if against else None
        )

    def proves(self, body: str, signature: str) -> bool:
        """Whether this bot signed ``body``."""
        return hmac.compare_digest(signature, self.signature(body))

    def signature(self, body: str) -> str:
        """Sign a text in eight URL-safe characters."""
        digest = blake2b(body.encode(), key=self._key, digest_size=6).digest()
        return urlsafe_b64encode(digest).decode()
