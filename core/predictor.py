"""The one entry: a question in, a prediction and its pictures out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.concurrency import SerialExecutor, SingleFlight, deadline
from core.domain import (
    Answer,
    ArtistNotFound,
    ArtistRanking,
    Assessment,
    Cover,
    DatedFigures,
    Found,
    ModelReport,
    Prediction,
    SongName,
    Trend,
)
from core.errors import RenderError
from core.figure_log import DAYS_MIN
from core.limits import LOOKUP_BUDGET_S
from core.model.artifact import manifest_digest
from core.model.hit_model import load_checked
from core.model.ranking import rank_artist
from core.query import LinkedSong, parse_artist, parse_pair, parse_question

if TYPE_CHECKING:
    from core.figure_log import FigureLog
    from core.history import History
    from core.lookup.artist import ArtistLookup
    from core.lookup.cover import Artwork
    from core.lookup.link_follower import LinkFollower
    from core.lookup.resolver import SongResolver
    from core.model.hit_model import HitModel
    from core.phrases import Pair
    from core.query import Question
    from core.render.renderer import CardRenderer

log = logging.getLogger(__name__)

OLD_COVER_S: Final = 0.4
"""Longest wait for the cover of an old answer: what is newer was waited for already, and a drawn cover will do."""

ASSESSMENTS_KEPT: Final = 256
"""Songs whose assessment is kept: it is the same for the same figures, and takes 3 ms of a core."""

RANKINGS_KEPT: Final = 32
"""Artists whose ranking is kept, for as long as their songs' figures are the same: it takes 15 ms of a core."""

Completer = Callable[[str, int], tuple[SongName, ...]]
"""Lists songs for a half-typed name, from memory or a local file, blocking for milliseconds; the same for everybody."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two predictions side by side; ``winner`` is None when the shown confidences are equal."""

    first: Prediction
    second: Prediction

    @property
    def winner(self) -> Prediction | None:
        """The prediction with the higher confidence as shown."""
        if self.first.confidence_pct == self.second.confidence_pct:
            return None
        return max(self.first, self.second, key=lambda prediction: prediction.confidence_pct)


