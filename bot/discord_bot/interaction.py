"""One interaction, from its admission and acknowledgement to its answer.

Discord wants an acknowledgement within 3 s, and that fixes who sees the answer. A question is acknowledged at once and
publicly (unless its asker wants it private). When the answer turns out to be for the asker alone - "did you mean",
"not found", a fault - it follows privately and the public placeholder is deleted, so that nobody else is left with
anything. The placeholder has to be edited before: to Discord a message that follows a pending one is an edit of it, and
an edit cannot make it private.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final, TypeVar
from weakref import WeakSet

import aiohttp
import discord
from discord.utils import MISSING

from bot import messages
from bot.discord_bot.formatting import Dressed, dress, format_plain
from bot.rate_limits import Throttle
from bot.replies import limited_reply
from bot.reply import Reply, ResultCode, text_reply
from bot.service import SongService

log = logging.getLogger(__name__)


def common_channel(interaction: discord.Interaction) -> int | None:
    """Find the channel or group whose members read each other's answers; None in a chat of one or two people.

    A channel rather than its server: not everyone on a server may read all of its channels.
    """
    channel = interaction.channel
    in_group = channel is not None and channel.type is discord.ChannelType.group
    return interaction.channel_id if interaction.guild_id is not None or in_group else None


def is_private(message: discord.Message | None) -> bool:
    """Whether only one person sees a message; also if Discord made it so by itself, for want of a permission."""
    return message is not None and message.flags.ephemeral


def may_attach(interaction: discord.Interaction) -> bool:
    """Whether pictures may be sent; private chats have no permissions to lack."""
    return interaction.guild_id is None or interaction.app_permissions.attach_files


def may_embed(interaction: discord.Interaction) -> bool:
    """Whether embeds may be sent."""
    return interaction.guild_id is None or interaction.app_permissions.embed_links


def lacking(interaction: discord.Interaction, reply: Reply) -> tuple[str, ...]:
    """Name the permissions missing for a reply as an embed with its card."""
    names = []
    if not may_embed(interaction):
        names.append(messages.PERMISSION_EMBED)
    if reply.card is not None and not may_attach(interaction):
        names.append(messages.PERMISSION_ATTACH)
    return tuple(names)


T = TypeVar("T")

OVER: Final = frozenset({10008, 10015, 10062, 40060, 50027})
"""Error codes of an interaction that can no longer be answered.

