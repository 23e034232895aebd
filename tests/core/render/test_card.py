import asyncio
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from PIL import Image

from core.errors import RenderError
from core.render.card import CardRenderer, load_drawing
from core.render.crew import Crew
from core.render.single import draw_card
from tests.fakes.predictions import NOW, plain_cover, prediction


@pytest.fixture
async def renderer():
    async with CardRenderer(now=lambda: NOW) as renderer:
        yield renderer


async def test_the_three_pictures(renderer):
    cover = plain_cover(40, 80, 120)
    made, other = prediction(), prediction("Hello", "Adele", probability=0.4)
    pictures = await asyncio.gather(
        renderer.card(made, cover), renderer.compare(made, cover, other, None), renderer.animation(made, None)
    )
    kinds = []
    for body in pictures:
        with Image.open(io.BytesIO(body)) as picture:
            kinds.append((picture.format, picture.size))
    assert kinds == [("PNG", (1200, 630)), ("PNG", (1200, 630)), ("GIF", (800, 420))]


async def test_the_age_is_told_against_the_given_time(renderer):
    assert await renderer.card(prediction(), None) == draw_card(prediction(), None, NOW)


async def test_a_failure_to_draw_is_a_render_error(renderer):
    with pytest.raises(RenderError):
        await renderer.card(None, None)


def test_threads_do_not_mix_up_their_texts():
    made = [prediction(f"Song number {n}", f"Artist {n}", probability=n / 24) for n in range(24)]
    with ThreadPoolExecutor(4) as threads:
        drawn = list(threads.map(lambda one: draw_card(one, None, NOW), made))
    assert drawn == [draw_card(one, None, NOW) for one in made]


async def test_a_helper_draws_as_the_thread_does():
    made = [prediction(f"Song number {n}", f"Artist {n}", probability=n / 24) for n in range(24)]
    async with CardRenderer(crew := Crew(load_drawing, helpers=1), now=lambda: NOW) as renderer:
        async with asyncio.timeout(60):
            while not crew._helpers:
                await asyncio.gather(*(renderer.animation(one, None) for one in made))
        drawn = await asyncio.gather(*(renderer.card(one, None) for one in made))
    assert drawn == [draw_card(one, None, NOW) for one in made]


async def test_the_same_song_asked_for_by_many_is_drawn_once():
    moments = [NOW, NOW, NOW + timedelta(hours=2)]
    submitted = []

    class Counting(ThreadPoolExecutor):
        def submit(self, fn, /, *args, **kwargs):
            submitted.append(fn)
            return super().submit(fn, *args, **kwargs)

    async with CardRenderer(Crew(load_drawing, own=Counting(1)), now=lambda: moments.pop(0)) as renderer:
        warming = len(submitted)
        cover = plain_cover(40, 80, 120)
        first, second = await asyncio.gather(renderer.card(prediction(), cover), renderer.card(prediction(), cover))
        assert first == second
        assert len(submitted) - warming == 1
        # Two hours later the small print says so.
        assert await renderer.card(prediction(), cover) != first
