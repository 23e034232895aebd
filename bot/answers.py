"""Questions in, replies out: the one place where adapters meet the predictor, and where nothing escapes."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, assert_never

from bot import words
from bot.chat_songs import ChatSongs
from bot.metrics import Figures
from bot.replies import ambiguous_reply, day, not_found_reply, prediction_reply, why_reply
from bot.reply import Picture, Reply, ResultCode, text_reply
from bot.reports import comparison_reply, model_reply, stats_reply
from core.domain import Ambiguous, Answer, NotFound, Prediction, SongName
from core.errors import HitmeterError, ModelError, QueryError, RenderError, UpstreamError
from core.predictor import Comparison, Predictor
from core.query import pair_of

log = logging.getLogger(__name__)

CARD_NAME: Final = "hitmeter-card"
"""File name of pictures, without its ending."""


Drawn = bool | Callable[[Prediction], bool]
"""Whether to draw the card; a function decides by the prediction, for a platform that may hold the card already."""


def utc_now() -> datetime:
    """Tell the time; tests pass another clock."""
    return datetime.now(UTC)


class Answers:
    """Answers every kind of request with a :class:`Reply` and never raises anything but cancellation.

    Errors of the tree become their own sentence; anything else becomes a sentence with a short id, and the log has
    the id and the traceback.
    """

    def __init__(
        self,
        predictor: Predictor,
        *,
        clock: Callable[[], datetime] = utc_now,
        on_reply: Callable[[str, ResultCode, float], None] | None = None,
        figures: Callable[[], Figures] | None = None,
    ) -> None:
        """Wrap the predictor.

        Args:
            predictor: Answers and draws.
            clock: Tells the time, with a zone.
            on_reply: Told request name, result code and seconds taken of every reply, for metrics.
            figures: Sums up how the bot has fared, for :meth:`stats`.
        """
        self.predictor = predictor
        self._clock = clock
        self._on_reply = on_reply
        self._figures = figures
        self._chat_songs = ChatSongs()

    async def predict(self, text: str, *, fresh: bool = False, animated: bool = False, drawn: Drawn = True) -> Reply:
        """Answer a typed question, with its card unless ``drawn`` is off or says so of the prediction.

        "Hello vs Halo" is answered with a comparison.
        """

        async def build() -> Reply:
            pair = await self.predictor.pair(text)
            if pair is None:
                return await self._predicted(self.predictor.predict(text, fresh=fresh), animated=animated, drawn=drawn)
            answers = await asyncio.gather(self.predictor.predict(pair.first), self.predictor.predict(pair.second))
            return await self._compared(*answers, drawn=callable(drawn) or drawn)

        return await self._safely("predict", build)

    async def predict_token(
        self, token: str, *, fresh: bool = False, animated: bool = False, drawn: Drawn = True
    ) -> Reply:
        """Answer for the song a button stands for; ``fresh`` asks for new figures."""

        async def build() -> Reply:
            name = await self.predictor.recall(token)
            if name is None:
                return text_reply(ResultCode.FORGOTTEN, words.FORGOTTEN, private=True)
            answer = self.predictor.predict_song(name, fresh=fresh)
            return await self._predicted(answer, animated=animated, drawn=drawn)

        return await self._safely("predict", build)

    async def why(self, token: str) -> Reply:
        """Explain the answer about the song a button stands for."""

        async def build() -> Reply:
            name = await self.predictor.recall(token)
            if name is None:
                return text_reply(ResultCode.FORGOTTEN, words.FORGOTTEN, private=True)
            answer = await self.predictor.predict_song(name)
            return why_reply(answer) if isinstance(answer, Prediction) else await self._undecided(answer)

        return await self._safely("why", build)

    async def compare(self, first: str, second: str, *, drawn: bool = True) -> Reply:
        """Answer two typed questions on one card, unless ``drawn`` is off."""

        async def build() -> Reply:
            if not first.strip() or not second.strip():
                return text_reply(ResultCode.BAD_QUESTION, words.COMPARE_HOW, private=True)
            answers = await asyncio.gather(self.predictor.predict(first), self.predictor.predict(second))
            return await self._compared(*answers, drawn=drawn)

        return await self._safely("compare", build)

    async def compare_typed(self, text: str, *, drawn: bool = True) -> Reply:
        """Answer two questions typed in one line, parted by "|" or "vs", on one card."""
        first, _, second = text.partition("|")
        if not second.strip() and (pair := pair_of(text)) is not None:
            first, second = pair.first, pair.second
        return await self.compare(first.strip(), second.strip(), drawn=drawn)

    async def compare_token(self, token: str, second: str, *, drawn: bool = True) -> Reply:
        """Compare the song a button stands for with a typed one."""

        async def build() -> Reply:
            name = await self.predictor.recall(token)
            if name is None:
                return text_reply(ResultCode.FORGOTTEN, words.FORGOTTEN, private=True)
            answers = await asyncio.gather(self.predictor.predict_song(name), self.predictor.predict(second))
            return await self._compared(*answers, drawn=drawn)

        return await self._safely("compare", build)

    async def compare_tokens(self, first: str, second: str, *, drawn: bool = True) -> Reply:
        """Compare the songs two buttons stand for."""

        async def build() -> Reply:
            names = await self.predictor.recall(first), await self.predictor.recall(second)
            if names[0] is None or names[1] is None:
                return text_reply(ResultCode.FORGOTTEN, words.FORGOTTEN, private=True)
            answers = await asyncio.gather(self.predictor.predict_song(names[0]), self.predictor.predict_song(names[1]))
            return await self._compared(*answers, drawn=drawn)

        return await self._safely("compare", build)

    async def model(self) -> Reply:
        """Say how good the model is."""

        async def build() -> Reply:
            return model_reply(self.predictor.report(), await self.predictor.calibration_picture())

        return await self._safely("model", build)

    async def reload(self) -> Reply:
        """Load the stored model anew; for administrators."""

        async def build() -> Reply:
            try:
                report = await self.predictor.reload_model()
            except ModelError as error:
                refused = words.RELOAD_FAILED.format(reason=error)
                return text_reply(ResultCode.REFUSED, refused, private=True)
            return text_reply(ResultCode.INFORMED, words.RELOADED.format(date=day(report.trained_at)), private=True)

        return await self._safely("reload", build)

    async def stats(self) -> Reply:
        """Say how the bot has fared since it started; for administrators."""

        async def build() -> Reply:
            if self._figures is None:
                return text_reply(ResultCode.INFORMED, words.STATS_NONE, private=True)
            return stats_reply(self._figures())

        return await self._safely("stats", build)

    async def refuse(self) -> Reply:
        """Refuse a command of administrators to anybody else."""
        return self.note("refuse", text_reply(ResultCode.REFUSED, words.ADMINISTRATORS_ONLY, private=True))

    def note(self, request: str, reply: Reply, seconds: float = 0.0) -> Reply:
        """Log and count a reply, also one that an adapter made by itself, and return it."""
        log.info("event=reply request=%s code=%s seconds=%.3f", request, reply.code, seconds)
        if self._on_reply is not None:
            self._on_reply(request, reply.code, seconds)
        return reply

    def fault(self, request: str, error: Exception) -> Reply:
        """Turn an unexpected exception of an adapter into a reply; its traceback is logged under the id told."""
        return self.note(request, _incident(request, error))

    def read_by_all(self, chat: Hashable, reply: Reply) -> None:
        """Note that everyone in a chat could read a reply, so that its songs may be completed there from now on."""
        self._chat_songs.note(chat, reply.songs)

    async def complete(self, prefix: str, limit: int, *, chat: Hashable | None = None) -> tuple[SongName, ...]:
        """List songs for a half-typed name, from memory: those read about in ``chat`` first, then well-known ones.

        Without a ``chat``, in private or where it is not known, the list is the same for everybody.
        """
        here = () if chat is None else self._chat_songs.complete(chat, prefix)
        known: tuple[SongName, ...] = ()
        try:
            known = await self.predictor.complete(prefix, limit)
        except Exception:
            log.exception("event=completion_failed")
        return tuple(dict.fromkeys([*here, *known]))[:limit]

    def help(self) -> Reply:
        """Say how to ask."""
        lines = words.HELP.splitlines()
        return self.note("help", text_reply(ResultCode.INFORMED, *lines, title=words.HELP_TITLE, private=True))

    def privacy(self) -> Reply:
        """Say what is stored."""
        reply = text_reply(ResultCode.INFORMED, *words.PRIVACY.splitlines(), title=words.PRIVACY_TITLE, private=True)
        return self.note("privacy", reply)

    async def _predicted(self, answer: Awaitable[Answer], *, animated: bool, drawn: Drawn) -> Reply:
        resolved = await answer
        if not isinstance(resolved, Prediction):
            return await self._undecided(resolved)
        await self.predictor.offer(other.name for other in resolved.others)
        reply = prediction_reply(resolved, self._clock())
        if not (drawn(resolved) if callable(drawn) else drawn):
            return reply
        alt = words.CARD_ALT.format(text=reply.text)
        return prediction_reply(resolved, self._clock(), await self._drawn(resolved, alt, animated=animated))

    async def _drawn(self, prediction: Prediction, alt: str, *, animated: bool) -> Picture | None:
        """Draw the card; an answer without its picture is better than none."""
        try:
            if animated:
                return Picture(await self.predictor.animation(prediction), f"{CARD_NAME}.gif", "image/gif", alt)
            return Picture(await self.predictor.card(prediction), f"{CARD_NAME}.png", "image/png", alt)
        except RenderError:
            log.exception("event=card_failed")
            return None

    async def _undecided(self, answer: Ambiguous | NotFound, against: Answer | None = None) -> Reply:
        match answer:
            case Ambiguous():
                await self.predictor.offer(candidate.name for candidate in answer.candidates)
                if isinstance(against, Prediction):
                    return ambiguous_reply(answer, against.song.name)
                reply = ambiguous_reply(answer)
                return reply if against is None else replace(reply, against_text=against.query.text)
            case NotFound():
                return not_found_reply(answer)
            case _:
                assert_never(answer)

    async def _compared(self, first: Answer, second: Answer, *, drawn: bool) -> Reply:
        """Compare two answers; if one song is not clear, its choices remember the other."""
        if not isinstance(first, Prediction):
            return await self._undecided(first, against=second)
        if not isinstance(second, Prediction):
            return await self._undecided(second, against=first)
        comparison = Comparison(first, second)
        reply = comparison_reply(comparison)
        if not drawn:
            return reply
        try:
            data = await self.predictor.comparison_card(comparison)
        except RenderError:
            log.exception("event=card_failed")
            return reply
        alt = words.CARD_ALT.format(text=reply.text)
        return comparison_reply(comparison, Picture(data, f"{CARD_NAME}.png", "image/png", alt))

    async def _safely(self, request: str, build: Callable[[], Awaitable[Reply]]) -> Reply:
        """Run ``build`` and turn whatever goes wrong into a reply, counted and logged once."""
        started = asyncio.get_running_loop().time()
        try:
            reply = await build()
        except QueryError as error:
            reply = text_reply(ResultCode.BAD_QUESTION, error.user_message, private=True)
        except UpstreamError as error:
            log.warning("event=upstream_fault request=%s error=%s", request, error)
            reply = text_reply(ResultCode.UPSTREAM_FAULT, error.user_message, private=True)
        except HitmeterError as error:
            log.exception("event=fault request=%s", request)
            reply = text_reply(ResultCode.FAULT, error.user_message, private=True)
        except Exception as error:  # noqa: BLE001 - logged with its traceback under the id that the user sees
            reply = _incident(request, error)
        return self.note(request, reply, asyncio.get_running_loop().time() - started)


def _incident(request: str, error: Exception) -> Reply:
    """Log an exception under a short id and make the sentence that names the id."""
    incident = secrets.token_hex(3)
    log.error("event=fault request=%s incident=%s", request, incident, exc_info=error)
    return text_reply(ResultCode.FAULT, words.UNEXPECTED.format(incident=incident), private=True)
