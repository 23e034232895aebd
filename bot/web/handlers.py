"""Answers the page's requests: a question or a link in, a reply described for the page, a picture or a document out."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Container, Hashable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Final, cast

from aiohttp import web

from bot import messages
from bot.answer_json import answer_document, as_json
from bot.messages import Command, Surface, commands_on
from bot.plain_text import plain
from bot.rate_limits import RateLimiter
from bot.replies import limited_reply, no_command_reply
from bot.reply import Picture, Reply, ResultCode, SongToken, text_reply, token_of
from bot.service import SongService
from bot.web.answers import STATUSES, RecentlyTold, page_reply
from bot.web.links import (
    COMPARE_CARD_PATH,
    COMPARE_PATH,
    COVER_PATH,
    PICTURE_PATH,
    ROOT_PATH,
    SONG_CARD_PATH,
    SONG_PATH,
    STATIC_PATH,
    Site,
    SongLinks,
)
from bot.web.pages import Pages, Preview
from core.concurrency import SingleFlight
from core.domain import Prediction, SongName
from core.language import ENGLISH, language, say, speaking

SUGGESTIONS_SHOWN: Final = 8

REPLIES_KEPT: Final = 128
"""Replies whose pictures may be asked for without another answer; a picture is drawn for who looks at it."""

KEPT_S: Final = 600.0
"""For how long; a card says how old its figures are."""

CARDS_KEPT: Final = REPLIES_KEPT
"""One for each reply: of fewer, some asked for in turns would be drawn each time. 0.3 MB each, some 40 MB in all."""

COVERS_KEPT: Final = 2 * REPLIES_KEPT
"""One for each song of the replies; 0.05 MB each, some 13 MB in all."""

PICTURE_AGE_S: Final = 600
"""For how long a browser may keep a picture."""

FILE_AGE_S: Final = 31_536_000
"""For how long a browser may keep a file that is asked for by its very content."""

_COMMANDS: Final = {command.name: command for command in commands_on(Surface.WEB, administrators=False)}


@dataclass(frozen=True, slots=True)
class _Refusal:
    """What is said to who asked too much, and for how many seconds it holds."""

    reply: Reply
    wait_s: int

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.wait_s)}


class PageHandlers:
    """Handles what browsers and programs ask for; every request is a GET that may be repeated."""

    def __init__(
        self,
        service: SongService,
        *,
        site: Site,
        links: SongLinks,
        pages: Pages,
        questions: RateLimiter,
        suggestions: RateLimiter,
    ) -> None:
        """Take what answers, where the page is, what reads and writes its links and HTML, and the limits."""
        self._service = service
        self._site = site
        self._links = links
        self._pages = pages
        self._questions = questions
        self._suggestions = suggestions
        self._replies: RecentlyTold[Reply] = RecentlyTold(REPLIES_KEPT, KEPT_S)
        self._predictions: RecentlyTold[Prediction] = RecentlyTold(COVERS_KEPT, KEPT_S)
        self._cards: SingleFlight[Picture | None] = SingleFlight(CARDS_KEPT, lasting_s=_lasting_s)
        self._covers: SingleFlight[Picture | None] = SingleFlight(COVERS_KEPT, lasting_s=_lasting_s)

    async def aclose(self, _: web.Application) -> None:
        """Draw no more."""
        await self._cards.aclose()
        await self._covers.aclose()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add everything that is served."""
        for path, handler in (
            (ROOT_PATH, self.home),
            (SONG_PATH, self.song),
            (COMPARE_PATH, self.compared),
            (SONG_CARD_PATH, self.song_card),
            (COMPARE_CARD_PATH, self.compared_card),
            (COVER_PATH, self.cover),
            (PICTURE_PATH, self.picture),
            (STATIC_PATH, self.static),
            ("/api/predict", self.predict),
            ("/api/reply", self.reply),
            ("/api/suggest", self.suggest),
            ("/{elsewhere:.*}", self.elsewhere),
        ):
            router.add_get(path, handler)

    # What is read: the page and its files.

    async def home(self, _: web.Request) -> web.Response:
        """Serve the page as it begins; its script takes the question from the address."""
        return self._html()

    async def song(self, request: web.Request) -> web.Response:
        """Serve the page for a shared song, with its preview."""
        name = await self._name(request.match_info["song"])
        if name is None:
            return self._html(fault=say(messages.WEB_LINK_UNKNOWN))
        return self._html(self._preview(request, plain(str(name)), SONG_PATH, SONG_CARD_PATH))

    async def compared(self, request: web.Request) -> web.Response:
        """Serve the page for a shared comparison, with its preview."""
        first, second = [await self._name(request.match_info[part]) for part in ("song", "other")]
        if first is None or second is None:
            return self._html(fault=say(messages.WEB_LINK_UNKNOWN))
        title = say(messages.WEB_COMPARED, name=plain(str(first)), other=plain(str(second)))
        return self._html(self._preview(request, title, COMPARE_PATH, COMPARE_CARD_PATH))

    async def elsewhere(self, request: web.Request) -> web.Response:
        """Say that there is no such page, on a page to who reads pages."""
        if "text/html" not in request.headers.get("Accept", ""):
            raise web.HTTPNotFound(text=say(messages.WEB_NOT_HERE))
        return self._html(fault=say(messages.WEB_NOT_HERE))

    async def static(self, request: web.Request) -> web.Response:
        """Serve a file of the page."""
        file = self._pages.files.get(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound
        return web.Response(
            body=file.body,
            headers={
                "Content-Type": file.content_type,
                # An address that names the content is good for ever; any other has to be asked for again.
                "Cache-Control": f"public, max-age={FILE_AGE_S}, immutable"
                if request.query.get("v") == file.tag
                else "no-cache",
            },
        )

    def _html(self, preview: Preview | None = None, *, fault: str | None = None) -> web.Response:
        return web.Response(
            text=self._pages.write(preview, fault),
            content_type="text/html",
            status=HTTPStatus.OK if fault is None else HTTPStatus.NOT_FOUND,
            headers={"Cache-Control": "no-cache"},
        )

    def _preview(self, request: web.Request, title: str, page: str, card: str) -> Preview:
        def whole(path: str) -> str:
            return self._site.address(request.scheme, request.host, path.format(**request.match_info))

        return Preview(title, whole(page), whole(card))

    async def _name(self, link: str) -> SongName | None:
        token = self._links.read(link)
        if token is None:
            return None
        name = await self._service.song_name(token, request="link")
        return name if isinstance(name, SongName) else None

    # What is asked: by the page's script, and by programs.

    async def predict(self, request: web.Request) -> web.Response:
        """Answer a program's question ``q`` with the document that ``ask --json`` prints, in English as that is."""
        with speaking(ENGLISH):
            return await self._document(request)

    async def _document(self, request: web.Request) -> web.Response:
        refusal = await self._refusal(request)
        reply = await self._service.predict(request.query.get("q", "")) if refusal is None else refusal.reply
        self._keep(reply)
        document = answer_document(reply, page_reply(reply, self._links)["card"])
        return _json(as_json(document), STATUSES.get(reply.code, HTTPStatus.OK), refusal)

    async def reply(self, request: web.Request) -> web.Response:
        """Answer the page: a typed line, a song's link, or two.

        ``text`` is typed; ``song`` is a link, answered anew with ``fresh``, explained with ``why``, and compared with
        the link ``other`` or with what was typed. What cannot be answered is said in a reply too, which is no fault of
        the request; browsers would call it one in their consoles.
        """
        query = request.query
        text = query.get("text", "")
        command = _command(text) if "song" not in query else None
        if isinstance(command, Reply):
            return self._told(self._service.note("page", command))
        refusal = None if command is not None and command.instant else await self._refusal(request)
        if refusal is not None:
            return self._told(refusal.reply, refusal)
        if command is not None:
            return self._told(await self._service.run_command(command, text.strip().partition(" ")[2]))
        if "song" not in query:
            return self._told(await self._service.predict(text))
        return self._told(await self._about(query.get("song", ""), query.get("other"), text, query))

    async def _about(self, song: str, other: str | None, text: str, flags: Container[str]) -> Reply:
        """Answer what is asked about a song by its link."""
        token = self._links.read(song)
        second = None if other is None else self._links.read(other)
        if token is None or (other is not None and second is None):
            unknown = text_reply(ResultCode.FORGOTTEN, say(messages.WEB_LINK_UNKNOWN), private=True)
            return self._service.note("link", unknown)
        if "why" in flags:
            return await self._service.why(token)
        if second is not None or text:
            return await self._service.compare(token, second or text)
        return await self._service.predict(token, fresh="fresh" in flags)

    async def suggest(self, request: web.Request) -> web.Response:
        """List what a half-typed line may become, from memory: commands after a slash, else songs."""
        if not (await self._suggestions.admit(self._asker(request))).allowed:
            return _json("[]")
        typed = request.query.get("text", "")
        if typed.startswith("/"):
            fitting = [one for one in _COMMANDS.values() if f"/{one.name}".startswith(typed.strip().casefold())]
            return _json([_command_suggestion(command) for command in fitting])
        names = await self._service.complete(typed, SUGGESTIONS_SHOWN)
        return _json(
            [
                {
                    "text": f"{plain(name.title)} - {plain(name.artist)}",
                    "label": plain(name.title),
                    "detail": plain(name.artist),
                    "complete": True,
                }
                for name in names
            ]
        )

    def _told(self, reply: Reply, refusal: _Refusal | None = None) -> web.Response:
        key = self._keep(reply)
        picture = None if key is None else PICTURE_PATH.format(key=key)
        status = HTTPStatus.OK if refusal is None else HTTPStatus.TOO_MANY_REQUESTS
        return _json(page_reply(reply, self._links, picture), status, refusal)

    # What is shown: pictures of what was told.

    async def song_card(self, request: web.Request) -> web.Response:
        """Serve the card of a song."""
        token = self._known(request.match_info["song"])
        reply = await self._recent(request, _card_key(token), lambda: self._service.predict(token))
        return _picture(await self._drawn(reply), shared=True)

    async def compared_card(self, request: web.Request) -> web.Response:
        """Serve the card of a comparison."""
        first, second = self._known(request.match_info["song"]), self._known(request.match_info["other"])
        reply = await self._recent(request, _card_key(first, second), lambda: self._service.compare(first, second))
        return _picture(await self._drawn(reply), shared=True)

    async def cover(self, request: web.Request) -> web.Response:
        """Serve the cover of a song."""
        token = self._known(request.match_info["song"])
        prediction = self._predictions.find(token.value)
        if prediction is None:
            reply = await self._recent(request, _card_key(token), lambda: self._service.predict(token))
            prediction = reply.prediction
        if prediction is None:
            return _picture(None)
        cover = partial(self._service.cover, prediction)
        return _picture(await self._covers.get(prediction.song.name, cover))

    async def picture(self, request: web.Request) -> web.Response:
        """Serve the picture of a reply about no song, as it was told a moment ago."""
        return _picture(await self._drawn(self._replies.find(request.match_info["key"])))

    async def _drawn(self, reply: Reply | None) -> Picture | None:
        """Draw a reply's picture once for all who ask for it; asking is not limited."""
        if reply is None or reply.card is None:
            return None
        # No two replies share a card, and each is kept in one language.
        return await self._cards.get(cast("Hashable", reply.card), reply.card)

    def _known(self, link: str) -> SongToken:
        token = self._links.read(link)
        if token is None:
            raise web.HTTPNotFound(text=say(messages.WEB_LINK_UNKNOWN))
        return token

    async def _recent(self, request: web.Request, key: str, ask: Callable[[], Awaitable[Reply]]) -> Reply:
        """Find what was told a moment ago, or ask for it, which counts as a question."""
        reply = self._replies.find(key)
        if reply is None:
            refusal = await self._refusal(request)
            if refusal is not None:
                raise web.HTTPTooManyRequests(text=refusal.reply.text, headers=refusal.headers)
            reply = await ask()
            self._keep(reply)
        return reply

    def _keep(self, reply: Reply) -> str | None:
        """Keep a reply for its pictures; returns the key of one that is about no song and has a picture."""
        told = reply.compared or (() if reply.prediction is None else (reply.prediction,))
        for prediction in told:
            self._predictions.keep(token_of(prediction.song.name).value, prediction)
        if told:
            self._replies.keep(_card_key(*(token_of(prediction.song.name) for prediction in told)), reply)
        elif reply.card is not None:
            key = secrets.token_urlsafe(12)
            self._replies.keep(key, reply)
            return key
        return None

    # Who asks.

    def _asker(self, request: web.Request) -> str:
        return self._site.asker(request.remote, ",".join(request.headers.getall("X-Forwarded-For", ())))

    async def _refusal(self, request: web.Request) -> _Refusal | None:
        """Count a question; returns what to say if it is one too many."""
        decision = await self._questions.admit(self._asker(request))
        if decision.allowed:
            return None
        reply = limited_reply(decision)
        if decision.should_notify:
            self._service.note("limit", reply)
        return _Refusal(reply, decision.wait_s)


def _command(text: str) -> Command | Reply | None:
    """Read a typed command; None if it is none, and a sentence if there is no such command."""
    written = text.strip().partition(" ")[0]
    if not written.startswith("/"):
        return None
    return _COMMANDS.get(written.removeprefix("/").casefold()) or no_command_reply(plain(written), _COMMANDS.values())


def _command_suggestion(command: Command) -> dict[str, Any]:
    return {
        "text": f"/{command.name} " if command.usage else f"/{command.name}",
        "label": f"/{command.name}",
        "detail": command.menu,
        "complete": not command.usage,
    }


def _card_key(*tokens: SongToken) -> str:
    """Write the key of a reply about songs; each language has its own, as a card has words too."""
    return "/".join((language(), *(token.value for token in tokens)))


def _lasting_s(picture: Picture | None) -> float:
    """Keep a picture for as long as a reply, and none that could not be drawn."""
    return 0.0 if picture is None else KEPT_S


def _json(value: Any, status: int = HTTPStatus.OK, refusal: _Refusal | None = None) -> web.Response:
    """Answer with JSON in ASCII, which holds whatever a title does."""
    body = value if isinstance(value, str) else json.dumps(value)
    headers = {"Cache-Control": "no-store", **({} if refusal is None else refusal.headers)}
    return web.Response(text=body, content_type="application/json", status=status, headers=headers)


def _picture(picture: Picture | None, *, shared: bool = False) -> web.Response:
    """Answer with a picture; other sites may show those that are ``shared``."""
    if picture is None:
        raise web.HTTPNotFound(text=say(messages.WEB_NOT_HERE))
    return web.Response(
        body=picture.data,
        headers={
            "Content-Type": picture.media_type,
            "Cache-Control": f"private, max-age={PICTURE_AGE_S}",
            "Cross-Origin-Resource-Policy": "cross-origin" if shared else "same-origin",
        },
    )
