"""The slash commands with their completion, and the message command: in servers, all chats and user installs."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any, Final

import discord
from discord import app_commands

from bot import messages
from bot.discord_bot.formatting import COMPLETION_MAX, COMPLETIONS_MAX, clip
from bot.discord_bot.interaction import InteractionResponder, common_channel, handler_of, is_private
from bot.plain_text import plain, utf16_length
from bot.replies import help_reply
from core.domain import SongName, SongQuery
from core.errors import QueryError
from core.language import closest, say, say_in, speaking
from core.phrases import video_question
from core.query import TEXT_MAX_CHARS, parse_question

_MENTION: Final = re.compile(r"<(?:@[!&]?|#|/[^:>]+:|a?:\w+:|t:)[^>]*>")
_DOT: Final = re.compile(r"\s+[·•]\s+")
_NO_ARTIST: Final = re.compile(r"song|single|track|ep|album|\d{4}", re.IGNORECASE)


def extract_song_text(message: discord.Message) -> str:
    """Take the first line that names a song, else what Discord shows of a link in it; may be empty.

    A link that would have to be followed gives way to its preview, which tells title and channel or artist already.
    """
    lines = [text for line in message.content.splitlines() if (text := _MENTION.sub(" ", line).strip())]
    previews = [text for embed in message.embeds if (text := _preview(embed))]
    first = next(iter(lines), "")
    return previews[0] if previews and not _names_a_song(first) else first


def _names_a_song(line: str) -> bool:
    try:
        return isinstance(parse_question(line), SongQuery)
    except QueryError:
        return False


def _preview(embed: discord.Embed) -> str:
    """Write what a preview shows as a question; "" if it has no title."""
    title = (embed.title or "").strip()
    site = (embed.provider.name or "").casefold()
    if title and site == "youtube":
        return video_question(title, embed.author.name or "")
    if title and site == "spotify":
        # "The Weeknd · Song · 2020"
        said = [part for part in _DOT.split((embed.description or "").strip()) if part]
        artist = next((part for part in said if not _NO_ARTIST.fullmatch(part)), "")
        return f"{title} - {artist}" if artist and len(said) > 1 else title
    return title


async def complete_song(interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
    """List what may be meant by ``typed``, at most 25 choices of at most 100 characters.

    Nothing shows that somebody asked elsewhere or in private: besides the catalogue's songs there are only those whose
    answers everyone in this channel could read.
    """
    channel_id = common_channel(interaction)
    names = await handler_of(interaction).service.complete(typed, COMPLETIONS_MAX, chat=channel_id)
    return choices_for(typed, names)


async def complete_artist(interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
    """List the artists of the songs that :func:`complete_song` would list."""
    channel_id = common_channel(interaction)
    names = await handler_of(interaction).service.complete(typed, COMPLETIONS_MAX, chat=channel_id)
    return _choices([clip(typed.strip(), COMPLETION_MAX), *(plain(name.artist) for name in names)])


def choices_for(typed: str, names: tuple[SongName, ...]) -> list[app_commands.Choice[str]]:
    """Set the typed text and songs as choices; a song too long to be sent back whole is left out."""
    return _choices([clip(typed.strip(), COMPLETION_MAX), *(plain(f"{name.title} - {name.artist}") for name in names)])


def _choices(texts: Sequence[str]) -> list[app_commands.Choice[str]]:
    """Make choices of texts, each once, of those that can be sent back whole."""
    seen: set[str] = set()
    choices = []
    for text in texts:
        if text and utf16_length(text) <= COMPLETION_MAX and text.casefold() not in seen:
            seen.add(text.casefold())
            choices.append(app_commands.Choice(name=text, value=text))
    return choices[:COMPLETIONS_MAX]


ADMIN_PERMISSIONS = discord.Permissions(administrator=True)
"""Hides the administrators' commands from members; who may use them is decided by id, not by this."""

SongText = app_commands.Range[str, 1, TEXT_MAX_CHARS]


AnyCommand = app_commands.Command[Any, ..., Any] | app_commands.ContextMenu
Handler = Callable[..., Coroutine[Any, Any, None]]


def _described(command: messages.Command) -> Callable[[Handler], app_commands.Command[Any, ..., None]]:
    """Make a command of a function whose parameters have the names of the table's arguments."""

    def make(handler: Handler) -> app_commands.Command[Any, ..., None]:
        descriptions = {argument.name: argument.description for argument in command.arguments}
        described = app_commands.describe(**descriptions)(handler)
        return app_commands.Command(name=command.name, description=command.description, callback=described)

    return make


