"""What stands under a reply: buttons, songs to pick from, and the form that asks for a second song.

All of it but the form means the same after a restart: everything needed stands in the custom ids, and views only keep
the time.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import aiohttp
import discord
from discord import ui

from bot import messages
from bot.discord_bot.formatting import BUTTON_LABEL_MAX, BUTTON_URL_MAX, OPTION_LABEL_MAX, clip
from bot.discord_bot.interaction import (
    AttachedView,
    InteractionResponder,
    ReplyOptions,
    handler_of,
    is_private,
)
from bot.plain_text import utf16_length
from bot.reply import Choice, Reply, ResultCode, SongToken
from core.history import TOKEN_CHARS
from core.language import say
from core.query import TEXT_MAX_CHARS

log = logging.getLogger(__name__)


FORM_OPEN_S: Final = 900
"""How long a form is waited for, in seconds; most that are closed are never sent, and nobody tells so."""


class CompareModal(ui.Modal):
    """Takes the second song and answers with the comparison."""

    def __init__(self, token: SongToken, opened_by: int) -> None:
        """Compare with the song that ``token`` stands for.

        Args:
            token: The first song.
            opened_by: The interaction that opens the form: discord.py knows forms by their ids, and several people may
                have one for the same song open.
        """
        super().__init__(
            title=say(messages.COMPARE_MODAL_TITLE), custom_id=f"hm:form:{token}:{opened_by}", timeout=FORM_OPEN_S
        )
        self._token = token
        self._second: ui.TextInput[CompareModal] = ui.TextInput(
            custom_id="second", placeholder=messages.COMPARE_MODAL_EXAMPLE, max_length=TEXT_MAX_CHARS
        )
        self.add_item(ui.Label(text=say(messages.COMPARE_MODAL_LABEL), component=self._second))

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        """Compare the two songs."""
        handler = handler_of(interaction)

        async def compare(responder: InteractionResponder) -> None:
            private = is_private(interaction.message)
            await responder.defer(private=private)
            reply = await handler.service.compare(self._token, self._second.value)
            await handler.deliver(responder, reply, handler.reply_options(interaction, private=private))

        await handler.handle(interaction, "compare", compare)


OPEN_S: Final = 120
"""How long a choice stays open, in seconds."""

OTHERS_OPEN_S: Final = 86_400
"""How long the other songs under an answer can be picked: a day, since the answer stays."""

OTHERS_ROW: Final = 2
"""Below the buttons and the links."""

SONG: Final = rf"[A-Za-z0-9_-]{{{TOKEN_CHARS}}}"
"""Pattern of a song's token, see :func:`core.history.song_token`."""

_STATE: Final = (
    rf"(?P<asker>\d{{1,20}}):(?P<until>\d{{1,11}}):(?P<private>[01])(?P<animated>[01]):(?P<against>{SONG}|-)"
)


@dataclass(frozen=True, slots=True)
class ChoiceState:
    """How the answer is to be given, until when it can be asked for, and what to compare the song with.

    ``until_s`` counts seconds since 1970; ``against`` is a song's token, or None for a plain prediction.
    """

    reply_options: ReplyOptions
    until_s: int
    against: SongToken | None = None

    def __str__(self) -> str:
        options = self.reply_options
        return f"{options.asker_id}:{self.until_s}:{options.private:d}{options.animated:d}:{self.against or '-'}"

    @classmethod
    def parse(cls, match: re.Match[str]) -> Self:
        """Read the state from a custom id."""
        reply_options = ReplyOptions(
            int(match["asker"]), private=match["private"] == "1", animated=match["animated"] == "1"
        )
        return cls(reply_options, int(match["until"]), None if match["against"] == "-" else SongToken(match["against"]))


class PickButton(ui.DynamicItem[ui.Button[Any]], template=rf"hm:pick:(?P<token>{SONG}):{_STATE}"):
    """Answers for one offered song when its button is pressed."""

    def __init__(self, item: ui.Button[Any], token: SongToken, state: ChoiceState) -> None:
        super().__init__(item)
        self._token = token
        self._state = state

    @classmethod
    async def from_custom_id(cls, _: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /) -> Self:
        """Rebuild the button from its id."""
        assert isinstance(item, ui.Button)  # noqa: S101
        return cls(item, SongToken(match["token"]), ChoiceState.parse(match))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Answer for the song."""
        await _pick(interaction, self._token, self._state)


class PickSelect(ui.DynamicItem[ui.Select[Any]], template=rf"hm:list:{_STATE}"):
    """Answers for one of the offered songs when it is picked from the list."""

    def __init__(self, item: ui.Select[Any], state: ChoiceState) -> None:
        super().__init__(item)
        self._state = state

    @classmethod
    async def from_custom_id(cls, _: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /) -> Self:
        """Rebuild the list from its id; what was picked comes with the interaction."""
        assert isinstance(item, ui.Select)  # noqa: S101
        return cls(item, ChoiceState.parse(match))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Answer for the picked song."""
        await _pick(interaction, SongToken(self.item.values[0]), self._state)


