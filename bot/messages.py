"""Every sentence the bot says by itself, marked for translation, and the table of its commands.

Names of features and reasons come from the feature table and sentences about errors from the error tree, each beside
what it describes. What only the operator reads stays English, and so is not marked.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from core.domain import Block, Verdict
from core.language import mark, mark_in, mark_plural, say

SHAPES: Final = {Verdict.POPULAR: "▲", Verdict.MEDIUM: "●", Verdict.NOT_POPULAR: "▼"}
"""A shape for each verdict, so that it never rests on colour alone."""

HEADLINE: Final = "{shape} {verdict} · {confidence}"
# Translators: {of} is 100 or 1,000, {base} is "12.3 %".
MEANING: Final = mark_plural(
    "About {n} of {of} songs with figures like these is popular; of all songs, {base} are.",
    "About {n} of {of} songs with figures like these are popular; of all songs, {base} are.",
)
MEANING_HARDLY: Final = mark("Hardly one in 1,000 songs with figures like these is popular; of all songs, {base} are.")
MEANING_NEARLY_ALL: Final = mark(
    "More than 999 of 1,000 songs with figures like these are popular; of all songs, {base} are."
)
FIGURE: Final = "{label} {value}"
FIGURE_RANKED: Final = "{label} {value} ({standing})"
TAGS: Final = mark("Tags: {names}")
# Translators: {reasons} is "↑ many listeners · ↓ released in 1975".
WHY_LINE: Final = mark("Why: {reasons}")
PUSH_UP: Final = "↑ {reason}"
PUSH_DOWN: Final = "↓ {reason}"
# Translators: where the figures of an answer are from; {age} is "2 minutes ago", {model_date} "22 Nov 2026".
SOURCE_LIVE: Final = mark("Last.fm, {age} · model of {model_date}")
# Translators: {age} is "2 hours ago".
SOURCE_STALE: Final = mark("Last.fm is not answering; figures from {age} · model of {model_date}")
# Translators: {month} is "November 2026".
SOURCE_RECORDED: Final = mark("Last.fm, recorded in {month}, not live · model of {model_date}")
SOURCE_RECORDED_STALE: Final = mark("Last.fm is not answering; its figures of {month} · model of {model_date}")
SOURCE_CATALOGUE: Final = mark("Recorded {year}, no listener figures · model of {model_date}")
SOURCE_CATALOGUE_STALE: Final = mark(
    "Last.fm is not answering; recorded {year}, no listener figures · model of {model_date}"
)
CREDIT: Final = mark("Figures from Last.fm.")
POPULARITY: Final = mark("Spotify popularity {value} of 100 in {year}")
POPULARITY_RERELEASE: Final = mark("Spotify popularity {value} of 100 in {year}, of a compilation with it")
POPULARITY_CONTRADICTS: Final = (
    mark("Spotify popularity {value} of 100 in {year}: it was popular then, unlike the verdict"),
    mark("Spotify popularity {value} of 100 in {year}: it was not popular then, unlike the verdict"),
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

NOT_MEANT: Final = mark("Not the one you meant?")
NOT_MEANT_PICK: Final = mark("Not the one you meant? Pick another below.")
DID_YOU_MEAN: Final = mark("Did you mean one of these?")
CANDIDATE_LISTENERS: Final = mark_plural("{name} · {n} listener", "{name} · {n} listeners")
NOT_FOUND: Final = mark("I found no song like “{query}”.")
NOT_FOUND_SUGGESTIONS: Final = mark("The nearest I know: {names}.")
NOT_FOUND_TRY: Final = mark("Check the spelling, or add the artist.")
KEY_MISSING: Final = mark(
    "Without a Last.fm key I only know the songs that are recorded here. The operator of this bot can get a free key "
    "at https://www.last.fm/api/account/create and set it as LASTFM_API_KEY."
)

# Translators: {confidence} is "92.3 %", {name} a song.
WHY_TITLE: Final = mark("Why {confidence} for {name}")
# Translators: {reasons} is "many listeners (2.3M); tags: pop, dance".
WHY_UP: Final = mark("Speaks for it: {reasons}.")
WHY_DOWN: Final = mark("Speaks against it: {reasons}.")
# Translators: {blocks} is a list such as "the artist's audience, tags and when it came out".
WHY_KNOWN: Final = mark("Known: {blocks}.")
WHY_UNKNOWN: Final = mark("Not known: {blocks}.")
WHY_CATALOGUE: Final = mark("Answered from the song catalogue alone: recorded {year}, no listener figures.")
WHY_BASE: Final = mark("Of all songs of the catalogue {base} are popular; of those that people ask for, most are.")
RECORDS: Final = {
    Verdict.POPULAR: mark("When I say Popular, I am right {n} times in 100."),
    Verdict.MEDIUM: mark("When I say Medium, {n} in 100 songs turn out popular."),
    Verdict.NOT_POPULAR: mark("When I say Not popular, I am right {n} times in 100."),
}
"""How answers of each verdict fared."""

# Translators: these stand in a list after "Known:" or "Not known:".
BLOCK_NAMES: Final = {
    Block.TRACK: mark("the song's own listeners and plays"),
    Block.ARTIST: mark("the artist's audience"),
    Block.TAGS: mark("tags"),
    Block.GENRES: mark("genres"),
    Block.AUDIO: mark("how it sounds"),
    Block.AGE: mark("when it came out"),
}

# Translators: {winner} is a song, {first} and {second} are "92.3 %" and "41.0 %".
COMPARE_WINNER: Final = mark("{winner} is the likelier hit: {first} against {second}.")
COMPARE_UNLIKE: Final = mark("No listener figures are known of {name}: take the comparison with care.")
COMPARE_DRAW: Final = mark("A draw: both at {first}.")
COMPARE_HOW: Final = mark("Which two songs? For example: /compare Blinding Lights - The Weeknd | Hello - Adele")

# Translators: {artist} is a name, {n} how many songs were looked at.
RANKING_TITLE: Final = mark_plural(
    "{artist}: {n} song by its chance to be popular", "{artist}: {n} songs by their chance to be popular"
)
# Translators: {title} is a song, {confidence} "92.3 %".
RANKING_LIKELIEST: Final = mark("The likeliest hit is {title}, at {confidence}.")
# Translators: a song of many listeners and a small chance; both numbers are places in a list, 1 the highest.
RANKING_SURPRISE_LOW: Final = mark(
    "The surprise is {title}: number {by_listeners} by listeners, but only number {by_chance} by its chance "
    "({confidence})."
)
# Translators: a song of few listeners and a great chance.
RANKING_SURPRISE_HIGH: Final = mark(
    "The surprise is {title}: only number {by_listeners} by listeners, but number {by_chance} by its chance "
    "({confidence})."
)
RANKING_ROW: Final = "{place}. {shape} {confidence} · {title}"
# Translators: behind a song in a list; {n} is "2.3M".
RANKING_LISTENERS: Final = mark_plural("{n} listener", "{n} listeners")
RANKING_UNLIKE: Final = mark_plural(
    "No listener figures are known of {n} of them: take it with care.",
    "No listener figures are known of {n} of them: take their places with care.",
)
RANKING_NOTE: Final = mark("A song's own card knows more, such as its day of release, and may differ a little.")
# Translators: where listeners are recorded of some songs only; {model_date} is "22 Nov 2026".
RANKING_RECORDED: Final = mark("Last.fm, recorded, not live · model of {model_date}")
RANKING_RECORDED_STALE: Final = mark("Last.fm is not answering; recorded figures · model of {model_date}")
RANKING_CHOICE: Final = "{title} · {confidence}"
RANKING_OPEN: Final = mark("Open a song's card")
# Translators: the same for a part of a long list, "Open a song's card: 26 to 50".
RANKING_OPEN_PART: Final = mark("Open a song's card: {first} to {last}")
ARTIST_NOT_FOUND: Final = mark("I found no artist like “{name}”.")

# Translators: {span} is "3 weeks", {change} "+12 %".
GROWTH: Final = mark("In {span}: {change} listeners")
# Translators: {share} is "93 %".
GROWTH_RANKED: Final = mark("In {span}: {change} listeners, faster than {share} of songs")
TREND_TITLE: Final = mark("What changed: {name}")
# Translators: {listeners_then} is "2M", {listeners} "+12 %", and so on.
TREND_SINCE: Final = mark(
    "Since {date}: listeners from {listeners_then} to {listeners_now} ({listeners}), plays from {plays_then} to "
    "{plays_now} ({plays})."
)
# Translators: {then} and {now} are "55.0 %" and "92.3 %".
TREND_CHANCE: Final = mark("Its chance to be popular: {then} then, {now} now.")
TREND_NOTE: Final = mark("For the chance then the artist's figures are today's, since older ones are not kept.")
# Translators: {date} and {again} are "22 Nov 2026".
TREND_TOO_EARLY: Final = mark("I know figures of {name} since {date} only. Ask again on {again} or later.")
TREND_NONE: Final = mark(
    "I know no dated figures of {name} yet: they are noted with every live answer, and compared from the third day on."
)

MODEL_TITLE: Final = mark("How good is the model?")
MODEL_TESTED: Final = mark(
    "I was tested on {n} songs by artists I had never met; {base} of them are popular: 60 or more of 100 on Spotify."
)
MODEL_RANKS: Final = mark(
    "Given a popular song and another one, I put the popular one first {n} times in 100; Last.fm's plays alone do so "
    "{plays} times."
)
MODEL_MORE: Final = mark("The full table, and what I cannot know: /model full")
# Translators: /model full. {base} is "78.1 %".
MODEL_INTRO: Final = mark(
    "Measured on {n} songs with Last.fm figures by artists it had never seen, as you would ask for them; {base} of "
    "them are popular (Spotify popularity 60 or more)."
)
MODEL_BAND: Final = mark("{verdict}: {share} really were popular (songs: {n}).")
CALIBRATION_ALT: Final = mark("Curve: the share of songs that were popular, against the probability stated. {bands}")
MODEL_LIMITS: Final = mark("What it cannot know: {limits}")
MODEL_DATE: Final = mark("Model of {date}.")

# Translators: the buttons under an answer share a line on a phone: at most 12 letters each.
BUTTON_WHY: Final = mark("Why?")
BUTTON_REFRESH: Final = mark("Refresh")
BUTTON_COMPARE: Final = mark("Compare")
LINK_LASTFM: Final = "Last.fm"
LINK_SPOTIFY: Final = "Spotify"
LINK_YOUTUBE: Final = "YouTube"

FORGOTTEN: Final = mark("I no longer know which song that button was for. Please ask again.")
UNEXPECTED: Final = mark("Something went wrong here, and it is noted as {incident}. Please try again in a moment.")
LIMITED_USER: Final = mark_plural(
    "That was a lot at once. You can ask again in {n} second.",
    "That was a lot at once. You can ask again in {n} seconds.",
)
LIMITED_CHAT: Final = mark_plural(
    "This chat has asked a lot at once. It can ask again in {n} second.",
    "This chat has asked a lot at once. It can ask again in {n} seconds.",
)
RELOADED: Final = "The model of {date} is in use now."
RELOAD_FAILED: Final = "The stored model was refused, the one in use goes on: {reason}"
ADMINISTRATORS_ONLY: Final = mark("That is for the operators of this bot.")
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
# Translators: what a picture shows, for people who cannot see it; {text} is the whole answer.
CARD_ALT: Final = mark("Card: {text}")
# Translators: what a picture shows, for people who cannot see it.
COVER_ALT: Final = mark("Cover of {name}")

# Translators: headings in an answer: Last.fm's tags, figures of how the song sounds, and further figures.
FIELD_TAGS: Final = mark("Tags")
FIELD_AUDIO: Final = mark("Sound")
FIELD_OTHERS: Final = mark("Also")
# Translators: a permission, as Discord's own settings call it in your language.
PERMISSION_EMBED: Final = mark("Embed Links")
# Translators: a permission, as Discord's own settings call it in your language.
PERMISSION_ATTACH: Final = mark("Attach Files")
PERMISSION_MISSING: Final = mark_plural(
    "For the full answer with its card I need the permission {names} here.",
    "For the full answer with its card I need the permissions {names} here.",
)
NOT_YOURS: Final = mark("Only the person who asked can use that. Ask for yourself with /predict.")
CHOICE_OVER: Final = mark("That choice is no longer open. Please ask again.")
ANSWERED_PRIVATELY: Final = mark("Answered privately.")
CHOSEN: Final = mark("Looking it up …")
NOT_DELIVERED: Final = mark("The answer did not get through. Please press again in a moment.")
RESTARTING: Final = mark("I am just being restarted. Please ask again in a minute.")
# Translators: at most 45 characters, the title of a form.
COMPARE_MODAL_TITLE: Final = mark("Compare with another song")
# Translators: at most 45 characters, the name of a form's only field.
COMPARE_MODAL_LABEL: Final = mark("Second song")
COMPARE_MODAL_EXAMPLE: Final = "Hello - Adele"
CHOOSE: Final = mark("Choose a song")

# Translators: at most 32 characters, in the menu of a message on Discord.
COMMAND_MESSAGE: Final = mark("Predict this song")

NOT_YOUR_CHOICE: Final = mark("Only the one who asked can choose here.")
BUTTON_UNKNOWN: Final = mark("That button is not one of mine any more. Please ask again.")
BUTTON_SHOW: Final = mark("Show the verdict")
BUTTON_CARD: Final = mark("Full card")
COMPARE_WITH: Final = mark("Compare {name} with which song? Reply to this message with its name.")
# Translators: how to write a song, with a hyphen between the two.
COMPARE_PLACEHOLDER: Final = mark("song - artist")
INLINE_WAITING: Final = mark("Is it a hit? The verdict is on its way; if it does not come by itself, press the button.")
GUEST_WAITING: Final = mark("Is it a hit? The verdict is on its way.")
INLINE_ELSEWHERE: Final = mark("Another song? Ask me in our chat")
INLINE_HELP: Final = mark("In any other chat, type @{bot} and a song.")
PICTURES_FORBIDDEN: Final = mark(
    "(This chat does not let me send pictures; its administrators can allow photos and videos.)"
)

CONSOLE_GREETING: Final = mark("Name a song, or /help, or /quit.")
CONSOLE_PICK: Final = mark("Type its number.")
# Translators: {commands} is a list, "/predict, /compare and /help".
NO_COMMAND: Final = mark("There is no command {command}. There are {commands}.")
CONSOLE_NO_CHOICE: Final = mark(
    "No choice is open that {number} could be the answer to. For a song of that name: /predict {number}"
)
CONSOLE_NO_SUCH_NUMBER: Final = mark(
    "Type a number from 1 to {n} to choose. For a song of that name: /predict {number}"
)
CONSOLE_CARD: Final = mark("Card: {path}")
CONSOLE_CARD_NOT_SAVED: Final = mark("The card could not be saved in {folder} (CARDS_DIR): {reason}.")
CONSOLE_NO_WINDOW: Final = mark("No window could be opened for the card.")
# Translators: headings of a table: "Listeners", "2,275,434", "top 1 %".
CONSOLE_COLUMNS: Final = (mark("Figure"), mark("Value"), mark("Among all songs"))

WEB_SERVED: Final = "The page is at {url}"
WEB_MOVED: Final = "WEB_PORT: {port} is in use already; the page takes {free} instead."
WEB_NO_PORT: Final = "WEB_PORT: {port} and those after it are in use already, so there is no page."
WEB_OFF: Final = "There is no page, since others reach WEB_HOST={host}; WEB=on serves it to them."
WEB_NOT_SERVED: Final = "There is no page: {reason}"
WEB_NAME: Final = "Hitmeter"
WEB_TITLE: Final = "{title} · Hitmeter"
# Translators: for who reads the page by ear or keyboard: leads to the box for the question.
WEB_SKIP: Final = mark("To the question")
WEB_HOME: Final = mark("Hitmeter, to the start")
# Translators: names a row of buttons, "/model /help /privacy".
WEB_COMMANDS: Final = mark("More")
WEB_QUESTION: Final = mark("Song and artist")
WEB_PLACEHOLDER: Final = mark("song - artist")
# Translators: on the button beside the box for the question.
WEB_ASK: Final = mark("Ask")
WEB_SUGGESTIONS: Final = mark("Songs")
WEB_SUGGESTED: Final = mark_plural("{n} suggestion", "{n} suggestions")
# Translators: above some songs that can be asked for.
WEB_EXAMPLES: Final = mark("For example")
WEB_CONVERSATION: Final = mark("Answers")
# Translators: before what a person typed, for who reads the page by ear.
WEB_ASKED: Final = mark("You asked")
WEB_FIGURES: Final = mark("Figures")
WEB_FIGURE: Final = mark("Figure")
WEB_VALUE: Final = mark("Value")
WEB_STANDING: Final = mark("Among all songs")
WEB_REASONS: Final = mark("What speaks for and against it")
# Translators: before a reason that speaks for the song, for who reads the page by ear: "for: many listeners".
WEB_FOR: Final = mark("for")
# Translators: before a reason that speaks against the song.
WEB_AGAINST: Final = mark("against")
WEB_LIKELIER: Final = mark("Likelier hit")
# Translators: a button, at most 16 letters.
WEB_LINK: Final = mark("Copy link")
# Translators: what the button says for a moment, at most 16 letters.
WEB_LINK_COPIED: Final = mark("Link copied")
# Translators: a button that saves the picture, at most 20 letters.
WEB_CARD: Final = mark("Card as picture")
# Translators: stands above the box in which the other song is typed.
WEB_COMPARE_WITH: Final = mark("Compare {name} with")
WEB_COMPARED: Final = mark("{name} against {other}")
WEB_CANCEL: Final = mark("Cancel")
WEB_UNREACHABLE: Final = mark("The bot is not answering. Please try again in a moment.")
WEB_SCRIPTLESS: Final = mark("This page needs JavaScript.")
WEB_LINK_UNKNOWN: Final = mark("I no longer know which song that link was for. Please ask for it by its name.")
WEB_NOT_HERE: Final = mark("There is no such page here.")
WEB_OTHER_HOST: Final = mark("This page is not served under that host name.")
WEB_OTHER_SITE: Final = mark("This is answered to the page itself alone.")
WEB_PREVIEW_ALT: Final = mark("Card of {name} with the verdict and the figures behind it")

HELP_TITLE: Final = mark("Is this song a hit?")
HELP_BEGIN: Final = mark("Name a song and I say how likely it is to be popular, and why.")
HELP_COMMAND: Final = "/{command} — {meaning}"
HELP_END: Final = (
    mark(
        "The song may be misspelt, either side of the dash may be the artist, and a link to Spotify, YouTube, Deezer, "
        'Apple Music or Last.fm works too. "Hello vs Halo" compares.'
    ),
    mark("The confidence is a calibrated probability: of all songs given 70 %, about 70 in 100 are popular."),
    mark("Figures come from Last.fm (https://www.last.fm)."),
)

PRIVACY_TITLE: Final = mark("Privacy")
PRIVACY: Final = (
    mark(
        "I keep the names of songs that were asked for or offered, so that buttons go on working, and for a while what "
        "Last.fm and the shops said of them. I do not keep who asked, where, or any message."
    ),
    mark(
        "Of each song I also keep, once a day at most, how many listeners and plays it had, so that what changed can "
        "be told: whoever names a song may see on which days it was asked about, but never by whom."
    ),
    mark(
        "What you ask in private is suggested to nobody. Suggestions come from the song catalogue; a Discord channel "
        "is also offered songs whose answers everyone there could read, remembered until I am restarted."
    ),
    mark(
        "Song names are sent to Last.fm, iTunes, Deezer and MusicBrainz, and the id in a pasted link to Spotify, "
        "YouTube or Deezer, whose it is; nothing about you is sent to anyone."
    ),
)


class Surface(Enum):
    """Where people meet the bot."""

    DISCORD = "discord"
    TELEGRAM = "telegram"
    CONSOLE = "console"
    WEB = "web"


@dataclass(frozen=True, slots=True)
class Argument:
    """What a command takes, as platforms with forms ask for it; others take one line of text."""

    name: str
    description: str


COMMAND_NAME: Final = "command name"
"""Context in which names of commands are translated, where a platform lets them be."""

ARGUMENT_NAME: Final = "argument name"
"""Context in which names of arguments are translated."""

FULL: Final = "full"
"""What is typed after /model for its whole table; also the name of the argument."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One thing the bot can be told to do, wherever people meet it; all texts are to be said in their language.

    Attributes:
        name: What is typed after the slash.
        description: What it is for, where a form shows it by itself.
        brief: The same in a list of commands, after the ``usage``.
        usage: How to write what it takes; "" if it takes nothing.
        help: What /help says instead of ``brief``.
        arguments: What it takes.
        about_song: Whether it asks about a song or an artist, and may do so by answering to the message that names it.
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
    about_song: bool = False
    administrators: bool = False
    private: bool = True
    instant: bool = False
    surfaces: frozenset[Surface] = frozenset(Surface)

    @property
    def menu(self) -> str:
        """Say it in a line of a menu."""
        return f"{say(self.usage)}: {say(self.brief)}" if self.usage else say(self.brief)


