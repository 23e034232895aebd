"""What every platform is given to say: lines of plain text with a picture, links, choices and a code."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from core.domain import ArtistRanking, Candidate, Prediction, SongName, Trend, Verdict
from core.history import song_token


class ResultCode(StrEnum):
    """What became of a question; every reply has one, and they are counted."""

    PREDICTED = "predicted"
    COMPARED = "compared"
    EXPLAINED = "explained"
    RANKED = "ranked"
    TREND = "trend"
    AMBIGUOUS = "ambiguous"
    NOT_FOUND = "not_found"
    BAD_QUESTION = "bad_question"
    UPSTREAM_FAULT = "upstream_fault"
    FORGOTTEN = "forgotten"
    LIMITED = "limited"
    REFUSED = "refused"
    INFORMED = "informed"
    FAULT = "fault"


SETTLES_PICK: Final = frozenset({ResultCode.PREDICTED, ResultCode.COMPARED, ResultCode.AMBIGUOUS})
"""Results that take the place of what a song was picked from; after any other it stays, with all that it offers."""


class LineKind(StrEnum):
    """What a line of a reply tells; short media drop whole kinds, never half a line."""

    HEADLINE = "headline"
    SONG = "song"
    MEANING = "meaning"
    GROWTH = "growth"
    POPULARITY = "popularity"
    FIGURES = "figures"
    AUDIO = "audio"
    OTHERS = "others"
    WHY = "why"
    SOURCE = "source"
    DOUBT = "doubt"
    TEXT = "text"
    TABLE = "table"
    RANK = "rank"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of plain text, not yet escaped for any platform; a table also in cells, headings first."""

    kind: LineKind
    text: str
    cells: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A labelled web address."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class SongToken:
    """Stands for a song in a button or link, as :func:`core.history.song_token` makes it."""

    value: str

    def __str__(self) -> str:
        return self.value


Question = str | SongToken
"""A song asked for: as somebody typed it, or one that was offered."""


def token_of(name: SongName) -> SongToken:
    """Make the token of a song."""
    return SongToken(song_token(name))


@dataclass(frozen=True, slots=True)
class Choice:
    """A song to pick: its label and the token that stands for it in a button."""

    label: str
    token: SongToken


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture to attach, with a description that says everything it shows."""

    data: bytes
    filename: str
    media_type: str
    alt: str


class Card(Protocol):
    """Draws the picture of a reply for whoever awaits it."""

    async def __call__(self, *, animated: bool = False) -> Picture | None:
        """Draw it, moving if it can and is to; None if it cannot be drawn: the answer is good without it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What to say, whatever the platform.

    Attributes:
        code: What became of the question.
        lines: Plain text in reading order.
        title: Heading, when the lines do not bring their own.
        title_url: Page behind the heading or the song's line.
        verdict: Sets the accent colour.
        prediction: The answer itself, for tables and buttons.
        compared: The two answers of a comparison.
        ranking: The ranked songs of an artist; its ``choices`` open the songs' cards beside it and stay.
        trend: How a song's figures developed.
        links: Pages worth opening.
        choices: Songs to pick from, in place of an answer or beside one that may not be meant.
        candidates: The same songs as the source writes them, with what is known of them.
        suggestions: Songs that are distantly like what was asked for.
        against: The song that the picked one is to be compared with; as typed while it is not clear itself.
        token: Stands for the answered song in buttons; None if there are to be none.
        card: Draws its picture, which costs nothing until it is awaited; None if it has none.
        private: Show it to the asker alone where the platform can.
    """

    code: ResultCode
    lines: tuple[Line, ...]
    title: str | None = None
    title_url: str | None = None
    verdict: Verdict | None = None
    prediction: Prediction | None = None
    compared: tuple[Prediction, Prediction] | None = None
    ranking: ArtistRanking | None = None
    trend: Trend | None = None
    links: tuple[Link, ...] = ()
    choices: tuple[Choice, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    suggestions: tuple[SongName, ...] = ()
    against: Question | None = None
    token: SongToken | None = None
    card: Card | None = field(default=None, repr=False, compare=False)
    private: bool = False

    @property
    def text(self) -> str:
        """All lines as one plain text."""
        return "\n".join(line.text for line in self.lines)

    @property
    def songs(self) -> tuple[SongName, ...]:
        """The songs it answers about; none if it asks back or tells something else."""
        prediction = self.prediction if self.trend is None else self.trend.prediction
        answers = self.compared or (() if prediction is None else (prediction,))
        return tuple(answer.song.name for answer in answers)


def text_reply(code: ResultCode, *texts: str, title: str | None = None, private: bool = False) -> Reply:
    """Build a reply of plain sentences."""
    lines = tuple(Line(LineKind.TEXT, text) for text in texts if text)
    return Reply(code=code, lines=lines, title=title, private=private)


def stored_card(picture: Picture) -> Card:
    """Make the card of a picture that need not be drawn."""

    async def card(*, animated: bool = False) -> Picture | None:
        return picture

    return card
