"""The front desk: every interaction passes here, is admitted or not, and is seen through to its end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

import aiohttp
import discord

from bot import messages
from bot.discord_app.audience import common_channel
from bot.discord_app.exchange import AttachedView, Exchange, ExchangeOver
from bot.replies import limited_reply
from bot.reply import Reply, ResultCode, text_reply
from bot.service import SongService
from bot.throttle import Throttle

log = logging.getLogger(__name__)

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