# Translators, for all that follows: names of commands and arguments are at most 32 lower-case letters, without spaces;
# descriptions are at most 100 characters.
COMMANDS: Final = {
    command.name: command
    for command in (
        Command(
            name=mark_in("command name", "predict"),
            description=mark("How likely is a song to be popular, and why?"),
            brief=mark("how likely it is to be popular"),
            usage=mark("song - artist"),
            help=mark("the prediction with its card"),
            arguments=(
                Argument(mark_in("argument name", "song"), mark("The song, best as: song - artist")),
                Argument(mark_in("argument name", "artist"), mark("The artist, if the song alone is not clear")),
                Argument(mark_in("argument name", "animated"), mark("Let the needle sweep to its place")),
                Argument(mark_in("argument name", "private"), mark("Show the answer to you alone")),
            ),
            about_song=True,
            private=False,
        ),
        Command(
            name=mark_in("command name", "compare"),
            description=mark("Which of two songs is the likelier hit?"),
            brief=mark("which is the likelier hit"),
            usage=mark("song | song"),
            help=mark("two songs side by side"),
            arguments=(
                Argument(mark_in("argument name", "first"), mark("The first song, best as: song - artist")),
                Argument(mark_in("argument name", "second"), mark("The second song")),
            ),
            about_song=True,
            private=False,
        ),
        Command(
            name=mark_in("command name", "artist"),
            description=mark("Which of an artist's songs are the likeliest hits?"),
            brief=mark("the artist's likeliest hits"),
            usage=mark("name"),
            help=mark("an artist's most heard songs by their chance"),
            arguments=(Argument(mark_in("argument name", "name"), mark("The artist")),),
            about_song=True,
            private=False,
        ),
        Command(
            name=mark_in("command name", "trend"),
            description=mark("How did a song's listeners and its chance develop?"),
            brief=mark("what changed"),
            usage=mark("song - artist"),
            help=mark("how its listeners and its chance developed"),
            arguments=(Argument(mark_in("argument name", "song"), mark("The song, best as: song - artist")),),
            about_song=True,
            private=False,
        ),
        Command(
            name=mark_in("command name", "model"),
            description=mark("How good the predictions are, measured honestly"),
            brief=mark("how good the predictions are"),
            arguments=(Argument(mark_in("argument name", "full"), mark("Show the whole table of measurements")),),
            private=False,
        ),
        Command(
            name=mark_in("command name", "help"),
            description=mark("How to ask"),
            brief=mark("how to ask"),
            help=mark("this text"),
            instant=True,
        ),
        Command(
            name=mark_in("command name", "privacy"),
            description=mark("What is stored"),
            brief=mark("what is stored"),
            instant=True,
        ),
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
            brief=mark("end the chat"),
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
