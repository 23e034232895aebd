"""One interaction, from its acknowledgement to its answer.

Discord wants an acknowledgement within 3 s, and that fixes who sees the answer. A question is acknowledged at once and
publicly (unless its asker wants it private). When the answer turns out to be for the asker alone - "did you mean",
"not found", a fault - it follows privately and the public placeholder is deleted, so that nobody else is left with
anything. The placeholder has to be edited before: to Discord a message that follows a pending one is an edit of it, and
an edit cannot make it private.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from enum import Enum, auto
from typing import Final, TypeVar

import aiohttp
import discord
from discord.utils import MISSING

from bot import messages
from bot.discord_app.audience import is_private
from bot.discord_app.dressing import Dressed, dress, plain
from bot.discord_app.permissions import lacking
from bot.reply import Reply

log = logging.getLogger(__name__)

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
                dressed, view = Dressed(content=plain(reply)), None
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
