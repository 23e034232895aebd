"""Questions in, replies out: the one place where adapters meet the predictor, and where nothing escapes."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar, assert_never

from bot import messages
from bot.messages import Command
from bot.rankings import artist_not_found_reply, ranking_reply
from bot.replies import (
    ambiguous_reply,
    comparison_reply,
    help_reply,
    model_reply,
    not_found_reply,
    prediction_reply,
    privacy_reply,
    stats_reply,
    why_reply,
)
from bot.reply import Picture, Question, Reply, ResultCode, SongToken, text_reply, token_of
from bot.trends import trend_reply
from core.domain import Ambiguous, Answer, ArtistNotFound, NotFound, Prediction, SongName
from core.errors import HitmeterError, ModelError, QueryError, UpstreamError
from core.language import ENGLISH, say, speaking
from core.lookup.normalise import normalize
from core.phrases import pair_of
from core.predictor import Comparison, Predictor
from core.text import day

if TYPE_CHECKING:
    from bot.monitoring import Stats

log = logging.getLogger(__name__)

T = TypeVar("T")


CHATS_KEPT: Final = 1_000
"""Chats whose songs are remembered; the one quiet for longest is forgotten first."""

SONGS_KEPT: Final = 50
"""Songs remembered of one chat; the oldest is forgotten first."""

SONGS_SHOWN: Final = 5
"""Most of them that one completion lists."""


class ChatSongs:
    """Remembers, in memory only, the last songs that a chat has read answers about.

    Whoever calls :meth:`note` vouches that everyone in the chat could read the answer. A chat is any key that an
    adapter tells its chats apart by; songs of one are never listed in another.
    """

    def __init__(self, chats: int = CHATS_KEPT, songs: int = SONGS_KEPT) -> None:
        """Remember so many chats, and so many songs of each."""
        self._chats_kept = chats
        self._songs_kept = songs
        self._chats: OrderedDict[Hashable, OrderedDict[SongName, None]] = OrderedDict()

    def note(self, chat: Hashable, names: Iterable[SongName]) -> None:
        """Note songs that a chat has just read an answer about."""
        songs = self._chats.setdefault(chat, OrderedDict())
        self._chats.move_to_end(chat)
        for name in names:
            songs[name] = None
            songs.move_to_end(name)
        while len(songs) > self._songs_kept:
            songs.popitem(last=False)
        while len(self._chats) > self._chats_kept:
            self._chats.popitem(last=False)

    def complete(self, chat: Hashable, prefix: str, limit: int = SONGS_SHOWN) -> tuple[SongName, ...]:
        """List the chat's songs that hold what is typed, the latest first."""
        typed = normalize(prefix)
        if not typed and prefix.strip():
            return ()
        fitting = [
            name for name in reversed(self._chats.get(chat, ())) if typed in normalize(f"{name.title} {name.artist}")
        ]
        return tuple(fitting[:limit])


CARD_NAME: Final = "hitmeter-card"
COVER_NAME: Final = "hitmeter-cover.jpg"
"""File names of pictures, the card's without its ending."""


Drawn = tuple[bytes, str]
"""A picture and its kind: "png" or "gif"."""


def utc_now() -> datetime:
    """Tell the time; tests pass another clock."""
    return datetime.now(UTC)


class _ForgottenToken(Exception):
    """Nobody knows any more which song a token stands for."""


class _Stopping(Exception):
    """The bot is to end, and what is asked has no answer yet."""


