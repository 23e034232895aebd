"""The connection to Discord: it registers changed commands, and serves until it is to stop."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import aiohttp
import discord
from discord import app_commands
from pydantic import SecretStr

from bot.discord_bot.commands import CommandTranslator, HitmeterTree
from bot.discord_bot.interaction import InteractionHandler
from bot.discord_bot.views import LASTING, view_for
from bot.rate_limits import RateLimiter
from bot.runtime import OnServing, ignore_serving
from bot.service import SongService
from core.errors import SettingsError
from core.settings import Settings

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
        translator = CommandTranslator()
        await tree.set_translator(translator)
        payload_hash = await hash_of(tree, translator)
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


async def hash_of(tree: app_commands.CommandTree[Any], translator: app_commands.Translator) -> str:
    """Hash what Discord would be told, in all languages, the same for the same commands in any order."""
    payload = [await command.get_translated_payload(tree, translator) for command in tree.get_commands()]
    payload.sort(key=lambda one: (one["type"], one["name"]))
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()


# The bot never speaks, so there is no need to warn that it could not.
discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False


class HitmeterClient(discord.AutoShardedClient):
    """Takes interactions only: no privileged intent, no members, no messages kept."""

    def __init__(
        self,
        handler: InteractionHandler,
        *,
        command_sync: CommandSync | None,
        shard_count: int | None = None,
        shard_ids: Sequence[int] = (),
        on_serving: OnServing = ignore_serving,
    ) -> None:
        """Build the client; it connects with :meth:`start`.

        Args:
            handler: Handles the interactions.
            command_sync: Registers changed commands at start; None leaves them as they are.
            shard_count: Shards over all processes; None asks Discord.
            shard_ids: The shards of this process; empty means all.
            on_serving: Told, whenever a connection comes or goes, whether there is any.
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
        self.interaction_handler = handler
        self.tree = HitmeterTree(self)
        self._command_sync = command_sync
        self._connected_shards: set[int] = set()
        self._on_serving = on_serving

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

    async def on_shard_connect(self, shard_id: int) -> None:
        """Note a new connection, through which interactions come from now on."""
        self._connected_shards.add(shard_id)
        self._on_serving(True)

    async def on_shard_disconnect(self, shard_id: int) -> None:
        """Note a dropped connection; discord.py resumes it by itself."""
        log.info("event=discord_disconnected shard=%d", shard_id)
        self._connected_shards.discard(shard_id)
        self._on_serving(bool(self._connected_shards))

    async def on_shard_resumed(self, shard_id: int) -> None:
        """Note that a dropped connection goes on where it was."""
        log.info("event=discord_resumed shard=%d", shard_id)
        self._connected_shards.add(shard_id)
        self._on_serving(True)


DRAIN_S: Final = 6.0
"""How long answers in flight may take once the bot is to stop."""

TELL_S: Final = 3.0
"""How long it may take to tell the others; with DRAIN_S it stays below the 10 s after which Docker kills."""

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
        self._rate_limiter = RateLimiter.from_settings(settings, name=self.name)
        self._client: HitmeterClient | None = None

    @classmethod
    def from_settings(cls, settings: Settings, service: SongService) -> DiscordPlatform:
        """Build the platform.

        Raises:
            SettingsError: There is no DISCORD_TOKEN.
        """
        return cls(_token(settings), settings, service)

    async def run(self, stop: asyncio.Event, on_serving: OnServing = ignore_serving) -> None:
        """Connect and serve until ``stop`` is set, then finish what is in flight and close everything.

        Raises:
            SettingsError: Discord refuses the token.
            ConnectionError: Discord cannot be reached or ended the session.
        """
        client = self._client = self.client(on_serving)
        async with client:
            serving = asyncio.create_task(client.start(self._token.get_secret_value()), name="discord")
            stopping = asyncio.create_task(stop.wait(), name="discord-stop")
            try:
                await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                stopping.cancel()
                self._client = None
                await client.interaction_handler.drain(*((DRAIN_S, TELL_S) if stop.is_set() else (0, 0)))
                await client.close()
                await _end(serving)
                await self._rate_limiter.aclose()
        error = None if serving.cancelled() else serving.exception()
        if isinstance(error, Exception) and not stop.is_set():
            raise _plainly(error) from error

    async def tell_administrators(self, sentence: str) -> None:
        """Write to each of DISCORD_ADMIN_IDS; see :class:`bot.runtime.Platform`."""
        client, shards = self._client, self._settings.discord_shard_ids
        if client is None or not client.is_ready() or (shards and 0 not in shards):
            return  # of several processes the one with shard 0 tells for all
        for admin_id in self._settings.discord_admin_ids:
            try:
                await (await client.fetch_user(admin_id)).send(sentence)
            except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
                # Somebody who shares no server with the bot, or wants no messages, cannot be written to.
                log.info("event=discord_administrator_untold error=%s", error)

    def client(self, on_serving: OnServing = ignore_serving) -> HitmeterClient:
        """Build a client; each connects once."""
        settings = self._settings
        handler = InteractionHandler(
            self._service,
            self._rate_limiter,
            view_for,
            animated=settings.discord_animated,
            admin_ids=settings.discord_admin_ids,
        )
        return HitmeterClient(
            handler,
            command_sync=CommandSync(settings.data_dir / FILE_NAME),
            shard_count=settings.discord_shard_count,
            shard_ids=settings.discord_shard_ids,
            on_serving=on_serving,
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
