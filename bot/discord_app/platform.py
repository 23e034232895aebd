"""Runs the Discord bot until it is to stop, and registers its commands on demand."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import aiohttp
import discord
from pydantic import SecretStr

from bot.discord_app.client import HitmeterClient
from bot.discord_app.commands import HitmeterTree
from bot.discord_app.controls import controls_for
from bot.discord_app.desk import Desk
from bot.discord_app.sync import FILE_NAME, CommandSync
from bot.service import SongService
from bot.throttle import Throttle
from core.errors import SettingsError
from core.settings import Settings

DRAIN_S: Final = 10.0
"""How long answers in flight may take once the bot is to stop."""

CLOSE_S: Final = 2.0
"""How long a closed client may take to return before it is cancelled."""

BAD_TOKEN: Final = "DISCORD_TOKEN is refused by Discord; make a new one on the application's Bot page"  # noqa: S105


class DiscordPlatform:
    """Keeps one connection to Discord with its shards."""

    name = "discord"

    def __init__(self, token: SecretStr, settings: Settings, service: SongService) -> None:
        """Take the bot's token, its settings and what answers; connects in :meth:`run`."""
        self._token = token
        self._settings = settings
        self._service = service
        # Outlives a reconnection, so that a limit met is not forgotten with it.
        self._throttle = Throttle.from_settings(settings, name=self.name)

    @classmethod
    def from_settings(cls, settings: Settings, service: SongService) -> DiscordPlatform:
        """Build the platform.

        Raises:
            SettingsError: There is no DISCORD_TOKEN.
        """
        return cls(_token(settings), settings, service)

    async def run(self, stop: asyncio.Event) -> None:
        """Connect and serve until ``stop`` is set, then finish what is in flight and close everything.

        Raises:
            SettingsError: Discord refuses the token.
            ConnectionError: Discord cannot be reached or ended the session.
        """
        client = self.client()
        async with client:
            serving = asyncio.create_task(client.start(self._token.get_secret_value()), name="discord")
            stopping = asyncio.create_task(stop.wait(), name="discord-stop")
            try:
                await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                stopping.cancel()
                await client.desk.drain(DRAIN_S if stop.is_set() else 0)
                await client.close()
                await _end(serving)
                await self._throttle.aclose()
        error = None if serving.cancelled() else serving.exception()
        if isinstance(error, Exception) and not stop.is_set():
            raise _plainly(error) from error

    def client(self) -> HitmeterClient:
        """Build a client; each connects once."""
        settings = self._settings
        desk = Desk(
            self._service,
            self._throttle,
            controls_for,
            animated=settings.discord_animated,
            admin_ids=settings.discord_admin_ids,
        )
        return HitmeterClient(
            desk,
            command_sync=CommandSync(settings.data_dir / FILE_NAME),
            shard_count=settings.discord_shard_count,
            shard_ids=settings.discord_shard_ids,
        )


async def sync_commands(settings: Settings) -> int:
    """Register the commands whether or not they changed, without serving; their number.

    Raises:
        SettingsError: There is no DISCORD_TOKEN, or Discord refuses it.
        ConnectionError: Discord cannot be reached.
    """
    client = discord.Client(intents=discord.Intents(guilds=True))
    tree = HitmeterTree(client)
    async with client:
        try:
            await client.login(_token(settings).get_secret_value())
            return await CommandSync(Path(settings.data_dir) / FILE_NAME).sync(tree, force=True) or 0
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            raise _plainly(error) from error


async def _end(serving: asyncio.Task[None]) -> None:
    """Wait for a closed client to return; one that is just trying to connect would go on trying."""
    _, pending = await asyncio.wait({serving}, timeout=CLOSE_S)
    for task in pending:
        task.cancel()
        await asyncio.wait({task})


def _token(settings: Settings) -> SecretStr:
    if settings.discord_token is None:
        fault = "DISCORD_TOKEN is not set"
        raise SettingsError(fault, user_message=f"{fault}.")
    return settings.discord_token


def _plainly(error: Exception) -> Exception:
    """Turn what discord.py raises into one clear line."""
    if isinstance(error, discord.LoginFailure):
        return SettingsError(BAD_TOKEN, user_message=f"{BAD_TOKEN}.")
    if isinstance(error, discord.ConnectionClosed):
        return ConnectionError(f"Discord closed the connection with code {error.code}")
    if isinstance(error, discord.HTTPException):
        return ConnectionError(f"Discord answered {error.status}, error code {error.code}")
    if isinstance(error, aiohttp.ClientError | OSError | discord.GatewayNotFound):
        return ConnectionError(f"Discord cannot be reached: {' '.join(str(error).split()) or type(error).__name__}")
    return error