class ChoicesView(AttachedView):
    """The songs that may be meant: a button each, or a list if a label is too long for a button.

    The items above answer; this view only disables itself when the time is over, unless something was picked.
    """

    def __init__(self, choices: tuple[Choice, ...], state: ChoiceState) -> None:
        """Offer at most five songs, to be answered as ``state`` says."""
        super().__init__(timeout=OPEN_S)
        self._asker_id = state.reply_options.asker_id
        if all(utf16_length(choice.label) <= BUTTON_LABEL_MAX for choice in choices):
            for row, choice in enumerate(choices):
                label = clip(choice.label, BUTTON_LABEL_MAX)
                self.add_item(_TimedButton(label=label, custom_id=f"hm:pick:{choice.token}:{state}", row=row))
        else:
            options = _options(choices)
            self.add_item(_TimedSelect(custom_id=f"hm:list:{state}", placeholder=say(messages.CHOOSE), options=options))

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


def others_list(choices: tuple[Choice, ...], state: ChoiceState) -> PickSelect:
    """List under an answer the songs that may be meant instead."""
    custom_id, options = f"hm:list:{state}", _options(choices)
    select: ui.Select[Any] = ui.Select(
        custom_id=custom_id, placeholder=say(messages.NOT_MEANT), options=options, row=OTHERS_ROW
    )
    return PickSelect(select, state)


def _options(choices: tuple[Choice, ...]) -> list[discord.SelectOption]:
    return [
        discord.SelectOption(label=clip(choice.label, OPTION_LABEL_MAX), value=str(choice.token)) for choice in choices
    ]


async def _pick(interaction: discord.Interaction[Any], token: SongToken, state: ChoiceState) -> None:
    handler = handler_of(interaction)
    refusal = None
    if interaction.user.id != state.reply_options.asker_id:
        refusal = messages.NOT_YOURS
    elif handler.wall_clock() > state.until_s:
        refusal = messages.CHOICE_OVER

    async def answer(responder: InteractionResponder) -> None:
        await responder.defer_after_choice(say(messages.CHOSEN), private=state.reply_options.private)
        if state.against is None:
            reply = await handler.service.predict(token)
        else:
            reply = await handler.service.compare(state.against, token)
        await handler.deliver(responder, reply, state.reply_options)

    await handler.handle(interaction, "pick", answer, refusal=refusal)


LINKS_ROW = 1


