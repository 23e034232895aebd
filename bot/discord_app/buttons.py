"""Buttons under an answer: Why, Refresh, Compare and links; they mean the same after a restart."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Self

import discord
from discord import ui

from bot import messages
from bot.discord_app import limits
from bot.discord_app.audience import is_private
from bot.discord_app.choices import SONG
from bot.discord_app.compare_modal import CompareModal
from bot.discord_app.desk import Desk, Manner, desk_of
from bot.discord_app.exchange import AttachedView, Exchange
from bot.reply import Reply, ResultCode, SongToken

LINKS_ROW = 1


class WhyButton(ui.DynamicItem[ui.Button[Any]], template=rf"hm:why:(?P<token>{SONG})"):
    """Explains the answer to whoever presses it, privately."""

    def __init__(self, token: SongToken) -> None:
        """Stand for a song."""
        super().__init__(ui.Button(label=messages.BUTTON_WHY, custom_id=f"hm:why:{token}"))
        self._token = token

    @classmethod
    async def from_custom_id(cls, _: discord.Interaction[Any], __: ui.Item[Any], match: re.Match[str], /) -> Self:
        """Rebuild the button from its id."""
        return cls(SongToken(match["token"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Explain."""
        desk = desk_of(interaction)

        async def explain(exchange: Exchange) -> None:
            await exchange.open(private=True)
            await desk.deliver(exchange, await desk.service.why(self._token), desk.manner(interaction, private=True))

        await desk.serve(interaction, "why", explain)


class RefreshButton(
    ui.DynamicItem[ui.Button[Any]],
    template=rf"hm:new:(?P<token>{SONG}):(?P<asker>\d{{1,20}}):(?P<animated>[01])",
):
    """Replaces the answer by one of new figures; only for the person it was given to."""

    def __init__(self, token: SongToken, manner: Manner) -> None:
        """Stand for a song and who asked for it."""
        custom_id = f"hm:new:{token}:{manner.asker_id}:{manner.animated:d}"
        super().__init__(ui.Button(label=messages.BUTTON_REFRESH, custom_id=custom_id))
        self._token = token
        self._manner = manner

    @classmethod
    async def from_custom_id(cls, _: discord.Interaction[Any], __: ui.Item[Any], match: re.Match[str], /) -> Self:
        """Rebuild the button from its id."""
        manner = Manner(int(match["asker"]), private=False, animated=match["animated"] == "1")
        return cls(SongToken(match["token"]), manner)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Ask anew and put the answer in the place of the old one."""
        desk = desk_of(interaction)
        await desk.serve(interaction, "refresh", lambda exchange: self._refresh(exchange, desk))

    async def _refresh(self, exchange: Exchange, desk: Desk) -> None:
        if exchange.interaction.user.id != self._manner.asker_id:
            return await desk.refuse(exchange, "refresh", messages.NOT_YOURS)
        await exchange.open_in_place()
        # What was asked in private stays so, also if it has to be asked back about now.
        manner = replace(self._manner, private=is_private(exchange.interaction.message))
        reply = await desk.service.predict(self._token, fresh=True)
        await desk.deliver(exchange, reply, manner)
        return None


class CompareButton(ui.DynamicItem[ui.Button[Any]], template=rf"hm:vs:(?P<token>{SONG})"):
    """Asks for a second song and compares the two."""

    def __init__(self, token: SongToken) -> None:
        """Stand for the first song."""
        super().__init__(ui.Button(label=messages.BUTTON_COMPARE, custom_id=f"hm:vs:{token}"))
        self._token = token

    @classmethod
    async def from_custom_id(cls, _: discord.Interaction[Any], __: ui.Item[Any], match: re.Match[str], /) -> Self:
        """Rebuild the button from its id."""
        return cls(SongToken(match["token"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Open the modal; asking for it is free, sending it counts."""

        async def ask(_: Exchange) -> None:
            await interaction.response.send_modal(CompareModal(self._token))

        await desk_of(interaction).serve(interaction, "compare", ask, limited=False)


def answer_buttons(reply: Reply, manner: Manner) -> AttachedView | None:
    """Make the buttons of a prediction; None for any other reply."""
    if reply.code is not ResultCode.PREDICTED or reply.token is None:
        return None
    view = AttachedView(timeout=None)
    view.add_item(WhyButton(reply.token))
    view.add_item(RefreshButton(reply.token, manner))
    view.add_item(CompareButton(reply.token))
    for link in reply.links:
        if link.url.startswith("https://") and len(link.url) <= limits.BUTTON_URL_MAX:
            view.add_item(ui.Button(label=link.label, url=link.url, row=LINKS_ROW))
    return view