class Predictor:
    """Answers questions about songs and draws the answers.

    Everything that needs the CPU runs in executors; all methods may be called at once from one event loop.
    """

    def __init__(
        self,
        *,
        resolver: SongResolver,
        artists: ArtistLookup,
        model: HitModel,
        artwork: Artwork,
        renderer: CardRenderer,
        history: History,
        figures: FigureLog,
        complete: Completer,
        links: LinkFollower,
        models_dir: Path,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        """Take the parts as built by :func:`core.assembly.build_predictor`; they are closed with the predictor.

        ``today`` tells the day for which songs' ages are counted.
        """
        self._today = today
        self._resolver = resolver
        self._artists = artists
        self._model = model
        self._artwork = artwork
        self._renderer = renderer
        self._history = history
        self._figures = figures
        self._complete = complete
        self._links = links
        self._models_dir = models_dir
        self._stored = manifest_digest(models_dir)
        self._scoring = SerialExecutor("scoring")
        self._remembering = SerialExecutor("history")
        # Nothing is kept here: how long figures count is for the cache to say.
        self._asked: SingleFlight[Answer] = SingleFlight(kept=0)
        self._assessments: SingleFlight[Assessment] = SingleFlight(ASSESSMENTS_KEPT)
        self._ranked: SingleFlight[ArtistRanking] = SingleFlight(RANKINGS_KEPT)

    async def predict(self, text: str, *, fresh: bool = False) -> Answer:
        """Answer a typed question; people who ask the same at the same time share the answer.

        Args:
            text: The question, at most 200 characters, in any of the forms of :mod:`core.query`.
            fresh: Ask for new figures even if cached ones are at hand.

        Raises:
            QueryError: The text does not name a song.
            UpstreamError: Last.fm gave no usable answer and nothing older is at hand.
        """
        question = await self._scoring.run(parse_question, text)
        return await self._asked.get((question, fresh), lambda: self._answer(question, fresh=fresh))

    async def pair(self, text: str) -> Pair | None:
        """Read the two songs that a question compares; None if it names one, as "Batman vs. Superman" may.

        Raises:
            QueryError: The text cannot be read.
        """
        read = await self._scoring.run(parse_pair, text)
        if read is None:
            return None
        pair, whole = read
        return None if await self._resolver.names_a_song(whole) else pair

    async def predict_song(self, name: SongName, *, fresh: bool = False) -> Answer:
        """Answer for a song chosen by its resolved name, as candidates and buttons give it.

        Raises:
            QueryError: The source no longer has the song and its name is no question either.
            UpstreamError: As for :meth:`predict`.
        """
        with deadline(LOOKUP_BUDGET_S):
            found = await self._resolver.fetch(name, fresh=fresh)
            if found is None:
                question = await self._scoring.run(parse_question, f"{name.title} - {name.artist}")
                return await self._answer(question, fresh=False)
        return await self._assess(found)

    async def artist(self, name: str) -> ArtistRanking | ArtistNotFound:
        """Rank an artist's most heard songs by predicted popularity.

        Args:
            name: The artist's name as typed; typos are forgiven.

        Raises:
            QueryError: Nothing is left of the name, or it is longer than any.
            UpstreamError: As for :meth:`predict`.
        """
        asked = parse_artist(name)
        with deadline(LOOKUP_BUDGET_S):
            found = await self._artists.find(asked)
        if isinstance(found, ArtistNotFound):
            return found
        for song in found.songs:
            self._figures.note(song, found.source)
        model, day = self._model, self._today()
        return await self._ranked.get((model, found, day), lambda: self._scoring.run(rank_artist, found, model, day))

    async def trend(self, prediction: Prediction, figures: tuple[DatedFigures, ...] | None = None) -> Trend:
        """Say how an answered song developed, and what the model says of its oldest figures.

        Args:
            prediction: The answer.
            figures: Its dated figures, the oldest first; those that were noted, if none are given.
        """
        song = prediction.song
        if figures is None:
            figures = await self._figures.history(song, prediction.source)
        if not figures or (figures[-1].day - figures[0].day).days < DAYS_MIN:
            return Trend(prediction, figures)
        first = figures[0]
        then = replace(song, listeners=first.listeners, playcount=first.plays)
        (probability,) = await self._scoring.run(self._model.probabilities, [then], first.day)
        return Trend(prediction, figures, float(probability))

    async def card(self, prediction: Prediction) -> bytes:
        """Draw the card, cover included, as PNG bytes, 1200 x 630.

        Raises:
            RenderError: The card could not be drawn.
        """
        return await self._renderer.card(prediction, await self._cover(prediction))

    async def cover(self, prediction: Prediction) -> bytes:
        """Give the song's cover alone, or one drawn for it, as JPEG bytes, 420 pixels square.

        Raises:
            RenderError: It could not be drawn.
        """
        return await self._renderer.cover(prediction.song.name, await self._cover(prediction))

    async def animation(self, prediction: Prediction) -> bytes:
        """Draw the card with a sweeping needle, as GIF bytes.

        Raises:
            RenderError: The card could not be drawn.
        """
        return await self._renderer.animation(prediction, await self._cover(prediction))

    async def comparison_card(self, comparison: Comparison) -> bytes:
        """Draw two predictions on one card, as PNG bytes.

        Raises:
            RenderError: The card could not be drawn.
        """
        first, second = comparison.first, comparison.second
        covers = await asyncio.gather(self._cover(first), self._cover(second))
        return await self._renderer.compare(first, covers[0], second, covers[1])

    async def ranking_card(self, ranking: ArtistRanking) -> bytes:
        """Draw the ten likeliest songs of an artist beside the cover of the likeliest one's album, as PNG bytes.

        Raises:
            RenderError: The picture could not be drawn.
        """
        cover = await self._artwork.cover(ranking.songs[0].song)
        return await self._renderer.ranking(ranking, cover)

    async def trend_card(self, trend: Trend) -> bytes:
        """Draw the curve of a song's listeners, with its chance then and now, as PNG bytes.

        Raises:
            RenderError: The picture could not be drawn, or there is nothing to draw yet.
        """
        return await self._renderer.trend(trend, await self._cover(trend.prediction))

    async def complete(self, prefix: str, limit: int) -> tuple[SongName, ...]:
        """List songs for a half-typed name, well-known ones for an empty one, whoever asks; never uses the network.

        What somebody asked for has no part in it: it may have been asked in private.
        """
        return await asyncio.to_thread(self._complete, prefix, limit)

    async def offer(self, names: Iterable[SongName]) -> None:
        """Let :meth:`recall` know songs that are offered for picking, also after a restart."""
        for name in names:
            await self._remembering.run(self._history.remember, name)

    async def recall(self, token: str) -> SongName | None:
        """Find the song of a token given by :func:`core.history.song_token`; None if it is unknown."""
        return await self._remembering.run(self._history.recall, token)

    def report(self) -> ModelReport:
        """Say how good the loaded model is."""
        return self._model.report()

    async def calibration_picture(self) -> bytes | None:
        """Draw how stated probabilities were kept, as PNG; None if the model does not say or it cannot be drawn."""
        report = self.report()
        if not report.calibration:
            return None
        try:
            return await self._renderer.calibration(report)
        except RenderError as error:
            log.warning("event=calibration_failed error=%s", error)
            return None

    async def reload_model(self) -> ModelReport:
        """Load the stored model anew, verified before it takes over.

        Raises:
            ModelError: The stored model is missing or damaged; the old one goes on serving.
        """
        self._stored = await asyncio.to_thread(manifest_digest, self._models_dir)
        self._model = await asyncio.to_thread(load_checked, self._models_dir)
        self._assessments = SingleFlight(ASSESSMENTS_KEPT)
        self._ranked = SingleFlight(RANKINGS_KEPT)
        return self.report()

    async def take_new_model(self) -> ModelReport | None:
        """Load the stored model if it is another than the one that was last loaded or refused; None if it is not.

        Raises:
            ModelError: It is damaged, which is told once; the old one goes on serving.
        """
        stored = await asyncio.to_thread(manifest_digest, self._models_dir)
        return None if stored is None or stored == self._stored else await self.reload_model()

    async def aclose(self) -> None:
        """Close every part; the predictor cannot be used afterwards."""
        await self._resolver.source.aclose()
        await self._links.aclose()
        await self._artwork.aclose()
        if self._resolver.releases is not None:
            await self._resolver.releases.aclose()
        await self._renderer.aclose()
        await self._figures.aclose()
        self._scoring.close()
        self._remembering.close()
        self._resolver.worker.close()
        if self._resolver.catalogue is not None:
            self._resolver.catalogue.close()
        self._history.close()

    async def _answer(self, question: Question, *, fresh: bool) -> Answer:
        with deadline(LOOKUP_BUDGET_S):
            query = await self._links.follow(question) if isinstance(question, LinkedSong) else question
            resolved = await self._resolver.resolve(query, fresh=fresh)
        return await self._assess(resolved) if isinstance(resolved, Found) else resolved

    async def _assess(self, found: Found) -> Prediction:
        model, song, day = self._model, found.song, self._today()
        growing = asyncio.create_task(self._figures.growth(song, found.source))
        try:
            assessment = await self._assessments.get(
                (model, song, day), lambda: self._scoring.run(model.assess, song, as_of=day)
            )
            growth = await growing
        finally:
            growing.cancel()
        self._figures.note(song, found.source)
        await self._remembering.run(self._history.remember, song.name)
        return Prediction(
            song=song,
            assessment=assessment,
            source=found.source,
            popularity=found.popularity,
            others=found.others,
            growth=growth,
        )

    async def _cover(self, prediction: Prediction) -> Cover | None:
        patience_s = OLD_COVER_S if prediction.source.stale else None
        try:
            async with asyncio.timeout(patience_s):
                return await self._artwork.cover(prediction.song)
        except TimeoutError:
            return None
