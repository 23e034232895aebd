"""What the page is told of a reply: plain values for its script, which sets them as text and never as markup."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar
from urllib.parse import urlsplit

from bot import messages
from bot.plain_text import plain
from bot.replies import headline
from bot.reply import Line, LineKind, Link, Reply, ResultCode, SongToken, token_of
from bot.web.links import COMPARE_CARD_PATH, COMPARE_PATH, COVER_PATH, SONG_CARD_PATH, SONG_PATH, SongLinks
from core.domain import Prediction, Verdict
from core.language import say
from core.predictor import Comparison
from core.text import percent
from core.words import figure, reason_with_figure, standing, verdict_name

ANSWER_CODES: Final = frozenset({ResultCode.PREDICTED, ResultCode.COMPARED})

VERDICT_NAMES: Final = {Verdict.POPULAR: "popular", Verdict.MEDIUM: "medium", Verdict.NOT_POPULAR: "not-popular"}
"""What the style sheet calls the verdicts."""

STATUSES: Final = {
    ResultCode.NOT_FOUND: 404,
    ResultCode.FORGOTTEN: 404,
    ResultCode.BAD_QUESTION: 400,
    ResultCode.UPSTREAM_FAULT: 503,
    ResultCode.LIMITED: 429,
    ResultCode.REFUSED: 403,
    ResultCode.FAULT: 500,
}
"""HTTP status of a result for programs (RFC 9110 and 6585); any other result is 200."""

_OWN_PLACES: Final = frozenset(
    {
        LineKind.HEADLINE,
        LineKind.SONG,
        LineKind.MEANING,
        LineKind.POPULARITY,
        LineKind.FIGURES,
        LineKind.AUDIO,
        LineKind.OTHERS,
        LineKind.WHY,
        LineKind.SOURCE,
        LineKind.DOUBT,
    }
)
"""Lines of an answer that the page sets in places of their own: as a heading, a gauge, a table, a list."""


def page_reply(reply: Reply, links: SongLinks, picture: str | None = None) -> dict[str, Any]:
    """Describe a reply for the page's script.

    Args:
        reply: What is said.
        links: Writes what stands for songs.
        picture: Address of the reply's picture if it is about no song.
    """
    answers = reply.compared or (() if reply.prediction is None else (reply.prediction,))
    told: dict[str, Any] = {
        "code": reply.code.value,
        "title": None if reply.title is None else plain(reply.title),
        "announcement": announcement(reply),
        "lines": [_line(line) for line in reply.lines] if not answers else [],
        "answers": [_answer(one, reply, links) for one in answers],
        "choices": [{"label": plain(choice.label), "song": links.write(choice.token)} for choice in reply.choices],
        "suggestions": [f"{plain(name.title)} - {plain(name.artist)}" for name in reply.suggestions],
        "against": None,
        "address": None,
        "card": None,
        "picture": picture,
        "doubt": say(messages.NOT_MEANT) if reply.prediction is not None and reply.choices else None,
    }
    if isinstance(reply.against, SongToken):
        told["against"] = {"song": links.write(reply.against)}
    elif reply.against is not None:
        told["against"] = {"text": reply.against}
    written = [links.write(token_of(answer.song.name)) for answer in answers]
    if len(written) == 1:
        told["address"] = SONG_PATH.format(song=written[0])
        told["card"] = SONG_CARD_PATH.format(song=written[0])
    elif reply.compared is not None:
        told["address"] = COMPARE_PATH.format(song=written[0], other=written[1])
        told["card"] = COMPARE_CARD_PATH.format(song=written[0], other=written[1])
        told["title"] = plain(reply.lines[0].text)
        # The lines of the two songs stand in their answers; what is left is a warning.
        told["lines"] = [_line(line) for line in reply.lines if line.kind is LineKind.TEXT]
        winner = Comparison(*reply.compared).winner
        for one, answer in zip(reply.compared, told["answers"], strict=True):
            answer["likelier"] = one is winner
    return told


def announcement(reply: Reply) -> str:
    """Say the gist of a reply to who listens rather than reads: of an answer its first lines, else all but tables."""
    if reply.code is ResultCode.PREDICTED:
        kinds = (LineKind.HEADLINE, LineKind.SONG, LineKind.MEANING)
        return plain(" ".join(line.text for line in reply.lines if line.kind in kinds))
    texts = [reply.title or "", *(line.text for line in reply.lines if line.kind is not LineKind.TABLE)]
    return plain(" ".join(text for text in texts if text))


def _answer(prediction: Prediction, reply: Reply, links: SongLinks) -> dict[str, Any]:
    """Describe the answer for one song; what is said of it in lines is taken from the reply if it is about it alone."""
    assessment, song = prediction.assessment, prediction.song
    link = links.write(token_of(song.name))
    lines = {line.kind: plain(line.text) for line in reply.lines} if reply.prediction is not None else {}
    return {
        "song": link,
        "name": plain(str(song.name)),
        "title": plain(song.title),
        "artist": plain(song.artist),
        "about": [plain(part) for part in prediction.about],
        "verdict": VERDICT_NAMES[assessment.verdict],
        "verdict_text": verdict_name(assessment.verdict),
        "headline": headline(assessment),
        "percent": percent(assessment.probability),
        "probability": assessment.probability,
        "bands": {"medium": assessment.bands.medium, "popular": assessment.bands.popular},
        "meaning": lines.get(LineKind.MEANING),
        "popularity": lines.get(LineKind.POPULARITY),
        "source": lines.get(LineKind.SOURCE),
        "stale": prediction.source.stale,
        "figures": [
            {"label": say(feature.label), "value": figure(feature), "standing": standing(feature)}
            for feature in assessment.features
        ],
        "reasons": [
            {"text": plain(reason_with_figure(reason)), "up": reason.push > 0} for reason in assessment.reasons
        ],
        "notes": [text for kind, text in lines.items() if kind not in _OWN_PLACES],
        "links": [{"label": page.label, "url": url} for page in reply.links if (url := _web_address(page)) is not None],
        "cover": COVER_PATH.format(song=link),
        "cover_alt": say(messages.COVER_ALT, name=plain(str(song.name))),
        "likelier": False,
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "kind": line.kind.value,
        "text": plain(line.text, keep_breaks=line.kind is LineKind.TABLE),
        "cells": [[plain(cell) for cell in row] for row in line.cells],
    }


def _web_address(link: Link) -> str | None:
    """Pass an address that leads to the web: what is opened by a click must be no script."""
    try:
        parts = urlsplit(link.url)
    except ValueError:
        return None
    return link.url if parts.scheme in {"http", "https"} and parts.hostname else None


V = TypeVar("V")


class RecentlyTold(Generic[V]):
    """Keeps in memory what was told a moment ago, so that its pictures cost no second answer; the oldest goes first."""

    def __init__(self, kept: int, lasting_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Keep so many for so many seconds."""
        self._kept = kept
        self._lasting_s = lasting_s
        self._clock = clock
        self._told: OrderedDict[str, tuple[V, float]] = OrderedDict()

    def keep(self, key: str, value: V) -> None:
        """Keep what was told under ``key``, in the place of what was there."""
        self._told[key] = value, self._clock() + self._lasting_s
        self._told.move_to_end(key)
        while len(self._told) > self._kept:
            self._told.popitem(last=False)

    def find(self, key: str) -> V | None:
        """Find it again, if it is not too long ago."""
        value, ends_at = self._told.get(key, (None, 0.0))
        return value if self._clock() < ends_at else None