class SongService:
    """Answers every kind of request with a :class:`Reply` and never raises anything but cancellation.

    A question is what somebody typed, or the token of a song that was offered. Errors of the tree become their own
    sentence; anything else becomes a sentence with a short id, and the log has the id and the traceback.
    """

    def __init__(
        self,
        predictor: Predictor,
        *,
        clock: Callable[[], datetime] = utc_now,
        on_reply: Callable[[str, ResultCode, float], None] | None = None,
        stats: Callable[[], Stats] | None = None,
    ) -> None:
        """Wrap the predictor.

        Args:
            predictor: Answers and draws.
            clock: Tells the time, with a zone.
            on_reply: Told request name, result code and seconds taken of every reply, for metrics.
            stats: Sums up how the bot has fared, for /stats.
        """
        self._predictor = predictor
        self._clock = clock
        self._on_reply = on_reply
        self._stats = stats
        self._chat_songs = ChatSongs()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Answer whatever has no answer yet, and all that is asked from now on, with a word about the restart.

        Cards that are not drawn yet are left out, so that all an adapter still has to do is to send.
        """
        self._stopping.set()

    async def predict(self, question: Question, *, fresh: bool = False) -> Reply:
        """Answer for a song; ``fresh`` asks for new figures. "Hello vs Halo" is answered with a comparison."""

        async def build() -> Reply:
            pair = await self._predictor.pair(question) if isinstance(question, str) else None
            if pair is not None:
                return await self._compared(pair.first, pair.second)
            answer = await self._answer(await self._asked(question), fresh=fresh)
            return await self._predicted(answer) if isinstance(answer, Prediction) else await self._undecided(answer)

        return await self._safely("predict", build)

    async def why(self, question: Question) -> Reply:
        """Explain the answer about a song."""

        async def build() -> Reply:
            answer = await self._answer(await self._asked(question))
            return why_reply(answer) if isinstance(answer, Prediction) else await self._undecided(answer)

        return await self._safely("why", build)

    async def compare(self, first: Question, second: Question | None = None) -> Reply:
        """Compare two songs; without a ``second``, ``first`` names both, parted by "|" or "vs"."""

        async def build() -> Reply:
            one, other = _parted(first) if second is None else (first, second)
            typed = [question for question in (one, other) if isinstance(question, str)]
            if len(typed) == 2 and not all(text.strip() for text in typed):
                return text_reply(ResultCode.BAD_QUESTION, say(messages.COMPARE_HOW), private=True)
            return await self._compared(one, other)

        return await self._safely("compare", build)

    async def artist(self, name: str) -> Reply:
        """Rank an artist's songs by predicted popularity."""

        async def build() -> Reply:
            ranking = await self._predictor.artist(name)
            if isinstance(ranking, ArtistNotFound):
                return artist_not_found_reply(ranking)
            await self._predictor.offer(one.song.name for one in ranking.songs)

            async def draw(*, animated: bool) -> Drawn:
                return await self._predictor.ranking_card(ranking), "png"

            return self._with_card(ranking_reply(ranking, self._clock()), draw)

        return await self._safely("artist", build)

    async def trend(self, question: Question) -> Reply:
        """Say how a song's figures and its chance developed."""

        async def build() -> Reply:
            answer = await self._answer(await self._asked(question))
            if not isinstance(answer, Prediction):
                return await self._undecided(answer)
            trend = await self._predictor.trend(answer)
            reply = trend_reply(trend, self._clock())
            if trend.probability_then is None:
                return reply

            async def draw(*, animated: bool) -> Drawn:
                return await self._predictor.trend_card(trend), "png"

            return self._with_card(reply, draw)

        return await self._safely("trend", build)

    async def song_name(self, token: SongToken, *, request: str = "compare") -> SongName | Reply:
        """Find the song to compare with another, or to show by a link, or say that it is forgotten."""
        try:
            return await self._recalled(token)
        except _ForgottenToken:
            return self.note(request, _forgotten())

    async def cover(self, prediction: Prediction) -> Picture | None:
        """Give the song's cover alone, for who sets the rest of the card by itself; None if it cannot be drawn."""
        try:
            data = await self._predictor.cover(prediction)
        except Exception:
            log.exception("event=cover_failed")
            return None
        return Picture(data, COVER_NAME, "image/jpeg", say(messages.COVER_ALT, name=prediction.song.name))

    async def run_command(self, command: Command, text: str = "", *, is_admin: bool = False) -> Reply:
        """Answer a command with what was typed after it; those of administrators are refused to anybody else."""
        if command.administrators and not is_admin:
            return self.note("refuse", text_reply(ResultCode.REFUSED, say(messages.ADMINISTRATORS_ONLY), private=True))
        match command.name:
            case "predict":
                return await self.predict(text)
            case "compare":
                return await self.compare(text)
            case "artist":
                return await self.artist(text)
            case "trend":
                return await self.trend(text)
        return await self._safely(command.name, lambda: self._informed(command, text))

    async def _informed(self, command: Command, text: str) -> Reply:
        """Make the answer to a command that asks about no song."""
        match command.name:
            case "model":
                full = text.strip().casefold() == messages.FULL
                return model_reply(self._predictor.report(), await self._predictor.calibration_picture(), full=full)
            case "help":
                return help_reply()
            case "privacy":
                return privacy_reply()
            case "stats":
                return stats_reply(None if self._stats is None else self._stats())
            case "reload":
                return await self._reloaded()
        raise ValueError(f"no answer is made for /{command.name}")

    async def _reloaded(self) -> Reply:
        try:
            report = await self._predictor.reload_model()
        except ModelError as error:
            refused = messages.RELOAD_FAILED.format(reason=error)
            return text_reply(ResultCode.REFUSED, refused, private=True)
        with speaking(ENGLISH):
            date = day(report.trained_at)
        return text_reply(ResultCode.INFORMED, messages.RELOADED.format(date=date), private=True)

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
            known = await self._predictor.complete(prefix, limit)
        except Exception:
            log.exception("event=completion_failed")
        return tuple(dict.fromkeys([*here, *known]))[:limit]

    async def offer(self, names: Iterable[SongName]) -> None:
        """Keep songs that are offered for picking, so that their tokens are understood, also after a restart."""
        await self._predictor.offer(names)

    async def _recalled(self, token: SongToken) -> SongName:
        name = await self._predictor.recall(token.value)
        if name is None:
            raise _ForgottenToken
        return name

    async def _asked(self, question: Question) -> str | SongName:
        return question if isinstance(question, str) else await self._recalled(question)

    async def _answer(self, asked: str | SongName, *, fresh: bool = False) -> Answer:
        if isinstance(asked, SongName):
            return await self._predictor.predict_song(asked, fresh=fresh)
        return await self._predictor.predict(asked, fresh=fresh)

    async def _predicted(self, prediction: Prediction) -> Reply:
        await self._predictor.offer(other.name for other in prediction.others)

        async def draw(*, animated: bool) -> Drawn:
            if animated:
                return await self._predictor.animation(prediction), "gif"
            return await self._predictor.card(prediction), "png"

        return self._with_card(prediction_reply(prediction, self._clock()), draw)

    async def _undecided(self, answer: Ambiguous | NotFound, against: Answer | None = None) -> Reply:
        match answer:
            case Ambiguous():
                await self._predictor.offer(candidate.name for candidate in answer.candidates)
                if isinstance(against, Prediction):
                    return ambiguous_reply(answer, token_of(against.song.name))
                return ambiguous_reply(answer, None if against is None else against.query.text)
            case NotFound():
                return not_found_reply(answer)
            case _:
                assert_never(answer)

    async def _compared(self, one: Question, other: Question) -> Reply:
        """Compare two songs; if one is not clear, its choices remember the other."""
        asked = await self._asked(one), await self._asked(other)
        first, second = await asyncio.gather(*map(self._answer, asked))
        if not isinstance(first, Prediction):
            return await self._undecided(first, against=second)
        if not isinstance(second, Prediction):
            return await self._undecided(second, against=first)
        comparison = Comparison(first, second)

        async def draw(*, animated: bool) -> Drawn:
            return await self._predictor.comparison_card(comparison), "png"

        return self._with_card(comparison_reply(comparison), draw)

    async def _safely(self, request: str, build: Callable[[], Coroutine[Any, Any, Reply]]) -> Reply:
        """Run ``build`` and turn whatever goes wrong into a reply, counted and logged once."""
        started = asyncio.get_running_loop().time()
        try:
            reply = await self._unless_stopping(build)
        except _Stopping:
            reply = text_reply(ResultCode.REFUSED, say(messages.RESTARTING), private=True)
        except _ForgottenToken:
            reply = _forgotten()
        except QueryError as error:
            reply = text_reply(ResultCode.BAD_QUESTION, error.sentence, say(error.hint), private=True)
        except UpstreamError as error:
            log.warning("event=upstream_fault request=%s error=%s", request, error)
            reply = text_reply(ResultCode.UPSTREAM_FAULT, error.sentence, private=True)
        except HitmeterError as error:
            log.exception("event=fault request=%s", request)
            reply = text_reply(ResultCode.FAULT, error.sentence, private=True)
        except Exception as error:  # noqa: BLE001 - logged with its traceback under the id that the user sees
            reply = _incident(request, error)
        return self.note(request, reply, asyncio.get_running_loop().time() - started)

    async def _unless_stopping(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do ``work``, or give it up as soon as the bot is to end.

        Raises:
            _Stopping: It was given up.
            Exception: Whatever ``work`` raised.
        """
        if self._stopping.is_set():
            raise _Stopping
        working = asyncio.create_task(work())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            raise _Stopping
        finally:
            for task in (working, stopping):
                task.cancel()
            await asyncio.gather(working, stopping, return_exceptions=True)

    def _with_card(self, reply: Reply, draw: Callable[..., Coroutine[Any, Any, Drawn]]) -> Reply:
        """Give a reply the card that ``draw`` draws; an answer without its picture is better than none."""
        alt = say(messages.CARD_ALT, text=reply.text)

        async def card(*, animated: bool = False) -> Picture | None:
            try:
                data, kind = await self._unless_stopping(lambda: draw(animated=animated))
            except _Stopping:
                return None
            except Exception:
                log.exception("event=card_failed")
                return None
            return Picture(data, f"{CARD_NAME}.{kind}", f"image/{kind}", alt)

        return replace(reply, card=card)


def _forgotten() -> Reply:
    return text_reply(ResultCode.FORGOTTEN, say(messages.FORGOTTEN), private=True)


def _parted(text: Question) -> tuple[Question, Question]:
    """Take the two songs out of one line."""
    if isinstance(text, SongToken):
        return text, ""
    first, _, second = text.partition("|")
    if not second.strip() and (pair := pair_of(text)) is not None:
        first, second = pair.first, pair.second
    return first.strip(), second.strip()


def _incident(request: str, error: Exception) -> Reply:
    """Log an exception under a short id and make the sentence that names the id."""
    incident = secrets.token_hex(3)
    log.error("event=fault request=%s incident=%s", request, incident, exc_info=error)
    return text_reply(ResultCode.FAULT, say(messages.UNEXPECTED, incident=incident), private=True)
