"""Every way in which Last.fm, the shops and the art hosts can fail, up to the sentence that a person reads.

Production's own limits, retries and breaker run here over real sockets; the clock leaps over the waiting.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest

from bot import messages
from bot.reply import ResultCode
from core.errors import UpstreamError, UpstreamRefused, UpstreamUnavailable
from core.lookup.cover import Artwork
from core.lookup.release import ReleaseLookup
from core.lookup.resolver import RELEASE_WAIT_S
from core.lookup.service import BreakerState
from core.render.renderer import CardRenderer
from tests.fakes.art_server import Art, ArtServer
from tests.fakes.chain import ARTISTS, HIT, OTHER, SONGS, PlainRenderer, running_chain
from tests.fakes.lastfm_server import API_KEY, FakeLastFm, FakeSong, Fault
from tests.fakes.release_server import DEEZER, ITUNES, MUSICBRAINZ, SERVICES, Record, ReleaseFault, ReleaseServer
from tests.fakes.warped_time import WallClock, run_warped

LIMIT_S = 8.0
"""Longest that a person may wait for an answer or a sentence."""

DOWN = UpstreamUnavailable.user_message
NO_USE = UpstreamError.user_message
BAD_KEY = UpstreamRefused.user_message

FAULTS = {
    "time-out": (Fault.hang(), DOWN),
    "dropped": (Fault.refuse(), DOWN),
    "reset mid-body": (Fault.reset(), DOWN),
    "500 HTML": (Fault.status(500), DOWN),
    "503 XML": (Fault.xml(16, 503), DOWN),
    "200 with an error": (Fault.error(8), DOWN),
    "200 with another error": (Fault.error(3), NO_USE),
    "200 with garbage": (Fault.garbage(), NO_USE),
    "truncated gzip": (Fault.truncated_gzip(), NO_USE),
    "10 MB body": (Fault.huge(), NO_USE),
    "decompression bomb": (Fault.bomb(), NO_USE),
    "30 s drip": (Fault.drip(30 / 500), DOWN),
    "429": (Fault.status(429), DOWN),
    "429 that asks for a minute": (Fault.status(429, Retry_After="60"), DOWN),
    "code 29": (Fault.error(29), DOWN),
    "invalid key": (Fault.error(10, http_status=403), BAD_KEY),
    "suspended key": (Fault.error(26, http_status=403), BAD_KEY),
    "a redirect": (Fault.status(302, "", Location="http://127.0.0.1:9/"), NO_USE),
}


@pytest.mark.parametrize(("fault", "sentence"), FAULTS.values(), ids=FAULTS.keys())
def test_each_fault_is_one_sentence_within_the_limit_and_passes(fault: Fault, sentence: str) -> None:
    async def main() -> None:
        async with FakeLastFm(SONGS, ARTISTS) as fake, running_chain(fake.url) as chain:
            fake.break_next(fault)
            reply = await chain.ask(HIT)
            assert (reply.code, reply.text, reply.private) == (ResultCode.UPSTREAM_FAULT, sentence, True)
            assert chain.took_s[0] <= LIMIT_S
            assert len(fake.requests) <= 8, "five calls, and three attempts more"

            fake.mend()
            await asyncio.sleep(61)  # the breaker's longest pause
            assert (await chain.ask(HIT)).code is ResultCode.PREDICTED
            assert chain.breaker.state is BreakerState.CLOSED

    run_warped(main())


@pytest.mark.parametrize(("fault", "sentence"), FAULTS.values(), ids=FAULTS.keys())
def test_each_fault_costs_a_ranking_one_sentence_within_the_limit_and_passes(fault: Fault, sentence: str) -> None:
    async def main() -> None:
        async with FakeLastFm(SONGS, ARTISTS) as fake, running_chain(fake.url) as chain:
            fake.break_next(fault)
            started = asyncio.get_running_loop().time()
            reply = await chain.service.artist("The Weeknd")
            assert (reply.code, reply.text, reply.private) == (ResultCode.UPSTREAM_FAULT, sentence, True)
            assert asyncio.get_running_loop().time() - started <= LIMIT_S

            fake.mend()
            await asyncio.sleep(61)  # the breaker's longest pause
            assert (await chain.service.artist("The Weeknd")).code is ResultCode.RANKED

    run_warped(main())


@pytest.mark.parametrize("fault", [fault for fault, _ in FAULTS.values()], ids=FAULTS.keys())
def test_in_each_fault_the_last_good_answer_is_served_and_called_old(fault: Fault) -> None:
    async def main() -> None:
        clock = WallClock()
        async with FakeLastFm(SONGS, ARTISTS) as fake, running_chain(fake.url, clock=clock) as chain:
            fresh = await chain.ask(HIT)
            clock.jump(timedelta(hours=7))
            fake.break_next(fault)
            stale = await chain.ask(HIT)
            assert stale.code is ResultCode.PREDICTED
            assert stale.prediction is not None
            assert fresh.prediction is not None
            assert stale.prediction.source.stale
            assert stale.prediction.assessment.probability == fresh.prediction.assessment.probability
            assert "7 hours" in stale.text
            assert chain.pictures[1] is not None
            # Covers may take three seconds more before the card is drawn.
            assert chain.took_s[1] <= LIMIT_S - 3.0

            again = await chain.service.predict(stale.token or "", fresh=True)
            assert again.code is ResultCode.PREDICTED

    run_warped(main())


@pytest.mark.parametrize("fault", [fault for fault, _ in FAULTS.values()], ids=FAULTS.keys())
def test_in_each_fault_kept_answers_stay_as_they_were(fault: Fault) -> None:
    async def main() -> None:
        async with FakeLastFm(SONGS, ARTISTS) as fake, running_chain(fake.url) as chain:
            await chain.ask(HIT)
            fake.break_next(fault)
            failing, kept = await asyncio.gather(chain.ask(OTHER), chain.ask(HIT))
            assert failing.code is ResultCode.UPSTREAM_FAULT
            assert kept.code is ResultCode.PREDICTED
            assert kept.prediction is not None
            assert not kept.prediction.source.stale

    run_warped(main())


PASSING = {name: fault for name, (fault, sentence) in FAULTS.items() if sentence is DOWN and "minute" not in name}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
def test_calls_that_fail_at_first_are_answered_and_hold_nobody_else_up(fault: Fault) -> None:
    async def main() -> None:
        async with FakeLastFm(SONGS, ARTISTS) as fake, running_chain(fake.url) as chain:
            fake.break_next(fault, times=4)  # both orders of title and artist, the song and the artist of each
            unlucky = asyncio.create_task(chain.ask(HIT))
            while len(fake.requests) < 4:  # noqa: ASYNC110 - the clock is not to leap
                await asyncio.sleep(0)
            other = await chain.ask(OTHER)
            assert other.code is ResultCode.PREDICTED
            assert chain.took_s[0] < 1.0
            assert (await unlucky).code is ResultCode.PREDICTED
            assert chain.took_s[1] <= LIMIT_S

    run_warped(main())


def test_a_closed_port_and_an_unknown_host_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_such_host(*_: object, **__: object) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async def main(url: str) -> None:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", no_such_host)  # no network is asked
        async with running_chain(url) as chain:
            reply = await chain.ask(HIT)
            assert (reply.code, reply.text) == (ResultCode.UPSTREAM_FAULT, DOWN)
            assert chain.took_s[0] <= LIMIT_S

    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    run_warped(main(f"http://127.0.0.1:{port}/2.0/"))
    run_warped(main("http://no-such-host.invalid/2.0/"))


@pytest.mark.parametrize("fault", [Fault.status(429), Fault.error(29)], ids=["429", "code 29"])
def test_a_minute_of_being_limited_opens_the_breaker_and_passes(fault: Fault) -> None:
    async def main() -> None:
        songs = [FakeSong(f"Song {n}", "The Weeknd", 50_000 + n, 900_000, tags=("pop",)) for n in range(120)]
        async with FakeLastFm([*SONGS, *songs], ARTISTS) as fake, running_chain(fake.url) as chain:
            loop = asyncio.get_running_loop()
            started, ended = loop.time(), 0.0
            fake.break_next(fault)
            codes: list[ResultCode] = []
            states = set()
            for n in range(60):
                codes.append((await chain.ask(f"Song {n} - The Weeknd")).code)
                states.add(chain.breaker.state)
                if loop.time() - started >= 60:
                    break
                await asyncio.sleep(1)
            during = len(fake.requests)
            fake.mend()
            ended = loop.time()
            while (await chain.ask(HIT)).code is not ResultCode.PREDICTED:  # noqa: ASYNC110 - as people try again
                await asyncio.sleep(1)
            assert set(codes) == {ResultCode.UPSTREAM_FAULT}
            assert BreakerState.OPEN in states
            assert chain.breaker.state is BreakerState.CLOSED
            assert max(chain.took_s) <= LIMIT_S
            assert during <= 120, "a server that limits us is not to be pressed"
            assert loop.time() - ended <= 61

    run_warped(main())


def test_five_minutes_of_flapping() -> None:
    """Twenty seconds up, twenty down: who asks gets a song or the sentence in time, and it ends well."""

    async def main() -> None:
        songs = [FakeSong(f"Song {n}", "The Weeknd", 50_000 + n, 900_000, tags=("pop",)) for n in range(150)]
        async with FakeLastFm([*SONGS, *songs], ARTISTS) as fake, running_chain(fake.url) as chain:
            faults = [Fault.hang(), Fault.status(503), Fault.refuse(), Fault.garbage(), Fault.reset(), Fault.error(29)]
            opened = [0]

            async def flap() -> None:
                for turn in range(15):
                    if turn % 2:
                        fake.break_next(faults[turn // 2 % len(faults)])
                    else:
                        fake.mend()
                    for _ in range(20):
                        await asyncio.sleep(1)
                        opened[0] += chain.breaker.state is BreakerState.OPEN
                fake.mend()

            flapping = asyncio.create_task(flap())
            asking = []
            for n in range(150):
                asking.append(asyncio.create_task(chain.ask(f"Song {n} - The Weeknd")))
                await asyncio.sleep(2)
            replies = await asyncio.gather(*asking)
            await flapping
            codes = Counter(reply.code for reply in replies)
            sentences = {reply.text for reply in replies if reply.code is ResultCode.UPSTREAM_FAULT}
            assert set(codes) == {ResultCode.PREDICTED, ResultCode.UPSTREAM_FAULT}
            assert codes[ResultCode.PREDICTED] >= 20, codes  # the breaker's pauses take their part of the good half
            assert sentences <= {DOWN, NO_USE}
            assert max(chain.took_s) <= LIMIT_S
            assert opened[0] > 0
            await asyncio.sleep(61)
            assert (await chain.ask(HIT)).code is ResultCode.PREDICTED
            assert chain.breaker.state is BreakerState.CLOSED

    run_warped(main())


def test_a_wrong_key_is_told_and_not_pressed() -> None:
    async def main() -> None:
        async with FakeLastFm(SONGS, ARTISTS, key=API_KEY) as fake, running_chain(fake.url, api_key="f" * 32) as chain:
            for n in range(5):
                reply = await chain.ask(f"Song {n} - The Weeknd")
                assert (reply.code, reply.text) == (ResultCode.UPSTREAM_FAULT, BAD_KEY)
            assert len(fake.requests) <= 5, "the calls of the first question"

    run_warped(main())


def test_an_old_answer_to_a_question_put_otherwise_comes_in_time_with_silent_art_hosts_too() -> None:
    """Nothing is known of the other order of the names, so Last.fm has all of its time before the old answer counts."""

    async def main() -> None:
        clock = WallClock()
        async with ArtServer() as art, ReleaseServer() as shops:
            shops.knows(Record(title="Blinding Lights", artist="The Weeknd", cover=art.art(Art.SILENT)))
            releases = looking_up(shops)
            song = FakeSong("Blinding Lights", "The Weeknd", 2_275_434, 37_246_021, album="", tags=("pop",))
            async with (
                FakeLastFm([song], ARTISTS) as fake,
                running_chain(fake.url, clock=clock, releases=releases) as chain,
            ):
                await chain.service.predict(HIT)
                clock.jump(timedelta(hours=7))
                fake.break_next(Fault.hang())
                stale = await chain.ask("the weeknd | blinding lights")
                assert stale.code is ResultCode.PREDICTED
                assert stale.prediction is not None
                assert stale.prediction.source.stale
                assert chain.took_s[-1] <= LIMIT_S

    run_warped(main())


def looking_up(shops: ReleaseServer) -> ReleaseLookup:
    """Look releases up with production's limits; only the clocks are the loop's."""
    return ReleaseLookup.connect(**shops.urls, now=WallClock(), clock=asyncio.get_running_loop().time)


NO_COVER = (
    Art.SVG, Art.HTML, Art.EMPTY, Art.TRUNCATED, Art.BOMB, Art.COMPRESSED, Art.TOO_LONG, Art.ENDLESS, Art.DRIP,
    Art.SILENT, Art.RESET, Art.MISSING, Art.BROKEN, Art.REDIRECT, Art.REDIRECT_LOOP, Art.REDIRECT_NOWHERE,
)  # fmt: skip


@pytest.mark.parametrize("kind", NO_COVER)
def test_whatever_an_art_host_does_the_answer_has_a_drawn_cover_in_time(kind: Art) -> None:
    async def main() -> None:
        async with ArtServer() as art, ReleaseServer() as shops:
            art.redirect_to = art.art(Art.PNG, host="localhost")  # listed, but leads to a private address
            shops.knows(Record(title="Covered", artist="The Weeknd", cover=art.art(kind)))
            song = FakeSong("Covered", "The Weeknd", 9_000, 90_000, album="", tags=("pop",))
            renderer = PlainRenderer()
            async with (
                FakeLastFm([song], ARTISTS) as fake,
                running_chain(fake.url, releases=looking_up(shops), renderer=renderer) as chain,
            ):
                reply = await chain.ask("Covered - The Weeknd")
            assert reply.code is ResultCode.PREDICTED
            assert chain.pictures[0] is not None
            assert renderer.covers == [None]
            assert chain.took_s[0] <= 3.5  # three seconds for all art hosts, and the lookup
            assert art.hits[kind] >= 1
            if kind is Art.REDIRECT:
                assert not art.hits[Art.PNG], "a private address is refused before connecting"

    run_warped(main())


@pytest.mark.parametrize("broken", [*SERVICES, "all"])
@pytest.mark.parametrize("fault", ReleaseFault)
def test_whatever_a_shop_does_the_answer_comes_and_waits_little(fault: ReleaseFault, broken: str) -> None:
    async def main() -> None:
        async with ReleaseServer() as shops:
            record = Record(title="Unseen", artist="The Weeknd", album="An Album", released="2019-11-29")
            shops.knows(record, services=[ITUNES, DEEZER] if broken != MUSICBRAINZ else [])
            for service in SERVICES if broken == "all" else [broken]:
                shops.service(service).break_next(fault)
            song = FakeSong("Unseen", "The Weeknd", 9_000, 90_000, album="Now 105", tags=("pop",))
            releases = looking_up(shops)
            artwork = Artwork(releases, downloads=False)
            async with (
                FakeLastFm([song], ARTISTS) as fake,
                running_chain(fake.url, releases=releases, artwork=artwork) as chain,
            ):
                reply = await chain.ask("Unseen - The Weeknd")
                assert reply.code is ResultCode.PREDICTED
                assert reply.prediction is not None
                assert chain.pictures[0] is not None
                assert chain.took_s[0] <= RELEASE_WAIT_S + 0.3
                assert reply.prediction.song.album in (None, "An Album")

                await asyncio.sleep(5)
                again = await chain.ask("Unseen - The Weeknd")
                assert again.prediction is not None
                known = broken in (ITUNES, DEEZER)
                assert again.prediction.song.released == (date(2019, 11, 29) if known else None)
                assert chain.took_s[1] <= RELEASE_WAIT_S + 0.3
            assert shops.hits["private"] == 0

    run_warped(main())


def test_a_card_is_really_drawn_without_its_cover() -> None:
    async def main() -> None:
        async with FakeLastFm(SONGS, ARTISTS) as fake, running_chain(fake.url, renderer=CardRenderer()) as chain:
            reply = await chain.ask(HIT)
        assert chain.pictures[0] is not None
        assert chain.pictures[0].data.startswith(b"\x89PNG")
        assert messages.SHAPES[reply.prediction.assessment.verdict] in reply.text  # type: ignore[union-attr]

    run_warped(main())