Unknown message, unknown webhook, unknown interaction (3 s are over), already acknowledged, and invalid webhook token
(15 min are over).
"""


class ExchangeOver(Exception):
    """The interaction can no longer be answered; nobody waits for it."""


class AttachedView(discord.ui.View):
    """Buttons and lists that know the message they stand under, once it is sent."""

    message: discord.Message | None = None


class _Place(Enum):
    PLACEHOLDER = auto()
    CLICKED_MESSAGE = auto()
    AFTER_CHOICE = auto()


class Exchange:
    """Acknowledges one interaction and delivers its answer where it belongs.

    Discord's 429 and 5xx are retried by discord.py, up to five times in all. The answer goes out as an edit of the
    acknowledgement wherever possible: unlike a new message, an edit that is retried cannot appear twice.
    """

    def __init__(self, interaction: discord.Interaction) -> None:
        """Take an interaction that nothing has responded to yet."""
        self.interaction = interaction
        self._private = False
        self._place = _Place.PLACEHOLDER

    async def open(self, *, private: bool) -> None:
        """Acknowledge with a placeholder.

        Raises:
            ExchangeOver: It came too late.
        """
        self._private = private
        await self._send(self.interaction.response.defer(ephemeral=private, thinking=True))

    async def open_in_place(self) -> None:
        """Acknowledge a button whose own message will be replaced by the answer."""
        self._place = _Place.CLICKED_MESSAGE
        await self._send(self.interaction.response.defer())

    async def open_after_choice(self, notice: str, *, private: bool) -> None:
        """Acknowledge a choice: the list gives way to ``notice``, and then to the answer."""
        self._private = private
        self._place = _Place.AFTER_CHOICE
        await self._send(self.interaction.response.edit_message(content=notice, view=None))

    async def answer(self, reply: Reply, view: AttachedView | None = None, *, animated: bool = False) -> bool:
        """Deliver the answer with its card, ``animated`` or not; as plain text if Discord refuses the full one.

        Returns:
            Whether it stands there now for everyone in the channel to read.

        Raises:
            ExchangeOver: The interaction expired meanwhile.
        """
        missing = lacking(self.interaction, reply)
        # Not drawn in vain: without these permissions the answer is text.
        picture = None if missing or reply.card is None else await reply.card(animated=animated)
        dressed = dress(reply, picture, missing)
        private = self._private or reply.private
        withdrawn = self._place is _Place.PLACEHOLDER and private and not self._private
        if withdrawn:
            await self._send(self.interaction.edit_original_response(content=messages.ANSWERED_PRIVATELY))
        message = await self._delivered(dressed, view, reply, private=private)
        if message is not None and (withdrawn or self._place is _Place.AFTER_CHOICE):
            await self._remove()
        return message is not None and not private and not is_private(message)

    async def tell(self, reply: Reply) -> None:
        """Answer at once and privately, whether or not the interaction was acknowledged.

        Raises:
            ExchangeOver: It came too late.
        """
        dressed = dress(reply, lacking=lacking(self.interaction, reply))
        if self.interaction.response.is_done():
            await self.answer(reply)
        elif dressed.embed is not None:
            await self._send(self.interaction.response.send_message(embed=dressed.embed, ephemeral=True))
        else:
            await self._send(self.interaction.response.send_message(dressed.content, ephemeral=True))

    async def stay_silent(self) -> None:
        """End the interaction without a word: nothing is shown to anyone."""
        if self.interaction.type is discord.InteractionType.application_command:
            await self._send(self.interaction.response.defer(ephemeral=True))
            await self._remove()
        else:
            await self._send(self.interaction.response.defer())

    async def _delivered(
        self, dressed: Dressed, view: AttachedView | None, reply: Reply, *, private: bool
    ) -> discord.Message | None:
        """Deliver in full; once more if the connection broke, and as plain text if Discord refused it."""
        try:
            message = await self._deliver(dressed, view, private=private)
        except (discord.HTTPException, aiohttp.ClientError) as error:
            log.warning("event=discord_answer_refused code=%s error=%s", reply.code, error)
            if isinstance(error, discord.HTTPException):
                dressed, view = Dressed(content=format_plain(reply)), None
            try:
                message = await self._deliver(dressed, view, private=private)
            except (discord.HTTPException, aiohttp.ClientError) as again:
                log.error("event=discord_answer_lost code=%s error=%s", reply.code, again)
                return None
        if view is not None:
            view.message = message
        return message

    async def _deliver(self, dressed: Dressed, view: discord.ui.View | None, *, private: bool) -> discord.Message:
        follows = self._place is _Place.AFTER_CHOICE or (private and not self._private)
        if not follows:
            return await self._send(
                self.interaction.edit_original_response(
                    content=dressed.content, embed=dressed.embed, attachments=dressed.files(), view=view
                )
            )
        return await self._send(
            self.interaction.followup.send(
                MISSING if dressed.content is None else dressed.content,
                embed=MISSING if dressed.embed is None else dressed.embed,
                files=dressed.files(),
                view=MISSING if view is None else view,
                ephemeral=private,
                wait=True,
            )
        )

    async def _remove(self) -> None:
        """Delete the acknowledgement; if it cannot be, or somebody did so already, nothing is lost."""
        try:
            await self.interaction.delete_original_response()
        except (discord.HTTPException, aiohttp.ClientError) as error:
            log.info("event=discord_not_deleted error=%s", error)

    async def _send(self, request: Awaitable[T]) -> T:
        try:
            return await request
        except discord.HTTPException as error:
            if error.code in OVER:
                raise ExchangeOver(f"Discord says {error.code}: {error.text}") from error
            raise


Work = Callable[[Exchange], Awaitable[None]]
"""Does what an interaction asks for."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How an answer is to be given: to whom, for everyone to see or not, with a moving card or not."""

    asker_id: int
    private: bool
    animated: bool