class CommandTranslator(app_commands.Translator):
    """Tells Discord what commands and arguments are called, and what they are for, in each of its languages."""

    async def translate(
        self, string: app_commands.locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        """Return the text for a locale; None where it is the English one."""
        location = app_commands.TranslationContextLocation
        with speaking(closest(locale.value)):
            if context.location is location.parameter_name:
                said = say_in(messages.ARGUMENT_NAME, string.message)
            elif context.location is location.command_name and isinstance(context.data, app_commands.Command):
                said = say_in(messages.COMMAND_NAME, string.message)
            else:
                said = say(string.message)
        return None if said == string.message else said


class HitmeterTree(app_commands.CommandTree[Any]):
    """All commands, each allowed everywhere, with faults told as a sentence and a short id."""

    def __init__(self, client: discord.Client) -> None:
        """Fill the tree of ``client``."""
        super().__init__(
            client,
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        )
        for command in all_commands():
            self.add_command(command)

    async def on_error(self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /) -> None:
        """Apologise for what went wrong before a command was reached, such as a command Discord remembers wrongly."""

        async def fail(_: InteractionResponder) -> None:
            raise error

        await handler_of(interaction).handle(interaction, "command", fail, limited=False)


@_described(messages.COMMANDS["predict"])
@app_commands.autocomplete(song=complete_song)
async def predict(
    interaction: discord.Interaction[Any],
    song: SongText,
    artist: SongText | None = None,
    animated: bool | None = None,
    private: bool = False,
) -> None:
    """Predict a song."""
    text = f"{song} - {artist}" if artist else song
    await _predict(interaction, text, private=private, animated=animated)


@app_commands.context_menu(name=messages.COMMAND_MESSAGE)
async def predict_message(interaction: discord.Interaction[Any], message: discord.Message) -> None:
    """Predict the song a message names."""
    await _predict(interaction, extract_song_text(message), private=is_private(message), animated=None)


@_described(messages.COMMANDS["compare"])
@app_commands.autocomplete(first=complete_song, second=complete_song)
async def compare(interaction: discord.Interaction[Any], first: SongText, second: SongText) -> None:
    """Compare two songs."""
    handler = handler_of(interaction)

    async def work(responder: InteractionResponder) -> None:
        await responder.defer(private=False)
        reply = await handler.service.compare(first, second)
        await handler.deliver(responder, reply, handler.reply_options(interaction))

    await handler.handle(interaction, "compare", work)


@_described(messages.COMMANDS["artist"])
@app_commands.autocomplete(name=complete_artist)
async def artist(interaction: discord.Interaction[Any], name: SongText) -> None:
    """Rank an artist's songs."""
    handler = handler_of(interaction)

    async def work(responder: InteractionResponder) -> None:
        await responder.defer(private=False)
        await handler.deliver(responder, await handler.service.artist(name), handler.reply_options(interaction))

    await handler.handle(interaction, "artist", work)


@_described(messages.COMMANDS["trend"])
@app_commands.autocomplete(song=complete_song)
async def trend(interaction: discord.Interaction[Any], song: SongText) -> None:
    """Say how a song developed."""
    handler = handler_of(interaction)

    async def work(responder: InteractionResponder) -> None:
        await responder.defer(private=False)
        await handler.deliver(responder, await handler.service.trend(song), handler.reply_options(interaction))

    await handler.handle(interaction, "trend", work)


@_described(messages.COMMANDS["model"])
async def model(interaction: discord.Interaction[Any], full: bool = False) -> None:
    """Say how good the model is."""
    await _inform(interaction, messages.COMMANDS["model"], messages.FULL if full else "")


@_described(messages.COMMANDS["help"])
async def help_command(interaction: discord.Interaction[Any]) -> None:
    """Say how to ask, with the commands as they are called in the menu of the person's language."""
    handler = handler_of(interaction)

    async def work(responder: InteractionResponder) -> None:
        await responder.reply_privately(handler.service.note("help", help_reply(localized=True)))

    await handler.handle(interaction, "help", work, limited=False)


def all_commands() -> Iterator[AnyCommand]:
    """Make everything the bot can be asked on Discord; most that take nothing need no function of their own."""
    own = {command.name: command for command in (predict, compare, artist, trend, model, help_command)}
    for command in messages.commands_on(messages.Surface.DISCORD):
        yield own[command.name] if command.name in own else _information(command)
    yield predict_message


def _information(command: messages.Command) -> app_commands.Command[Any, ..., Any]:
    """Make a command that takes nothing."""

    async def inform(interaction: discord.Interaction[Any]) -> None:
        await _inform(interaction, command)

    made: app_commands.Command[Any, ..., Any] = app_commands.Command(
        name=command.name, description=command.description, callback=inform
    )
    if command.administrators:
        made.default_permissions = ADMIN_PERMISSIONS
    return made


async def _inform(interaction: discord.Interaction[Any], command: messages.Command, text: str = "") -> None:
    """Answer a command that asks about no song; ``text`` is what is typed after it elsewhere."""
    handler = handler_of(interaction)
    is_admin = command.administrators and handler.is_admin(interaction)
    # A refusal is at hand as well; it counts towards no limit.
    at_once = command.instant or (command.administrators and not is_admin)

    async def work(responder: InteractionResponder) -> None:
        if at_once:
            await responder.reply_privately(await handler.service.run_command(command, text, is_admin=is_admin))
            return
        await responder.defer(private=command.private)
        await responder.answer(await handler.service.run_command(command, text, is_admin=is_admin))

    await handler.handle(interaction, command.name, work, limited=not at_once)


async def _predict(interaction: discord.Interaction[Any], text: str, *, private: bool, animated: bool | None) -> None:
    handler = handler_of(interaction)

    async def work(responder: InteractionResponder) -> None:
        await responder.defer(private=private)
        reply_options = handler.reply_options(interaction, private=private, animated=animated)
        reply = await handler.service.predict(text)
        await handler.deliver(responder, reply, reply_options)

    await handler.handle(interaction, "predict", work)
