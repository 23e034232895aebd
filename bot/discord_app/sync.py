"""Tells Discord of the commands, only when they changed: a registration is limited to 200 new commands a day."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from discord import app_commands

log = logging.getLogger(__name__)

FILE_NAME: Final = "discord-commands.json"


class CommandSync:
    """Remembers a hash of the commands each application was told of, in one small file."""

    def __init__(self, path: Path) -> None:
        """Keep the hashes at ``path``; a missing or damaged file means that nothing is known."""
        self._path = path

    async def sync(self, tree: app_commands.CommandTree[Any], *, force: bool = False) -> int | None:
        """Register the commands if they changed, or anyway if ``force``; their number, or None if nothing was sent.

        Raises:
            discord.HTTPException: Discord refused them.
        """
        application_id = str(tree.client.application_id)
        payload_hash = hash_of(tree)
        known = self._load()
        if not force and known.get(application_id) == payload_hash:
            return None
        registered = await tree.sync()
        self._save({**known, application_id: payload_hash})
        log.info("event=discord_commands_synced commands=%d", len(registered))
        return len(registered)

    def _load(self) -> dict[str, str]:
        try:
            known = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            log.warning("event=discord_hash_unreadable error=%s", error)
            return {}
        if not isinstance(known, dict):
            log.warning("event=discord_hash_unreadable error=%s", "not an object")
            return {}
        return {str(application): str(value) for application, value in known.items()}

    def _save(self, known: dict[str, str]) -> None:
        """Replace the file as a whole; without it the commands are merely sent again at the next start."""
        staging = self._path.with_suffix(f".{os.getpid()}.tmp")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            staging.write_text(json.dumps(known, indent=1, sort_keys=True), encoding="utf-8")
            staging.replace(self._path)
        except OSError as error:
            log.warning("event=discord_hash_unsaved error=%s", error)
            with suppress(OSError):
                staging.unlink()


def hash_of(tree: app_commands.CommandTree[Any]) -> str:
    """Hash what Discord would be told, the same for the same commands in any order."""
    payload = sorted(
        (command.to_dict(tree) for command in tree.get_commands()), key=lambda one: (one["type"], one["name"])
    )
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
