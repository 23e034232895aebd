"""The connection to Discord."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import discord

from bot.discord_app.commands import HitmeterTree
from bot.discord_app.controls import LASTING
from bot.discord_app.desk import Desk
from bot.discord_app.sync import CommandSync

log = logging.getLogger(__name__)

# The bot never speaks, so there is no need to warn that it could not.
discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False


class HitmeterClient(discord.AutoShardedClient):
    """Takes interactions only: no privileged intent, no members, no messages kept."""

    def __init__(
        self,
        desk: Desk,
        *,
        command_sync: CommandSync | None,
        shard_count: int | None = None,
        shard_ids: Sequence[int] = (),
    ) -> None:
        """Build the client; it connects with :meth:`start`.

        Args:
            desk: Serves the interactions.
            command_sync: Registers changed commands at start; None leaves them as they are.
            shard_count: Shards over all processes; None asks Discord.
            shard_ids: The shards of this process; empty means all.
        """
        super().__init__(
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            shard_count=shard_count,
            shard_ids=list(shard_ids) or None,  # type: ignore[arg-type]  # None is the library's own "all"
        )
        self.desk = desk
        self.tree = HitmeterTree(self)
        self._command_sync = command_sync

    async def setup_hook(self) -> None:
        """Make old buttons work and register the commands if they changed."""
        self.add_dynamic_items(*LASTING)
        if self._command_sync is None or (self.shard_ids and 0 not in self.shard_ids):
            return  # the process with shard 0 registers for all
        try:
            await self._command_sync.sync(self.tree)
        except (discord.HTTPException, discord.app_commands.AppCommandError) as error:
            log.error("event=discord_sync_failed error=%s", error)

    async def on_ready(self) -> None:
        """Say once that all shards of this process are served."""
        log.info("event=discord_ready guilds=%d shards=%d", len(self.guilds), len(self.shards))

    async def on_shard_disconnect(self, shard_id: int) -> None:
        """Note a dropped connection; discord.py resumes it by itself."""
        log.info("event=discord_disconnected shard=%d", shard_id)

    async def on_shard_resumed(self, shard_id: int) -> None:
        """Note that a dropped connection goes on where it was."""
        log.info("event=discord_resumed shard=%d", shard_id)
