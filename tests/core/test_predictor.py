"""The whole chain: typed text in, prediction and card out, over the loopback Last.fm and the committed model."""

from __future__ import annotations

import asyncio
import contextlib
import io
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from PIL import Image

from core.assembly import build_predictor
from core.domain import Ambiguous, Assessment, Block, NotFound, Origin, Prediction, Song, SongName, Verdict
from core.errors import EmptyQuery, ModelMissing, UpstreamError
from core.history import song_token
from core.limits import LOOKUP_BUDGET_S
from core.lookup.catalogue_build import build_catalogue
from core.lookup.recorded import RecordedFigures
from core.model.hit_model import HitModel
from core.predictor import Comparison, Predictor
from core.settings import ROOT, Settings
from tests.fakes.lastfm_server import FakeArtist, FakeLastFm, FakeSong, Fault
from tests.fakes.spotify_rows import row, write_csv

BLINDING = FakeSong(
    "Blinding Lights", "The Weeknd", 2_275_434, 37_246_021, album="After Hours", tags=("synthpop", "pop")
)
OBSCURE = FakeSong("Cellar Door Song", "Basement Five Trio", 300, 700, tags=("folk",))
HELLO = (FakeSong("Hello", "Adele", 1_900_000, 17_000_000), FakeSong("Hello", "Lionel Richie", 1_100_000, 6_000_000))
ARTISTS = (FakeArtist("The Weeknd", 4_512_003, 780_000_000), FakeArtist("Basement Five Trio", 350, 900))


@asynccontextmanager
async def running(settings_for: Callable[..., Settings]) -> AsyncIterator[tuple[Predictor, FakeLastFm]]:
    async with FakeLastFm((BLINDING, OBSCURE, *HELLO), ARTISTS) as fake:
        assembled = build_predictor(settings_for(fake.url))
        try:
            yield assembled.predictor, fake
        finally:
            await assembled.predictor.aclose()


async def predicted(predictor: Predictor, text: str) -> Prediction:
    answer = await predictor.predict(text)
    assert isinstance(answer, Prediction)
    return answer


async def test_a_hit_is_called_one_and_an_obscure_song_is_not(settings_for: Callable[..., Settings]) -> None:
    async with running(settings_for) as (predictor, _):
        hit = await predicted(predictor, "Blinding Lights - The Weeknd")
        dud = await predicted(predictor, "cellar door song by basement five trio")
    assert hit.assessment.verdict is Verdict.POPULAR
    assert dud.assessment.verdict is Verdict.NOT_POPULAR
    assert dud.assessment.probability < 0.1 < 0.85 < hit.assessment.probability
    assert hit.source.origin is Origin.LASTFM
    assert {Block.TRACK, Block.ARTIST, Block.TAGS} <= set(hit.assessment.view)
    shown = {feature.key: feature.value for feature in hit.assessment.features}
    assert shown["listeners"] == 2_275_434
    assert hit.assessment.reasons


async def test_the_card_is_a_png_of_the_agreed_size(settings_for: Callable[..., Settings]) -> None:
    async with running(settings_for) as (predictor, _):
        hit = await predicted(predictor, "the weeknd - blinding lights")
        other = await predicted(predictor, "cellar door song - basement five trio")
        pictures = await asyncio.gather(
            predictor.card(hit), predictor.comparison_card(Comparison(hit, other)), predictor.animation(hit)
        )
    for data, kind in zip(pictures, ("PNG", "PNG", "GIF"), strict=True):
        with Image.open(io.BytesIO(data)) as image:
            assert (image.format, image.size) == (kind, (1200, 630) if kind == "PNG" else image.size)


async def test_the_shipped_model_shows_how_its_chances_were_kept(settings_for: Callable[..., Settings]) -> None:
    async with running(settings_for) as (predictor, _):
        points = predictor.report().calibration
        drawn = await predictor.calibration_picture()
    assert sum(point.n_songs for point in points) > 20_000
    assert all(abs(point.said - point.popular) < 0.05 for point in points if point.n_songs > 500)
    assert drawn is not None
    with Image.open(io.BytesIO(drawn)) as picture:
        assert (picture.format, picture.size) == ("PNG", (1200, 630))


async def test_namesakes_are_offered_and_a_choice_is_answered(settings_for: Callable[..., Settings]) -> None:
    async with running(settings_for) as (predictor, _):
        offered = await predictor.predict("hello")
        assert isinstance(offered, Ambiguous)
        await predictor.offer(candidate.name for candidate in offered.candidates)
        name = await predictor.recall(song_token(SongName("Hello", "Lionel Richie")))
        assert name is not None
        chosen = await predictor.predict_song(name)
    assert isinstance(chosen, Prediction)
    assert chosen.song.artist == "Lionel Richie"


@pytest.mark.warped_time
async def test_a_chosen_song_that_is_gone_is_searched_for_within_the_same_budget(
    settings_for: Callable[..., Settings],
) -> None:
    async with running(settings_for) as (predictor, fake):
        fake.break_next(Fault.slow(2.4))
        loop = asyncio.get_running_loop()
        started = loop.time()
        with contextlib.suppress(UpstreamError):
            assert isinstance(await predictor.predict_song(SongName("Gone", "Nobody")), NotFound)
        assert loop.time() - started <= LOOKUP_BUDGET_S + 0.1


