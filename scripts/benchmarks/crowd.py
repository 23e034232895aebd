"""Many people asking at once: nothing lost, nothing fetched twice, how many a second, and how long the loop stands."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from unittest.mock import patch

from bot.reply import ResultCode, token_of
from bot.service import SongService
from core.domain import Song
from scripts.benchmarks.chain import Chain, running_chain
from scripts.benchmarks.drawing import card_alone_ms
from scripts.benchmarks.measuring import Row, percentile, stalls_ms
from scripts.benchmarks.songs import songs_of_few_artists

PEOPLE: Final = 200
SONGS: Final = 50
SONGS_OF_AN_ARTIST: Final = 2
STRANGERS: Final = 76
STRANGERS_SONGS_OF_AN_ARTIST: Final = 4
"""Songs of one artist among those asked for: songs and artists together stay within the burst of 100 requests that
Last.fm's terms leave, so that its rate is not what is measured."""

ROUNDS: Final = 6

THROUGHPUT_SHARE: Final = 0.8
STALL_MS: Final = 25.0
SEED: Final = 7


@dataclass(frozen=True, slots=True)
class Rush:
    """What became of a rush of questions."""

    answered: int
    asked: int
    taken_s: float
    fetched_twice: int
    stalls_ms: tuple[float, ...]

    @property
    def per_s(self) -> float:
        """Answers a second."""
        return self.answered / self.taken_s


def measure_crowd(songs: Sequence[Song], folder: Path) -> list[Row]:
    """Let ``PEOPLE`` ask at once for ``SONGS`` songs, and ``STRANGERS`` for a song each, again and again."""
    cores = os.process_cpu_count() if hasattr(os, "process_cpu_count") else len(os.sched_getaffinity(0))
    card_ms = card_alone_ms()
    possible = cores * 1000 / card_ms
    picked = songs_of_few_artists(songs, SONGS, SONGS_OF_AN_ARTIST, SEED)
    shared = asyncio.run(_rush(picked, PEOPLE, folder))
    picked = songs_of_few_artists(songs, STRANGERS, STRANGERS_SONGS_OF_AN_ARTIST, SEED)
    with patch("core.render.renderer.CARDS_KEPT", 0):  # so that each is drawn
        alone = asyncio.run(_rush(picked, STRANGERS * ROUNDS, folder, at_once=STRANGERS, warmed=True))
    ratio = shared.per_s / possible
    complete = shared.answered == shared.asked and not shared.fetched_twice
    longest = max(*shared.stalls_ms, *alone.stalls_ms)
    return [
        Row(
            what=f"{PEOPLE} people at once, {SONGS} songs",
            against=f"cards/s x cores, cover drawn as theirs: {1000 / card_ms:.0f} x {cores} = {possible:.0f}",
            measured=f"{shared.answered} of {shared.asked} answered, {shared.fetched_twice} fetched twice, "
            f"{shared.per_s:.0f} answers/s",
            ratio=ratio,
            target=f"nothing lost, each fetched once, >= {THROUGHPUT_SHARE:.0%} of cards/s x cores",
            reached=complete and ratio >= THROUGHPUT_SHARE,
            figures={"answers_per_s": shared.per_s, "possible_per_s": possible, "card_ms": card_ms},
        ),
        Row(
            what=f"{STRANGERS} people at once, a song each, {ROUNDS} times; figures and words cached, each card drawn",
            against=f"cards/s x cores: {possible:.0f}",
            measured=f"{alone.answered} of {alone.asked} answered, {alone.per_s:.0f} answers/s",
            ratio=alone.per_s / possible,
            target=f">= {THROUGHPUT_SHARE:.0%} of cards/s x cores",
            reached=alone.answered == alone.asked and alone.per_s / possible >= THROUGHPUT_SHARE,
            figures={"answers_per_s": alone.per_s},
        ),
        Row(
            what="longest stall of the event loop under both",
            against="",
            measured=f"{longest:.1f} ms, p99 {percentile(shared.stalls_ms, 99):.1f} ms",
            target=f"<= {STALL_MS:.0f} ms",
            reached=longest <= STALL_MS,
            figures={"longest_ms": longest, "p99_ms": percentile(shared.stalls_ms, 99)},
        ),
    ]


async def _rush(
    songs: Sequence[Song], questions: int, folder: Path, *, at_once: int | None = None, warmed: bool = False
) -> Rush:
    """Ask ``questions`` about ``songs``, all at once or so many; ``warmed`` after each was asked for before."""
    other = Song(title="Warming Up", artist="The Overture")
    async with running_chain([*songs, other], folder) as chain:
        service = SongService(chain.predictor)

        async def answer(song: Song) -> bool:
            reply = await service.predict(f"{song.title} - {song.artist}")
            pictured = reply.card is not None and await reply.card() is not None
            return pictured and reply.code is ResultCode.PREDICTED and reply.token == token_of(song.name)

        async def ask(asked: Sequence[Song]) -> list[bool]:
            """Return for each song whether it was answered for, with its card."""
            return await asyncio.gather(*map(answer, asked))

        await ask([other])
        if warmed:
            await ask(songs)
        asked = [songs[number % len(songs)] for number in range(questions)]
        together = at_once or questions
        answered: list[bool] = []
        async with stalls_ms() as stalls:
            started = time.perf_counter()
            for first in range(0, questions, together):
                answered += await ask(asked[first : first + together])
            taken_s = time.perf_counter() - started
        return Rush(sum(answered), questions, taken_s, _fetched_twice(chain), tuple(stalls))


def _fetched_twice(chain: Chain) -> int:
    counted: Counter[tuple[str, str, str]] = chain.lastfm.requests()
    return sum(times > 1 for request, times in counted.items() if request[0] == "track.getInfo")
