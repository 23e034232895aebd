"""Did you mean: songs to pick from, for the asker alone, for two minutes, also over a restart.

Everything a choice needs stands in its custom id; the view only keeps the time.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import Any, Final, Self

import aiohttp
import discord
from discord import ui

from bot import messages
from bot.discord_app import limits
from bot.discord_app.desk import Desk, Manner, desk_of
from bot.discord_app.exchange import AttachedView, Exchange
from bot.discord_app.markup import clip
from bot.plain_text import utf16_length
from bot.reply import Choice, SongToken

log = logging.getLogger(__name__)

OPEN_S: Final = 120
"""How long a choice stays open, in seconds."""

OTHERS_OPEN_S: Final = 86_400
"""How long the other songs under an answer can be picked: a day, since the answer stays."""

OTHERS_ROW: Final = 2
"""Below the buttons and the links."""

SONG: Final = "[A-Za-z0-9_-]{12}"
"""Pattern of a song's token, see :func:`core.history.song_token`."""

_TERMS: Final = (
    rf"(?P<asker>\d{{1,20}}):(?P<until>\d{{1,11}}):(?P<private>[01])(?P<animated>[01]):(?P<against>{SONG}|-)"
)


@dataclass(frozen=True, slots=True)
class Terms:
    """How the answer is to be given, until when it can be asked for, and what to compare the song with.

    ``until_s`` counts seconds since 1970; ``against`` is a song's token, or None for a plain prediction.
    """

    manner: Manner
    until_s: int
    against: SongToken | None = None

    def __str__(self) -> str:
        manner = self.manner
        return f"{manner.asker_id}:{self.until_s}:{manner.private:d}{manner.animated:d}:{self.against or '-'}"

    @classmethod
    def parse(cls, match: re.Match[str]) -> Self:
        """Read the terms from a custom id."""
        manner = Manner(int(match["asker"]), private=match["private"] == "1", animated=match["animated"] == "1")
        return cls(manner, int(match["until"]), None if match["against"] == "-" else SongToken(match["against"]))


class PickButton(ui.DynamicItem[ui.Button[Any]], template=rf"hm:pick:(?P<token>{SONG}):{_TERMS}"):
    """Answers for one offered song when its button is pressed."""

    def __init__(self, item: ui.Button[Any], token: SongToken, terms: Terms) -> None:
        super().__init__(item)
        self._token = token
        self._terms = terms

    @classmethod
    async def from_custom_id(cls, _: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /) -> Self:
        """Rebuild the button from its id."""
        assert isinstance(item, ui.Button)  # noqa: S101
        return cls(item, SongToken(match["token"]), Terms.parse(match))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Answer for the song."""
        await _pick(interaction, self._token, self._terms)


class PickSelect(ui.DynamicItem[ui.Select[Any]], template=rf"hm:list:{_TERMS}"):
    """Answers for one of the offered songs when it is picked from the list."""

    def __init__(self, item: ui.Select[Any], terms: Terms) -> None:
        super().__init__(item)
        self._terms = terms

    @classmethod
    async def from_custom_id(cls, _: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /) -> Self:
        """Rebuild the list from its id; what was picked comes with the interaction."""
        assert isinstance(item, ui.Select)  # noqa: S101
        return cls(item, Terms.parse(match))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Answer for the picked song."""
        await _pick(interaction, SongToken(self.item.values[0]), self._terms)


class ChoicesView(AttachedView):
    """The songs that may be meant: a button each, or a list if a label is too long for a button.

    The items above answer; this view only disables itself when the time is over, unless something was picked.
    """

    def __init__(self, choices: tuple[Choice, ...], terms: Terms) -> None:
        """Offer at most five songs on the given terms."""
        super().__init__(timeout=OPEN_S)
        self._asker_id = terms.manner.asker_id
        if all(utf16_length(choice.label) <= limits.BUTTON_LABEL_MAX for choice in choices):
            for row, choice in enumerate(choices):
                label = clip(choice.label, limits.BUTTON_LABEL_MAX)
                self.add_item(_TimedButton(label=label, custom_id=f"hm:pick:{choice.token}:{terms}", row=row))
        else:
            options = _options(choices)
            self.add_item(_TimedSelect(custom_id=f"hm:list:{terms}", placeholder=messages.CHOOSE, options=options))

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Let nobody but the asker end the time."""
        return interaction.user.id == self._asker_id

    async def on_timeout(self) -> None:
        """Show that the choice is over."""
        for item in self.children:
            if isinstance(item, ui.Button | ui.Select):
                item.disabled = True
        if self.message is None:
            return
        try:
            await self.message.edit(view=self)
        except (discord.HTTPException, aiohttp.ClientError) as error:
            log.info("event=discord_choice_gone error=%s", error)


class _TimedButton(ui.Button[ChoicesView]):
    async def callback(self, _: discord.Interaction[Any]) -> None:
        if self.view is not None:
            self.view.stop()


class _TimedSelect(ui.Select[ChoicesView]):
    async def callback(self, _: discord.Interaction[Any]) -> None:
        if self.view is not None:
            self.view.stop()


def others_list(choices: tuple[Choice, ...], terms: Terms) -> PickSelect:
    """List under an answer the songs that may be meant instead."""
    custom_id, options = f"hm:list:{terms}", _options(choices)
    select: ui.Select[Any] = ui.Select(
        custom_id=custom_id, placeholder=messages.NOT_MEANT, options=options, row=OTHERS_ROW
    )
    return PickSelect(select, terms)


def _options(choices: tuple[Choice, ...]) -> list[discord.SelectOption]:
    return [
        discord.SelectOption(label=clip(choice.label, limits.OPTION_LABEL_MAX), value=str(choice.token))
        for choice in choices
    ]


async def _pick(interaction: discord.Interaction[Any], token: SongToken, terms: Terms) -> None:
    desk = desk_of(interaction)
    await desk.serve(interaction, "pick", lambda exchange: _answer_pick(exchange, desk, token, terms))


async def _answer_pick(exchange: Exchange, desk: Desk, token: SongToken, terms: Terms) -> None:
    manner = terms.manner
    if exchange.interaction.user.id != manner.asker_id:
        return await desk.refuse(exchange, "pick", messages.NOT_YOURS)
    if desk.wall_clock() > terms.until_s:
        return await desk.refuse(exchange, "pick", messages.CHOICE_OVER)
    await exchange.open_after_choice(messages.CHOSEN, private=manner.private)
    if terms.against is None:
        reply = await desk.service.predict(token)
    else:
        reply = await desk.service.compare(token, terms.against)
    await desk.deliver(exchange, reply, manner)
    return None