async def test_an_answered_song_is_no_completion_for_others(settings_for: Callable[..., Settings]) -> None:
    async with running(settings_for) as (predictor, _):
        await predicted(predictor, "Blinding Lights - The Weeknd")
        assert await predictor.complete("blinding", 5) == ()
        assert await predictor.complete("", 5) == ()


@pytest.mark.parametrize("keyed", [False, True])
async def test_completion_is_of_the_recorded_songs_without_a_catalogue(
    settings_for: Callable[..., Settings], keyed: bool
) -> None:
    async with FakeLastFm((), ()) as fake:
        assembled = build_predictor(settings_for(fake.url if keyed else None, data_dir=ROOT / "data"))
        predictor = assembled.predictor
        assert SongName("Blinding Lights", "The Weeknd") in await predictor.complete("blinding", 5)
        popular = await predictor.complete("", 5)
        await predictor.aclose()
    assert len(set(popular)) == 5
    recorded = RecordedFigures.load(ROOT / "data" / "demo_songs.csv")
    assert popular == tuple(found.song.name for found in recorded.songs[:5])


async def test_completion_is_of_the_catalogue_where_there_is_one(
    settings_for: Callable[..., Settings], tmp_path: Path
) -> None:
    settings = settings_for(data_dir=tmp_path)
    shutil.copyfile(ROOT / "data" / "demo_songs.csv", settings.demo_songs_path)
    rows = row("Known Tune", "Ann", 40), row("Best Known Tune", "Ben", 90)
    build_catalogue(write_csv(tmp_path / "d.csv", rows), settings.catalogue_path, source="test")
    predictor = build_predictor(settings).predictor
    assert [name.title for name in await predictor.complete("", 5)] == ["Best Known Tune", "Known Tune"]
    assert [name.title for name in await predictor.complete("know", 5)] == ["Known Tune", "Best Known Tune"]
    await predictor.aclose()


async def test_nothing_found_and_nothing_asked(settings_for: Callable[..., Settings]) -> None:
    async with running(settings_for) as (predictor, _):
        assert isinstance(await predictor.predict("qqq zzz - xxx yyy"), NotFound)
        with pytest.raises(EmptyQuery):
            await predictor.predict("  🎵 ")


async def test_an_outage_serves_the_last_good_answer_and_says_so(settings_for: Callable[..., Settings]) -> None:
    async with running(settings_for) as (predictor, fake):
        fresh = await predicted(predictor, "Blinding Lights - The Weeknd")
        fake.break_next(Fault.status(403))
        answer = await predictor.predict_song(fresh.song.name, fresh=True)
        assert isinstance(answer, Prediction)
        assert answer.source.stale
        assert answer.assessment.probability == fresh.assessment.probability
        with pytest.raises(UpstreamError) as caught:
            await predictor.predict("Hello - Adele")
    assert "try again" in caught.value.user_message


async def test_a_model_that_is_not_there_is_said_at_once(settings_for: Callable[..., Settings], tmp_path: Path) -> None:
    with pytest.raises(ModelMissing):
        build_predictor(settings_for(models_dir=tmp_path))


async def test_many_questions_at_once_are_each_answered_once(settings_for: Callable[..., Settings]) -> None:
    async with running(settings_for) as (predictor, fake):
        answers = await asyncio.gather(*(predictor.predict("Blinding Lights - The Weeknd") for _ in range(20)))
        assert {answer.song.name for answer in answers if isinstance(answer, Prediction)} == {
            SongName("Blinding Lights", "The Weeknd")
        }
        assert len(answers) == 20
        assert sum(request.get("track") == "Blinding Lights" for request in fake.requests) == 1


async def test_the_same_question_asked_at_once_is_answered_once_for_all(settings_for: Callable[..., Settings]) -> None:
    async with running(settings_for) as (predictor, _):
        asked = "Blinding Lights - The Weeknd"
        first, *others = await asyncio.gather(*(predicted(predictor, asked) for _ in range(5)))
        assert all(other is first for other in others)
        assert await predicted(predictor, asked) == first
        assert (await predicted(predictor, asked)) is not first


async def test_the_same_figures_are_assessed_once_by_each_model(
    settings_for: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    assessed: list[HitModel] = []
    assess = HitModel.assess

    def counted(model: HitModel, song: Song, *, as_of: date | None = None) -> Assessment:
        assessed.append(model)
        return assess(model, song, as_of=as_of)

    async with running(settings_for) as (predictor, fake):
        monkeypatch.setattr(HitModel, "assess", counted)
        first = await predicted(predictor, "Blinding Lights - The Weeknd")
        again = await predicted(predictor, "the weeknd: blinding lights")
        assert again.assessment is first.assessment
        assert len(assessed) == 1
        fake._table.put(replace(BLINDING, listeners=9_000_000))
        newer = await predictor.predict("Blinding Lights - The Weeknd", fresh=True)
        assert isinstance(newer, Prediction)
        assert newer.assessment != first.assessment
        assert len(assessed) == 2
        await predictor.reload_model()
        del assessed[:]
        await predicted(predictor, "Blinding Lights - The Weeknd")
        assert len(assessed) == 1
