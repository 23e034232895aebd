"""Signs what comes back from outside: buttons and links that this bot is to know again.

A song's token can be worked out from its name, so that anybody could make one up and learn from the answer whether the
song was asked for. A signature keeps them from it.
"""

from __future__ import annotations

import hmac
import logging
import os
from base64 import urlsafe_b64encode
from hashlib import blake2b
from pathlib import Path
from secrets import token_bytes
from typing import Final

log = logging.getLogger(__name__)

SIGNATURE_CHARS: Final = 8
"""48 bits: a forger who tries a thousand signatures a second needs some thousand years."""

KEY_BYTES: Final = 32


class Signer:
    """Signs texts with a key, and tells its own signatures from others."""

    def __init__(self, key: bytes) -> None:
        """Take the key, up to 64 bytes."""
        self._key = key

    def proves(self, body: str, signature: str) -> bool:
        """Whether this key signed ``body``."""
        # Bytes, since compare_digest refuses text that is not ASCII.
        return hmac.compare_digest(signature.encode(errors="replace"), self.signature(body).encode())

    def signature(self, body: str) -> str:
        """Sign a text in eight URL-safe characters."""
        digest = blake2b(body.encode(), key=self._key, digest_size=6).digest()
        return urlsafe_b64encode(digest).decode()


def stored_key(path: Path) -> bytes:
    """Read the key kept in a file, or make one and keep it there, closed to other users of the machine; blocks.

    A file that cannot be read or written is said in the log, and the key is good until the process ends.
    """
    key = token_bytes(KEY_BYTES)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            # Another process with the same folder may be making it: whoever comes second reads the first one's.
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(key)
        except FileExistsError:
            kept = path.read_bytes()
            if len(kept) == KEY_BYTES:
                return kept
            log.warning("event=key_damaged file=%s", path.name)
            path.write_bytes(key)
    except OSError as error:
        log.warning("event=key_not_kept file=%s error=%s", path.name, error)
    return key
