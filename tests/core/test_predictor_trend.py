"""What changed since earlier answers and an artist's ranking, over the whole chain and the loopback Last.fm."""

from __future__ import annotations

import io
from datetime import timedelta

from PIL import Image

from bot.reply import LineKind, ResultCode
from core.domain import ArtistNotFound, ArtistRanking, DatedFigures, Prediction
from core.render.renderer import CardRenderer
from tests.fakes.chain import ARTISTS, HIT, SONGS, running_chain
from tests.fakes.lastfm_server import FakeLastFm, FakeSong, Fault
from tests.fakes.warped_time import WallClock, run_warped

THEN = FakeSong("Blinding Lights", "The Weeknd", 1_000_000, 9_000_000, tags=("pop",))
NOW = FakeSong("Blinding Lights", "The Weeknd", 1_120_000, 9_900_000, tags=("pop",))


def test_the_next_answer_tells_what_changed_and_the_trend_shows_it() -> None:
    async def main() -> None:
        clock = WallClock()
        day = clock().date()
        renderer = CardRenderer(now=clock)
        async with (
            FakeLastFm((THEN,), ARTISTS) as fake,
            running_chain(fake.url, clock=clock, renderer=renderer) as chain,
        ):
            first = await chain.ask(HIT)
            assert first.prediction is not None
            assert first.prediction.growth is None
            assert LineKind.GROWTH not in {line.kind for line in first.lines}
            early = await chain.service.trend(HIT)
            assert early.code is ResultCode.INFORMED
            assert "Ask again on " in early.text
            await chain.figures.flush()

            clock.jump(timedelta(days=21))
            fake.put(NOW)
            second = await chain.ask(HIT)
            assert second.prediction is not None
            (grown,) = [line.text for line in second.lines if line.kind is LineKind.GROWTH]
            assert grown == "In 3 weeks: +12 % listeners"
            assert second.prediction.assessment.probability > first.prediction.assessment.probability

            reply = await chain.service.trend(HIT)
            assert reply.code is ResultCode.TREND
            assert reply.trend is not None
            assert reply.trend.figures == (
                DatedFigures(day, 1_000_000, 9_000_000),
                DatedFigures(day + timedelta(days=21), 1_120_000, 9_900_000),
            )
            then = reply.trend.probability_then
            assert then == first.prediction.assessment.probability
            assert reply.card is not None
            picture = await reply.card()
            assert picture is not None
            with Image.open(io.BytesIO(picture.data)) as drawn:
                assert (drawn.format, drawn.size) == ("PNG", (1200, 630))

    run_warped(main())


def test_an_old_answer_is_compared_as_of_its_day_and_noted_once() -> None:
    async def main() -> None:
        clock = WallClock()
        day = clock().date()
        async with FakeLastFm((THEN,), ARTISTS) as fake, running_chain(fake.url, clock=clock) as chain:
            answered = await chain.ask(HIT)
            fake.break_next(Fault.status(500))
            for _ in range(3):
                clock.jump(timedelta(days=2))
                stale = await chain.ask(HIT)
                assert stale.prediction is not None
                assert stale.prediction.source.stale
                assert stale.prediction.growth is None
                await chain.figures.flush()
            assert answered.prediction is not None
            song, source = answered.prediction.song, answered.prediction.source
            assert await chain.figures.history(song, source) == (DatedFigures(day, 1_000_000, 9_000_000),)

    run_warped(main())


def test_an_artists_songs_are_ranked_and_each_opens_its_card() -> None:
    more = tuple(FakeSong(f"Song {n}", "The Weeknd", 10**n, 6 * 10**n) for n in range(2, 7))

    async def main() -> None:
        renderer = CardRenderer()
        async with (
            FakeLastFm((*SONGS, *more), ARTISTS) as fake,
            running_chain(fake.url, renderer=renderer) as chain,
        ):
            reply = await chain.service.artist("the weeknd")
            assert reply.code is ResultCode.RANKED
            ranking = reply.ranking
            assert isinstance(ranking, ArtistRanking)
            assert [one.song.title for one in ranking.songs[:3]] == ["Blinding Lights", "Song 6", "Song 5"]
            assert [one.probability for one in ranking.songs] == sorted(
                (one.probability for one in ranking.songs), reverse=True
            )
            opened = await chain.service.predict(reply.choices[1].token)
            assert isinstance(opened.prediction, Prediction)
            assert opened.prediction.song.title == "Song 6"
            assert reply.card is not None
            assert await reply.card() is not None
            assert isinstance(await chain.predictor.artist("Zzyzx"), ArtistNotFound)

    run_warped(main())


def test_a_ranking_notes_the_figures_of_its_songs_too() -> None:
    async def main() -> None:
        clock = WallClock()
        async with FakeLastFm((THEN,), ARTISTS) as fake, running_chain(fake.url, clock=clock) as chain:
            assert (await chain.service.artist("The Weeknd")).code is ResultCode.RANKED
            await chain.figures.flush()
            clock.jump(timedelta(days=5))
            fake.put(NOW)
            answer = await chain.ask(HIT)
            assert answer.prediction is not None
            assert answer.prediction.growth is not None
            assert (answer.prediction.growth.days, round(answer.prediction.growth.listeners, 3)) == (5, 0.12)

    run_warped(main())
