"""Every sentence the bot says by itself, ready to be translated, and the table of its commands.

Names of features and reasons come from the feature table and sentences about errors from the error tree, each beside
what it describes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from core.domain import Block, Verdict
from core.errors import HOW_TO_ASK

SHAPES: Final = {Verdict.POPULAR: "▲", Verdict.MEDIUM: "●", Verdict.NOT_POPULAR: "▼"}
"""A shape for each verdict, so that it never rests on colour alone."""

HEADLINE: Final = "{shape} {verdict} · {confidence}"
MEANING: Final = "About {share} of 100 songs with figures like these are popular; of all songs, {base} are."
FIGURE: Final = "{label} {value}"
FIGURE_RANKED: Final = "{label} {value} ({standing})"
TAGS: Final = "tags: {tags}"
WHY_LINE: Final = "Why: {reasons}"
PUSH_UP: Final = "↑ {label}"
PUSH_DOWN: Final = "↓ {label}"
SOURCE_LIVE: Final = "{origin}, {age} · model of {model_date}"
SOURCE_STALE: Final = "{origin} is not answering; figures from {age} · model of {model_date}"
SOURCE_RECORDED: Final = "Recorded figures of {month}, not live ones · model of {model_date}"
SOURCE_CATALOGUE: Final = "Recorded {year}, no listener figures · model of {model_date}"
SOURCE_CATALOGUE_STALE: Final = "Last.fm is not answering; recorded {year}, no listener figures · model of {model_date}"
SOURCE_RECORDED_STALE: Final = "Last.fm is not answering; recorded figures of {month} · model of {model_date}"
POPULARITY: Final = "Spotify popularity {value} of 100 in {year}"
POPULARITY_RERELEASE: Final = "Spotify popularity {value} of 100 in {year}, of a compilation with it"
POPULARITY_CONTRADICTS: Final = (
    "Spotify popularity {value} of 100 in {year}: it was popular then, unlike the verdict",
    "Spotify popularity {value} of 100 in {year}: it was not popular then, unlike the verdict",
)
"""When the song was popular then, and when it was not."""

CATALOGUE_FETCHED: Final = (
    "Fetching the song catalogue, this once: the {name}, {rows} rows, {megabytes} MB, from {host}."
)
CATALOGUE_READY: Final = "The song catalogue is ready: {songs} songs."
CATALOGUE_NOT_FETCHED: Final = (
    "The song catalogue could not be fetched: {reason}. It goes on without; the next start tries again unless "
    "CATALOGUE=off."
)

NOT_MEANT: Final = "Not the one you meant?"
NOT_MEANT_PICK: Final = "Not the one you meant? Pick another below."
DID_YOU_MEAN: Final = "Did you mean one of these?"
CANDIDATE_LISTENERS: Final = "{name} · {listeners} listeners"
NOT_FOUND: Final = "I found no song like “{query}”."
NOT_FOUND_SUGGESTIONS: Final = "The nearest I know: {names}."
NOT_FOUND_EXAMPLE: Final = f"Check the spelling, or add the artist. {HOW_TO_ASK}"
KEY_MISSING: Final = (
    "Without a Last.fm key I only know the songs that are recorded here. The operator of this bot can get a free key "
    "at https://www.last.fm/api/account/create and set it as LASTFM_API_KEY."
)

WHY_TITLE: Final = "Why {confidence} for {name}"
WHY_UP: Final = "Speaks for it: {labels}."
WHY_DOWN: Final = "Speaks against it: {labels}."
WHY_KNOWN: Final = "Known: {blocks}."
WHY_UNKNOWN: Final = "Not known: {blocks}."
WHY_CATALOGUE: Final = "Answered from the song catalogue alone: recorded {year}, no listener figures."
WHY_BASE: Final = "Of all songs of the catalogue {base} are popular; of those that people ask for, most are."
WHY_RECORD: Final = (
    "Of {n} songs it called {verdict} without having seen their artists before, {share} really were popular."
)
BLOCK_NAMES: Final = {
    Block.TRACK: "the song's own listeners and plays",
    Block.ARTIST: "the artist's audience",
    Block.TAGS: "tags",
    Block.GENRES: "genres",
    Block.AUDIO: "how it sounds",
    Block.AGE: "when it came out",
}

COMPARE_WINNER: Final = "{winner} is the likelier hit: {first} against {second}."
COMPARE_UNLIKE: Final = "No listener figures are known of {name}: take the comparison with care."
COMPARE_DRAW: Final = "A draw: both at {first}."
COMPARE_HOW: Final = "Which two songs? For example: /compare Blinding Lights - The Weeknd | Hello - Adele"

MODEL_TITLE: Final = "How good is the model?"
MODEL_INTRO: Final = (
    "Measured on {n} songs with Last.fm figures by artists it had never seen, as you would ask for them; {base} of "
    "them are popular (Spotify popularity 60 or more)."
)
MODEL_BAND: Final = "{verdict}: {share} of {n} songs really were popular."
CALIBRATION_ALT: Final = "Curve: the share of songs that were popular, against the probability stated. {bands}"
MODEL_LIMITS: Final = "What it cannot know"
MODEL_DATE: Final = "Model of {date}."

BUTTON_WHY: Final = "Why?"
BUTTON_REFRESH: Final = "Refresh"
BUTTON_COMPARE: Final = "Compare"
LINK_LASTFM: Final = "Last.fm"
LINK_SPOTIFY: Final = "Spotify"
LINK_YOUTUBE: Final = "YouTube"

FORGOTTEN: Final = "I no longer know which song that button was for. Please ask again."
UNEXPECTED: Final = "Something went wrong here, and it is noted as {incident}. Please try again in a moment."
LIMITED_USER: Final = "That was a lot at once. You can ask again in {seconds}."
LIMITED_CHAT: Final = "This chat has asked a lot at once. It can ask again in {seconds}."
SECONDS: Final = ("{n} second", "{n} seconds")
RELOADED: Final = "The model of {date} is in use now."
RELOAD_FAILED: Final = "The stored model was refused, the one in use goes on: {reason}"
ADMINISTRATORS_ONLY: Final = "That is for the operators of this bot."
STATS_TITLE: Final = "How the bot is doing"
STATS_NONE: Final = "Nothing is counted here."
STATS_UPTIME: Final = "Up for {span}."
STATS_ANSWERS: Final = "{n} answers: {codes}."
STATS_ANSWER_LATENCY: Final = (
    "An answer takes {p50} in the middle, {p95} for the slowest 5 in 100, {p99} for the slowest 1."
)
STATS_CACHE: Final = "Cache: {share} of {n} looks were hits, {stale} stale answers served."
STATS_UPSTREAM: Final = "Last.fm: {n} requests, {errors} failed ({share})."
STATS_UPSTREAM_ERRORS: Final = "What failed: {outcomes}."
STATS_UPSTREAM_LATENCY: Final = (
    "A request takes {p50} in the middle, {p95} for the slowest 5 in 100, {p99} for the slowest 1."
)
CARD_ALT: Final = "Card: {text}"

FIELD_TAGS: Final = "Tags"
FIELD_AUDIO: Final = "Sound"
FIELD_OTHERS: Final = "Also"
AND: Final = " and "
PERMISSION_EMBED: Final = "Embed Links"
PERMISSION_ATTACH: Final = "Attach Files"
PERMISSION_MISSING: Final = "For the full answer with its card I need the permission {names} here."
NOT_YOURS: Final = "Only the person who asked can use that. Ask for yourself with /predict."
CHOICE_OVER: Final = "That choice is no longer open. Please ask again."
ANSWERED_PRIVATELY: Final = "Answered privately."
CHOSEN: Final = "Looking it up …"
RESTARTING: Final = "I am just being restarted. Please ask again in a minute."
COMPARE_MODAL_TITLE: Final = "Compare with another song"
COMPARE_MODAL_LABEL: Final = "Second song"
COMPARE_MODAL_EXAMPLE: Final = "Hello - Adele"
CHOOSE: Final = "Choose a song"

COMMAND_MESSAGE: Final = "Predict this song"

NOT_YOUR_CHOICE: Final = "Only the one who asked can choose here."
BUTTON_UNKNOWN: Final = "That button is not one of mine any more. Please ask again."
BUTTON_SHOW: Final = "Show the verdict"
BUTTON_CARD: Final = "Full card"
COMPARE_WITH: Final = "Compare {name} with which song? Reply to this message with its name."
COMPARE_PLACEHOLDER: Final = "song - artist"
INLINE_WAITING: Final = "Is it a hit? The verdict is on its way; if it does not come by itself, press the button."
INLINE_ELSEWHERE: Final = "Another song? Ask me in our chat"
INLINE_HELP: Final = "In any other chat, type @{bot} and a song."
PICTURES_FORBIDDEN: Final = "(This chat does not let me send pictures; its administrators can allow photos and videos.)"

CONSOLE_GREETING: Final = "Name a song, or /help, or /quit."
CONSOLE_PICK: Final = "Type its number."
CONSOLE_NO_COMMAND: Final = "There is no command {command}. There are {commands}."
CONSOLE_NO_CHOICE: Final = (
    "No choice is open that {number} could be the answer to. For a song of that name: /predict {number}"
)
CONSOLE_NO_SUCH_NUMBER: Final = "Type a number from 1 to {n} to choose. For a song of that name: /predict {number}"
CONSOLE_CARD: Final = "Card: {path}"
CONSOLE_CARD_NOT_SAVED: Final = "The card could not be saved in {folder} (CARDS_DIR): {reason}."
CONSOLE_NO_WINDOW: Final = "No window could be opened for the card."

HELP_TITLE: Final = "Is this song a hit?"
HELP_BEGIN: Final = "Name a song and I say how likely it is to be popular, and why."
HELP_COMMAND: Final = "/{command} — {meaning}"
HELP_END: Final = """\
The song may be misspelt, either side of the dash may be the artist, and a link to Spotify, YouTube, Deezer, Apple \
Music or Last.fm works too. "Hello vs Halo" compares.
The confidence is a calibrated probability: of all songs given 70 %, about 70 in 100 are popular.
Figures come from Last.fm (https://www.last.fm)."""

PRIVACY_TITLE: Final = "Privacy"
PRIVACY: Final = """\
I keep the names of songs that were asked for or offered, so that buttons go on working, and for a while what Last.fm \
and the shops said of them. I do not keep who asked, where, or any message.
What you ask in private is suggested to nobody. Suggestions come from the song catalogue; a Discord channel is also \
offered songs whose answers everyone there could read, remembered until I am restarted.
Song names are sent to Last.fm, iTunes, Deezer and MusicBrainz, and the id in a pasted link to Spotify, YouTube or \
Deezer, whose it is; nothing about you is sent to anyone."""


class Surface(Enum):
    """Where people meet the bot."""

    DISCORD = "discord"
    TELEGRAM = "telegram"
    CONSOLE = "console"


@dataclass(frozen=True, slots=True)
class Argument:
    """What a command takes, as platforms with forms ask for it; others take one line of text."""

    name: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One thing the bot can be told to do, wherever people meet it.

    Attributes:
        name: What is typed after the slash.
        description: What it is for, where a form shows it by itself.
        brief: The same in a list of commands, after the ``usage``.
        usage: How to write what it takes; "" if it takes nothing.
        help: What /help says instead of ``brief``.
        arguments: What it takes; none if it asks about no song.
        administrators: Whether it is for administrators alone.
        private: Whether the asker alone sees the answer, where the platform can.
        instant: Whether the answer is at hand, so that nobody has to wait or be counted for it.
        surfaces: Where there is such a command.
    """

    name: str
    description: str
    brief: str
    usage: str = ""
    help: str | None = None
    arguments: tuple[Argument, ...] = ()
    administrators: bool = False
    private: bool = True
    instant: bool = False
    surfaces: frozenset[Surface] = frozenset(Surface)

    @property
    def menu(self) -> str:
        """Say it in a line of a menu."""
        return f"{self.usage}: {self.brief}" if self.usage else self.brief


COMMANDS: Final = {
    command.name: command
    for command in (
        Command(
            name="predict",
            description="How likely is a song to be popular, and why?",
            brief="how likely it is to be popular",
            usage="song - artist",
            help="the prediction with its card",
            arguments=(
                Argument("song", "The song, best as: song - artist"),
                Argument("artist", "The artist, if the song alone is not clear"),
                Argument("animated", "Let the needle sweep to its place"),
                Argument("private", "Show the answer to you alone"),
            ),
            private=False,
        ),
        Command(
            name="compare",
            description="Which of two songs is the likelier hit?",
            brief="which is the likelier hit",
            usage="song | song",
            help="two songs side by side",
            arguments=(
                Argument("first", "The first song, best as: song - artist"),
                Argument("second", "The second song"),
            ),
            private=False,
        ),
        Command(
            name="model",
            description="How good the predictions are, measured honestly",
            brief="how good the predictions are",
            private=False,
        ),
        Command(name="help", description="How to ask", brief="how to ask", help="this text", instant=True),
        Command(name="privacy", description="What is stored", brief="what is stored", instant=True),
        Command(
            name="stats",
            description="How the bot is doing; for its operators",
            brief="how the bot is doing",
            administrators=True,
        ),
        Command(
            name="reload",
            description="Load the stored model anew; for its operators",
            brief="load the stored model anew",
            administrators=True,
        ),
        Command(
            name="quit",
            description="End the chat",
            brief="end the chat",
            surfaces=frozenset({Surface.CONSOLE}),
        ),
    )
}
"""Every command by its name; each adapter makes its own from these."""


def commands_on(surface: Surface, *, administrators: bool = True) -> tuple[Command, ...]:
    """List the commands that there are on a surface, with or without those of administrators."""
    return tuple(
        command
        for command in COMMANDS.values()
        if surface in command.surfaces and (administrators or not command.administrators)
    )
