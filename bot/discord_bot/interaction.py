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
from bot.discord_bot.formatting import OutgoingMessage, format_plain, format_reply
from bot.rate_limits import RateLimiter
from bot.replies import limited_reply
from bot.reply import SETTLES_PICK, Reply, ResultCode, text_reply
from bot.service import SongService
from core.language import closest, say, speaking

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
        names.append(say(messages.PERMISSION_EMBED))
    if reply.card is not None and not may_attach(interaction):
        names.append(say(messages.PERMISSION_ATTACH))
    return tuple(names)


T = TypeVar("T")

OVER: Final = frozenset({10008, 10015, 10062, 40060, 50027})
"""Error codes of an interaction that can no longer be answered.

Unknown message, unknown webhook, unknown interaction (3 s are over), already acknowledged, and invalid webhook token
(15 min are over).
"""


class InteractionExpired(Exception):
    """The interaction can no longer be answered; nobody waits for it."""


class AttachedView(discord.ui.View):
    """Buttons and lists that know the message they stand under, once it is sent."""

    message: discord.Message | None = None


class _AnswerTarget(Enum):
    PLACEHOLDER = auto()
    CLICKED_MESSAGE = auto()
    AFTER_CHOICE = auto()


class InteractionResponder:
    """Acknowledges one interaction and delivers its answer where it belongs.

    Discord's 429 and 5xx are retried by discord.py, up to five times in all. The answer goes out as an edit of the
    acknowledgement wherever possible: unlike a new message, an edit that is retried cannot appear twice.
    """

    def __init__(self, interaction: discord.Interaction) -> None:
        """Take an interaction that nothing has responded to yet."""
        self.interaction = interaction
        self._private = False
        self._target = _AnswerTarget.PLACEHOLDER

    async def defer(self, *, private: bool) -> None:
        """Acknowledge with a placeholder.

        Raises:
            InteractionExpired: It came too late.
        """
        self._private = private
        await self._send(self.interaction.response.defer(ephemeral=private, thinking=True))

    async def defer_in_place(self) -> None:
        """Acknowledge a button whose own message will be replaced by the answer."""
        self._target = _AnswerTarget.CLICKED_MESSAGE
        await self._send(self.interaction.response.defer())

    async def defer_after_choice(self, notice: str, *, private: bool) -> None:
        """Acknowledge a choice: the list gives way to ``notice``, and then to the answer, or comes back without one."""
        self._private = private
        self._target = _AnswerTarget.AFTER_CHOICE
        await self._send(self.interaction.response.edit_message(content=notice, view=None))

    async def answer(self, reply: Reply, view: AttachedView | None = None, *, animated: bool = False) -> bool:
        """Deliver the answer with its card, ``animated`` or not; as plain text if Discord refuses the full one.

        Returns:
            Whether it stands there now for everyone in the channel to read.

        Raises:
            InteractionExpired: The interaction expired meanwhile.
        """
        missing = lacking(self.interaction, reply)
        # Drawn only if it can be shown: without these permissions the answer is text.
        picture = None if missing or reply.card is None else await reply.card(animated=animated)
        outgoing = format_reply(reply, picture, missing)
        private = self._private or reply.private
        withdrawn = self._target is _AnswerTarget.PLACEHOLDER and private and not self._private
        if withdrawn:
            await self._send(self.interaction.edit_original_response(content=say(messages.ANSWERED_PRIVATELY)))
        message = await self._delivered(outgoing, view, reply, private=private)
        if self._target is _AnswerTarget.AFTER_CHOICE and (message is None or reply.code not in SETTLES_PICK):
            await self._restore_choice()
        elif message is not None and (withdrawn or self._target is _AnswerTarget.AFTER_CHOICE):
            await self._remove()
        return message is not None and not private and not is_private(message)

    async def reply_privately(self, reply: Reply) -> None:
        """Answer at once and privately, whether or not the interaction was acknowledged.

        Raises:
            InteractionExpired: It came too late.
        """
        outgoing = format_reply(reply, lacking=lacking(self.interaction, reply))
        if self.interaction.response.is_done():
            await self.answer(reply)
        elif outgoing.embed is not None:
            await self._send(self.interaction.response.send_message(embed=outgoing.embed, ephemeral=True))
        else:
            await self._send(self.interaction.response.send_message(outgoing.content, ephemeral=True))

    async def dismiss(self) -> None:
        """End the interaction without a word: nothing is shown to anyone."""
        if self.interaction.type is discord.InteractionType.application_command:
            await self._send(self.interaction.response.defer(ephemeral=True))
            await self._remove()
        else:
            await self._send(self.interaction.response.defer())

    async def _delivered(
        self, outgoing: OutgoingMessage, view: AttachedView | None, reply: Reply, *, private: bool
    ) -> discord.Message | None:
        """Deliver in full; once more if the connection broke, and as plain text if Discord refused it."""
        try:
            message = await self._deliver(outgoing, view, private=private)
        except (discord.HTTPException, aiohttp.ClientError) as error:
            log.warning("event=discord_answer_refused code=%s error=%s", reply.code, error)
            if isinstance(error, discord.HTTPException):
                outgoing, view = OutgoingMessage(content=format_plain(reply)), None
            try:
                message = await self._deliver(outgoing, view, private=private)
            except (discord.HTTPException, aiohttp.ClientError) as again:
                log.error("event=discord_answer_lost code=%s error=%s", reply.code, again)
                return None
        if view is not None:
            view.message = message
        return message

    async def _deliver(
        self, outgoing: OutgoingMessage, view: discord.ui.View | None, *, private: bool
    ) -> discord.Message:
        follows = self._target is _AnswerTarget.AFTER_CHOICE or (private and not self._private)
        if not follows:
            return await self._send(
                self.interaction.edit_original_response(
                    content=outgoing.content, embed=outgoing.embed, attachments=outgoing.files(), view=view
                )
            )
        return await self._send(
            self.interaction.followup.send(
                MISSING if outgoing.content is None else outgoing.content,
                embed=MISSING if outgoing.embed is None else outgoing.embed,
                files=outgoing.files(),
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

    async def _restore_choice(self) -> None:
        """Put back what the notice took away; its items answer by their ids, so that no view has to be kept."""
        if self.interaction.message is None:
            return
        view = discord.ui.View.from_message(self.interaction.message, timeout=None)
        view.stop()
        try:
            await self.interaction.edit_original_response(content=self.interaction.message.content or None, view=view)
        except (discord.HTTPException, aiohttp.ClientError) as error:
            log.info("event=discord_choice_gone error=%s", error)

    async def _send(self, request: Awaitable[T]) -> T:
        try:
            return await request
        except discord.HTTPException as error:
            if error.code in OVER:
                raise InteractionExpired(f"Discord says {error.code}: {error.text}") from error
            raise


Work = Callable[[InteractionResponder], Awaitable[None]]
"""Does what an interaction asks for."""


@dataclass(frozen=True, slots=True)
class ReplyOptions:
    """How an answer is to be given: to whom, for everyone to see or not, with a moving card or not."""

    asker_id: int
    private: bool
    animated: bool


class InteractionHandler:
    """Admits interactions, keeps the limits, and turns whatever goes wrong into a sentence with a short id."""

    def __init__(
        self,
        service: SongService,
        rate_limiter: RateLimiter,
        make_view: Callable[[Reply, ReplyOptions, float], AttachedView | None],
        *,
        animated: bool = False,
        admin_ids: Collection[int] = (),
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """Take what answers and what limits.

        Args:
            service: Answers every kind of request.
            rate_limiter: Limits people and servers.
            make_view: Makes what stands under a reply, given the seconds since 1970.
            animated: Whether cards move unless a person says otherwise.
            admin_ids: Who may use the administrators' commands besides the application's owners.
            wall_clock: Tells seconds since 1970, for buttons that outlive a restart.
        """
        self.service = service
        self.wall_clock = wall_clock
        self._animated = animated
        self._rate_limiter = rate_limiter
        self._make_view = make_view
        self._admin_ids = frozenset(admin_ids)
        self._in_flight: set[asyncio.Task[object]] = set()
        self._open_views: WeakSet[AttachedView] = WeakSet()
        self._closing = False

    async def handle(
        self,
        interaction: discord.Interaction,
        request: str,
        work: Work,
        *,
        limited: bool = True,
        refusal: str | None = None,
    ) -> None:
        """Do ``work`` for an interaction in its asker's language, unless the bot is stopping or a limit is met.

        Never raises.

        Args:
            interaction: What arrived; nothing has responded to it yet.
            request: Its name in logs and metrics.
            work: Does what it asks for.
            limited: Whether it counts towards the limits.
            refusal: What is said, in English, to who may not do this; no work is done, and it counts towards no limit.
        """
        task = asyncio.current_task()
        assert task is not None, "interactions are handled in tasks"  # noqa: S101
        self._in_flight.add(task)
        try:
            with speaking(closest(interaction.locale.value)):
                responder = InteractionResponder(interaction)
                await self._handle(responder, request, work, limited=limited, refusal=refusal)
        finally:
            self._in_flight.discard(task)

    async def _handle(
        self, responder: InteractionResponder, request: str, work: Work, *, limited: bool, refusal: str | None
    ) -> None:
        try:
            if self._closing:
                await self._refuse(responder, request, say(messages.RESTARTING))
            elif refusal is not None:
                await self._refuse(responder, request, say(refusal))
            elif not limited or await self._admitted(responder):
                await work(responder)
        except InteractionExpired as error:
            log.warning("event=discord_interaction_over request=%s error=%s", request, error)
        except (discord.HTTPException, aiohttp.ClientError) as error:
            log.error("event=discord_unreachable request=%s error=%s", request, error)
        except Exception as error:  # noqa: BLE001 - logged with its traceback under the id that the user sees
            await self._apologise(responder, request, error)

    def reply_options(
        self, interaction: discord.Interaction, *, private: bool = False, animated: bool | None = None
    ) -> ReplyOptions:
        """Tell how to answer an interaction; ``animated`` is the asker's wish, if any."""
        return ReplyOptions(interaction.user.id, private, self._animated if animated is None else animated)

    async def deliver(self, responder: InteractionResponder, reply: Reply, reply_options: ReplyOptions) -> None:
        """Deliver a reply with its buttons or choices; what everyone in a channel reads may be completed there."""
        view = self._make_view(reply, reply_options, self.wall_clock())
        if view is not None and view.timeout is not None:
            self._open_views.add(view)
        public = await responder.answer(reply, view, animated=reply_options.animated)
        channel_id = common_channel(responder.interaction)
        if public and channel_id is not None:
            self.service.read_by_all(channel_id, reply)

    async def _refuse(self, responder: InteractionResponder, request: str, sentence: str) -> None:
        """Turn an interaction down with a sentence."""
        reply = text_reply(ResultCode.REFUSED, sentence, private=True)
        await responder.reply_privately(self.service.note(request, reply))

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

    async def drain(self, timeout_s: float, tell_s: float = 0.0) -> None:
        """Take no more work and wait for what is in flight.

        What takes longer than ``timeout_s`` is told so in its answer's place; what cannot be told within ``tell_s``
        more is cancelled.

        Choices stay open on Discord, but nothing will disable them any more: their ids say how long they hold.
        """
        self._closing = True
        waited = {task for task in self._in_flight if task is not asyncio.current_task()}
        if waited:
            _, late = await asyncio.wait(waited, timeout=timeout_s)
            if late and tell_s:
                self.service.stop()
                _, late = await asyncio.wait(late, timeout=tell_s)
            for task in late:
                task.cancel()
            if late:
                log.warning("event=discord_cut_short answers=%d", len(late))
                await asyncio.wait(late)
        for view in list(self._open_views):
            view.stop()

    async def _admitted(self, responder: InteractionResponder) -> bool:
        interaction = responder.interaction
        decision = await self._rate_limiter.admit(interaction.user.id, interaction.guild_id)
        if decision.should_notify:
            await responder.reply_privately(self.service.note("limit", limited_reply(decision)))
        elif not decision.allowed:
            await responder.dismiss()
        return decision.allowed

    async def _apologise(self, responder: InteractionResponder, request: str, error: Exception) -> None:
        reply = self.service.fault(request, error)
        try:
            await responder.reply_privately(reply)
        except (InteractionExpired, discord.HTTPException, aiohttp.ClientError) as again:
            log.warning("event=discord_fault_untold request=%s error=%s", request, again)


def handler_of(interaction: discord.Interaction[Any]) -> InteractionHandler:
    """Find the handler of the client an interaction came to."""
    handler: InteractionHandler = interaction.client.interaction_handler
    return handler
