"""What Telegram's refusals mean, and which of them are everyday life."""

from __future__ import annotations

import re
from typing import Final

from telegram.error import BadRequest, ChatMigrated, Forbidden, NetworkError, RetryAfter, TelegramError

_NOT_MODIFIED: Final = re.compile("message is not modified", re.IGNORECASE)
_CANNOT_EDIT: Final = re.compile(
    "message to edit not found|message can't be edited|there is no (text|media|caption) in the message"
    "|MESSAGE_ID_INVALID|message to be replied not found",
    re.IGNORECASE,
)
_UNKNOWN_FILE: Final = re.compile(r"wrong (remote )?file|wrong.*file.?(id|reference)|FILE_REFERENCE_\w+", re.IGNORECASE)
_NO_PICTURES: Final = re.compile(
    "not enough rights to send (photos|animations|gifs)|CHAT_SEND_(MEDIA|PHOTOS|GIFS)_FORBIDDEN", re.IGNORECASE
)
_NOBODY_READS: Final = re.compile(
    "topic_closed|topic_deleted|message thread not found|chat not found|have no rights to send"
    "|not enough rights to send text|CHAT_WRITE_FORBIDDEN|CHAT_SEND_PLAIN_FORBIDDEN|CHAT_RESTRICTED"
    "|message to delete not found|message can't be deleted|query is too old|query_id_invalid|query ID is invalid"
    "|user is deactivated|PEER_ID_INVALID|group chat was upgraded",
    re.IGNORECASE,
)
"""Texts of Telegram's answers, which come without codes (td/telegram/MessagesManager and the Bot API server)."""


def is_unchanged(error: TelegramError) -> bool:
    """The message already says exactly this."""
    return isinstance(error, BadRequest) and _NOT_MODIFIED.search(error.message) is not None


def is_beyond_editing(error: TelegramError) -> bool:
    """The message was deleted, is too old or is of another kind."""
    return isinstance(error, BadRequest) and _CANNOT_EDIT.search(error.message) is not None


def is_unknown_file(error: TelegramError) -> bool:
    """Telegram no longer takes a file id."""
    return isinstance(error, BadRequest) and _UNKNOWN_FILE.search(error.message) is not None


def forbids_pictures(error: TelegramError) -> bool:
    """The chat lets the bot write, but not send pictures."""
    return isinstance(error, BadRequest) and _NO_PICTURES.search(error.message) is not None


def is_everyday(error: BaseException) -> bool:
    """Nobody is there to read the answer, or the network failed: one line in the log is enough."""
    if isinstance(error, BadRequest):
        told = (_NOT_MODIFIED, _CANNOT_EDIT, _NO_PICTURES, _NOBODY_READS)
        return any(pattern.search(error.message) for pattern in told)
    return isinstance(error, Forbidden | NetworkError | RetryAfter | ChatMigrated)


def is_trouble_of_the_network(error: BaseException | None) -> bool:
    """An answer was lost on the way, rather than that nobody would read it."""
    return isinstance(error, NetworkError | RetryAfter) and not isinstance(error, BadRequest)