class Desk:
    """Admits interactions, keeps the limits, and turns whatever goes wrong into a sentence with a short id."""

    def __init__(
        self,
        service: SongService,
        throttle: Throttle,
        controls: Callable[[Reply, Manner, float], AttachedView | None],
        *,
        animated: bool = False,
        admin_ids: Collection[int] = (),
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """Take what answers and what limits.

        Args:
            service: Answers every kind of request.
            throttle: Limits people and servers.
            controls: Makes what stands under a reply, given the seconds since 1970.
            animated: Whether cards move unless a person says otherwise.
            admin_ids: Who may use the administrators' commands besides the application's owners.
            wall_clock: Tells seconds since 1970, for buttons that outlive a restart.
        """
        self.service = service
        self.wall_clock = wall_clock
        self._animated = animated
        self._throttle = throttle
        self._controls = controls
        self._admin_ids = frozenset(admin_ids)
        self._in_flight: set[asyncio.Task[object]] = set()
        self._open_views: WeakSet[AttachedView] = WeakSet()
        self._closing = False

    async def serve(self, interaction: discord.Interaction, request: str, work: Work, *, limited: bool = True) -> None:
        """Do ``work`` for an interaction, unless the bot is stopping or a limit is met; never raises.

        Args:
            interaction: What arrived; nothing has responded to it yet.
            request: Its name in logs and metrics.
            work: Does what it asks for.
            limited: Whether it counts towards the limits.
        """
        task = asyncio.current_task()
        assert task is not None, "interactions are handled in tasks"  # noqa: S101
        self._in_flight.add(task)
        exchange = Exchange(interaction)
        try:
            if self._closing:
                await self.refuse(exchange, request, messages.RESTARTING)
            elif not limited or await self._admitted(exchange):
                await work(exchange)
        except ExchangeOver as error:
            log.warning("event=discord_interaction_over request=%s error=%s", request, error)
        except (discord.HTTPException, aiohttp.ClientError) as error:
            log.error("event=discord_unreachable request=%s error=%s", request, error)
        except Exception as error:  # noqa: BLE001 - logged with its traceback under the id that the user sees
            await self._apologise(exchange, request, error)
        finally:
            self._in_flight.discard(task)

    def manner(
        self, interaction: discord.Interaction, *, private: bool = False, animated: bool | None = None
    ) -> Manner:
        """Tell how to answer an interaction; ``animated`` is the asker's wish, if any."""
        return Manner(interaction.user.id, private, self._animated if animated is None else animated)

    async def deliver(self, exchange: Exchange, reply: Reply, manner: Manner) -> None:
        """Deliver a reply with its buttons or choices; what everyone in a channel reads may be completed there."""
        view = self._controls(reply, manner, self.wall_clock())
        if view is not None and view.timeout is not None:
            self._open_views.add(view)
        public = await exchange.answer(reply, view, animated=manner.animated)
        channel_id = common_channel(exchange.interaction)
        if public and channel_id is not None:
            self.service.read_by_all(channel_id, reply)

    async def refuse(self, exchange: Exchange, request: str, sentence: str) -> None:
        """Turn an interaction down with a sentence."""
        reply = text_reply(ResultCode.REFUSED, sentence, private=True)
        await exchange.tell(self.service.note(request, reply))

    def is_admin(self, interaction: discord.Interaction) -> bool:
        """Whether the person owns the application, belongs to its team, or is named in the settings."""
        user_id = interaction.user.id
        application = interaction.client.application
        if user_id in self._admin_ids:
            return True
        if application is None:
            return False
        team = application.team
        return user_id in {member.id for member in team.members} if team else user_id == application.owner.id

    async def drain(self, timeout_s: float) -> None:
        """Take no more work and wait for what is in flight; what takes longer than ``timeout_s`` is cancelled.

        Choices stay open on Discord, but nothing will disable them any more: their ids say how long they hold.
        """
        self._closing = True
        waited = {task for task in self._in_flight if task is not asyncio.current_task()}
        if waited:
            _, late = await asyncio.wait(waited, timeout=timeout_s)
            for task in late:
                task.cancel()
            if late:
                log.warning("event=discord_cut_short answers=%d", len(late))
                await asyncio.wait(late)
        for view in list(self._open_views):
            view.stop()

    async def _admitted(self, exchange: Exchange) -> bool:
        interaction = exchange.interaction
        ruling = await self._throttle.admit(interaction.user.id, interaction.guild_id)
        if ruling.tell:
            await exchange.tell(self.service.note("limit", limited_reply(ruling)))
        elif not ruling.allowed:
            await exchange.stay_silent()
        return ruling.allowed

    async def _apologise(self, exchange: Exchange, request: str, error: Exception) -> None:
        reply = self.service.fault(request, error)
        try:
            await exchange.tell(reply)
        except (ExchangeOver, discord.HTTPException, aiohttp.ClientError) as again:
            log.warning("event=discord_fault_untold request=%s error=%s", request, again)


def desk_of(interaction: discord.Interaction[Any]) -> Desk:
    """Find the desk of the client an interaction came to."""
    desk: Desk = interaction.client.desk
    return desk
