"""The form that asks for the song to compare with."""

from __future__ import annotations

from typing import Any

import discord
from discord import ui

from bot import messages
from bot.discord_app.audience import is_private
from bot.discord_app.desk import desk_of
from bot.discord_app.exchange import Exchange
from bot.reply import SongToken
from core.limits import QUERY_MAX_CHARS


class CompareModal(ui.Modal):
    """Takes the second song and answers with the comparison."""

    def __init__(self, token: SongToken) -> None:
        """Compare with the song that ``token`` stands for."""
        super().__init__(title=messages.COMPARE_MODAL_TITLE, custom_id=f"hm:form:{token}")
        self._token = token
        self._second: ui.TextInput[CompareModal] = ui.TextInput(
            custom_id="second", placeholder=messages.COMPARE_MODAL_EXAMPLE, max_length=QUERY_MAX_CHARS
        )
        self.add_item(ui.Label(text=messages.COMPARE_MODAL_LABEL, component=self._second))

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        """Compare the two songs."""
        desk = desk_of(interaction)

        async def compare(exchange: Exchange) -> None:
            private = is_private(interaction.message)
            await exchange.open(private=private)
            reply = await desk.service.compare(self._token, self._second.value)
            await desk.deliver(exchange, reply, desk.manner(interaction, private=private))

        await desk.serve(interaction, "compare", compare)