class WhyButton(ui.DynamicItem[ui.Button[Any]], template=rf"hm:why:(?P<token>{SONG})"):
    """Explains the answer to whoever presses it, privately."""

    def __init__(self, token: SongToken) -> None:
        """Stand for a song."""
        super().__init__(ui.Button(label=say(messages.BUTTON_WHY), custom_id=f"hm:why:{token}"))
        self._token = token

    @classmethod
    async def from_custom_id(cls, _: discord.Interaction[Any], __: ui.Item[Any], match: re.Match[str], /) -> Self:
        """Rebuild the button from its id."""
        return cls(SongToken(match["token"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Explain."""
        handler = handler_of(interaction)

        async def explain(responder: InteractionResponder) -> None:
            await responder.defer(private=True)
            await handler.deliver(
                responder, await handler.service.why(self._token), handler.reply_options(interaction, private=True)
            )

        await handler.handle(interaction, "why", explain)


class RefreshButton(
    ui.DynamicItem[ui.Button[Any]],
    template=rf"hm:new:(?P<token>{SONG}):(?P<asker>\d{{1,20}}):(?P<animated>[01])",
):
    """Replaces the answer by one of new figures; only for the person it was given to."""

    def __init__(self, token: SongToken, reply_options: ReplyOptions) -> None:
        """Stand for a song and who asked for it."""
        custom_id = f"hm:new:{token}:{reply_options.asker_id}:{reply_options.animated:d}"
        super().__init__(ui.Button(label=say(messages.BUTTON_REFRESH), custom_id=custom_id))
        self._token = token
        self._reply_options = reply_options

    @classmethod
    async def from_custom_id(cls, _: discord.Interaction[Any], __: ui.Item[Any], match: re.Match[str], /) -> Self:
        """Rebuild the button from its id."""
        reply_options = ReplyOptions(int(match["asker"]), private=False, animated=match["animated"] == "1")
        return cls(SongToken(match["token"]), reply_options)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Ask anew and put the answer in the place of the old one."""
        handler = handler_of(interaction)
        refusal = None if interaction.user.id == self._reply_options.asker_id else messages.NOT_YOURS

        async def refresh(responder: InteractionResponder) -> None:
            await responder.defer_in_place()
            # What was asked in private stays so, also if it has to be asked back about now.
            reply_options = replace(self._reply_options, private=is_private(interaction.message))
            reply = await handler.service.predict(self._token, fresh=True)
            await handler.deliver(responder, reply, reply_options)

        await handler.handle(interaction, "refresh", refresh, refusal=refusal)


class CompareButton(ui.DynamicItem[ui.Button[Any]], template=rf"hm:vs:(?P<token>{SONG})"):
    """Asks for a second song and compares the two."""

    def __init__(self, token: SongToken) -> None:
        """Stand for the first song."""
        super().__init__(ui.Button(label=say(messages.BUTTON_COMPARE), custom_id=f"hm:vs:{token}"))
        self._token = token

    @classmethod
    async def from_custom_id(cls, _: discord.Interaction[Any], __: ui.Item[Any], match: re.Match[str], /) -> Self:
        """Rebuild the button from its id."""
        return cls(SongToken(match["token"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Open the modal; asking for it is free, sending it counts."""

        async def ask(_: InteractionResponder) -> None:
            await interaction.response.send_modal(CompareModal(self._token, interaction.id))

        await handler_of(interaction).handle(interaction, "compare", ask, limited=False)


def answer_buttons(reply: Reply, reply_options: ReplyOptions) -> AttachedView | None:
    """Make the buttons of a prediction; None for any other reply."""
    if reply.code is not ResultCode.PREDICTED or reply.token is None:
        return None
    view = AttachedView(timeout=None)
    view.add_item(WhyButton(reply.token))
    view.add_item(RefreshButton(reply.token, reply_options))
    view.add_item(CompareButton(reply.token))
    for link in reply.links:
        if link.url.startswith("https://") and len(link.url) <= BUTTON_URL_MAX:
            view.add_item(ui.Button(label=link.label, url=link.url, row=LINKS_ROW))
    return view


OPTIONS_MAX: Final = 25
"""Options that Discord takes in one select."""


class OpenSelect(ui.DynamicItem[ui.Select[Any]], template=r"hm:open:(?P<animated>[01]):(?P<part>\d)"):
    """Answers for a song of an artist's ranking in a message of its own, whoever picks it; the ranking stays."""

    def __init__(self, item: ui.Select[Any], *, animated: bool) -> None:
        super().__init__(item)
        self._animated = animated

    @classmethod
    async def from_custom_id(cls, _: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /) -> Self:
        """Rebuild the menu from its id; what was picked comes with the interaction."""
        assert isinstance(item, ui.Select)  # noqa: S101
        return cls(item, animated=match["animated"] == "1")

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Answer for the picked song."""
        handler = handler_of(interaction)
        token = SongToken(self.item.values[0])

        async def open_card(responder: InteractionResponder) -> None:
            private = is_private(interaction.message)
            await responder.defer(private=private)
            reply_options = handler.reply_options(interaction, private=private, animated=self._animated)
            await handler.deliver(responder, await handler.service.predict(token), reply_options)

        await handler.handle(interaction, "pick", open_card)


def ranking_menu(choices: tuple[Choice, ...], reply_options: ReplyOptions) -> AttachedView:
    """Make the menu under a ranking, in parts of as many songs as Discord takes in one."""
    view = AttachedView(timeout=None)
    for part, start in enumerate(range(0, len(choices), OPTIONS_MAX)):
        listed = choices[start : start + OPTIONS_MAX]
        placeholder = say(messages.RANKING_OPEN)
        if len(choices) > OPTIONS_MAX:
            placeholder = say(messages.RANKING_OPEN_PART, first=start + 1, last=start + len(listed))
        custom_id = f"hm:open:{reply_options.animated:d}:{part}"
        select: ui.Select[Any] = ui.Select(custom_id=custom_id, placeholder=placeholder, options=_options(listed))
        view.add_item(OpenSelect(select, animated=reply_options.animated))
    return view


LASTING = (WhyButton, RefreshButton, CompareButton, PickButton, PickSelect, OpenSelect)
"""Items that go on working after a restart."""


def view_for(reply: Reply, reply_options: ReplyOptions, now_s: float) -> AttachedView | None:
    """Make what stands under ``reply``; ``now_s`` counts from 1970."""
    if reply.ranking is not None:
        return ranking_menu(reply.choices, reply_options)
    if reply.choices and reply.prediction is None:
        # A song as typed may be too long for a button, so then the picked one is answered alone.
        against = reply.against if isinstance(reply.against, SongToken) else None
        return ChoicesView(reply.choices, ChoiceState(reply_options, int(now_s) + OPEN_S, against))
    view = answer_buttons(reply, reply_options)
    if view is not None and reply.choices:
        view.add_item(others_list(reply.choices, ChoiceState(reply_options, int(now_s) + OTHERS_OPEN_S)))
    return view
