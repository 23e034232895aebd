import asyncio
import logging
import random
import socket
import traceback
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from core.errors import UpstreamError, UpstreamGarbled, UpstreamRefused, UpstreamUnavailable
from core.lookup.lastfm_client import OUTCOMES, USER_AGENT, RetryPolicy, Transport
from core.lookup.service import Breaker, BreakerState, RequestRate
from core.version import VERSION
from tests.fakes.lastfm_server import API_KEY, FakeLastFm, FakeSong, Fault

pytestmark = pytest.mark.warped_time

QUICK = RetryPolicy(wait_initial_s=0.001, wait_max_s=0.002, jitter_s=0.001, attempt_s=0.25, connect_s=0.25)
AMPLE = RequestRate(burst=10_000, per_window=20_000)
SONG = FakeSong("Harbour Lights", "The Keels", 120_345, 980_001)
PARAMS = {"track": SONG.title, "artist": SONG.artist}


@pytest.fixture
async def fake() -> AsyncIterator[FakeLastFm]:
    async with FakeLastFm([SONG], key=API_KEY) as server:
        yield server


async def ask(transport: Transport, method: str = "track.getInfo", budget_s: float = 1.0) -> Any:
    return await transport.call(method, PARAMS, deadline=asyncio.get_running_loop().time() + budget_s)


def transport_to(url: str, **options: Any) -> Transport:
    return Transport(API_KEY, url, **({"retries": QUICK, "rate": AMPLE} | options))


async def test_an_answer_and_how_it_is_asked_for(fake: FakeLastFm) -> None:
    seen: list[tuple[str, str]] = []
    transport = transport_to(fake.url, on_request=lambda method, outcome, seconds: seen.append((method, outcome)))
    payload = await ask(transport)
    await transport.aclose()
    assert payload["track"]["listeners"] == "120345"
    assert fake.requests == [PARAMS | {"method": "track.getInfo", "format": "json"}]
    assert fake.headers[0]["User-Agent"] == USER_AGENT == f"Hitmeter/{VERSION} (song popularity bot)"
    assert seen == [("track.getInfo", "ok")]


TRANSIENT = {
    "error 8": Fault.error(8),
    "error 11 with 500": Fault.error(11, http_status=500),
    "error 16 with 503": Fault.error(16, http_status=503),
    "error 16 as XML": Fault.xml(16, 503),
    "error 16 as XML with 200": Fault.xml(16, 200),
    "error 29": Fault.error(29),
    "error 29 with 429": Fault.error(29, http_status=429),
    "429 as HTML": Fault.status(429),
    "500 as HTML": Fault.status(500),
    "502": Fault.status(502, "Bad Gateway"),
    "503": Fault.status(503, ""),
    "408": Fault.status(408, ""),
    "time-out": Fault.hang(),
    "dropped": Fault.refuse(),
    "reset": Fault.reset(),
    "drip": Fault.drip(0.05),
}
GARBLED = {
    "garbage": Fault.garbage(),
    "HTML with 200": Fault.status(200),
    "XML with 200": Fault.status(200, "<xml>NOT_VALID_JSON</xml>"),
    "empty": Fault.status(200, ""),
    "truncated gzip": Fault.truncated_gzip(),
    "a list": Fault.status(200, "[]"),
}


@pytest.mark.parametrize("fault", TRANSIENT.values(), ids=TRANSIENT.keys())
async def test_what_passes_is_asked_again(fake: FakeLastFm, fault: Fault) -> None:
    fake.break_next(fault, times=2)
    transport = transport_to(fake.url)
    payload = await ask(transport, budget_s=3.0)
    await transport.aclose()
    assert payload["track"]["name"] == "Harbour Lights"
    assert len(fake.requests) == 3


@pytest.mark.parametrize("fault", TRANSIENT.values(), ids=TRANSIENT.keys())
async def test_what_does_not_pass_ends_at_the_deadline(fake: FakeLastFm, fault: Fault) -> None:
    fake.break_next(fault)
    transport = transport_to(fake.url)
    started = asyncio.get_running_loop().time()
    with pytest.raises(UpstreamUnavailable):
        await ask(transport, budget_s=0.6 if fault.kind in ("hang", "drip") else 0.1)
    assert asyncio.get_running_loop().time() - started < 1.0
    assert len(fake.requests) >= 2
    await transport.aclose()


@pytest.mark.parametrize("fault", GARBLED.values(), ids=GARBLED.keys())
async def test_a_garbled_body_is_asked_again_twice(fake: FakeLastFm, fault: Fault) -> None:
    fake.break_next(fault)
    transport = transport_to(fake.url)
    with pytest.raises(UpstreamGarbled):
        await ask(transport)
    assert len(fake.requests) == 3
    fake.mend()
    assert (await ask(transport))["track"]["name"] == "Harbour Lights"
    await transport.aclose()


@pytest.mark.parametrize(("code", "meaning"), [(10, "invalid key"), (26, "suspended key")])
async def test_a_refused_key_is_named_in_the_log_once_until_it_works(
    fake: FakeLastFm, caplog: pytest.LogCaptureFixture, code: int, meaning: str
) -> None:
    transport = transport_to(fake.url, breaker=Breaker(open_s=0.0, open_max_s=0.0))
    fake.break_next(Fault.error(code, http_status=403))
    for _ in range(3):
        with pytest.raises(UpstreamRefused):
            await ask(transport)
    told = [record.getMessage() for record in caplog.records if "lastfm_key_refused" in record.getMessage()]
    assert told == [
        f"event=lastfm_key_refused setting=LASTFM_API_KEY error=LASTFM_API_KEY is refused: {meaning} (error {code})"
    ]
    fake.mend()
    await ask(transport)
    fake.break_next(Fault.error(code, http_status=403))
    with pytest.raises(UpstreamRefused):
        await ask(transport)
    assert caplog.text.count("event=lastfm_key_refused") == 2
    await transport.aclose()


FINAL = {
    "error 10": (Fault.error(10, http_status=403), UpstreamRefused),
    "error 10 with 500": (Fault.error(10, http_status=500), UpstreamRefused),
    "error 26": (Fault.error(26, http_status=403), UpstreamRefused),
    "error 4": (Fault.error(4), UpstreamRefused),
    "error 17": (Fault.error(17, http_status=403), UpstreamError),
    "error 3": (Fault.error(3, http_status=400), UpstreamError),
    "error without a code": (Fault.status(200, '{"error": {}}'), UpstreamError),
    "404 as HTML": (Fault.status(404), UpstreamGarbled),
    "403 as HTML": (Fault.status(403), UpstreamGarbled),
    "a redirect": (Fault.status(302, "", Location="http://127.0.0.1:9/"), UpstreamGarbled),
    "404 as JSON": (Fault.status(404, '{"detail": "no such page"}'), UpstreamGarbled),
    "a huge body": (Fault.huge(), UpstreamGarbled),
    "a decompression bomb": (Fault.bomb(), UpstreamGarbled),
}


@pytest.mark.parametrize(("fault", "error"), FINAL.values(), ids=FINAL.keys())
async def test_what_would_not_help_is_asked_once(fake: FakeLastFm, fault: Fault, error: type[UpstreamError]) -> None:
    fake.break_next(fault)
    transport = transport_to(fake.url)
    with pytest.raises(error) as raised:
        await ask(transport, budget_s=5.0)
    await transport.aclose()
    assert type(raised.value) is error
    assert len(fake.requests) == 1


@pytest.mark.parametrize("http_status", [200, 400, 404, 500])
async def test_not_found_is_an_answer(fake: FakeLastFm, http_status: int) -> None:
    fake.break_next(Fault.error(6, "Track not found", http_status))
    transport = transport_to(fake.url)
    assert await ask(transport) is None
    await transport.aclose()
    assert len(fake.requests) == 1


async def test_a_wrong_key_is_refused_and_not_pressed(fake: FakeLastFm) -> None:
    now = [0.0]
    breaker = Breaker(clock=lambda: now[0])
    transport = Transport("f" * 32, fake.url, retries=QUICK, breaker=breaker)
    for _ in range(3):
        with pytest.raises(UpstreamRefused):
            await ask(transport)
    assert len(fake.requests) == 1
    now[0] += 60
    with pytest.raises(UpstreamRefused):
        await ask(transport)
    assert len(fake.requests) == 2
    await transport.aclose()


async def test_a_closed_port_an_unknown_host_and_an_impossible_one_are_unavailable() -> None:
    async def no_such_host(*_: object, **__: object) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    asyncio.get_running_loop().getaddrinfo = no_such_host  # type: ignore[method-assign]  # no network is asked
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/2.0/", "http://no-such-host.invalid/2.0/", f"http://{'a' * 70}.test/"):
        transport = transport_to(url)
        with pytest.raises(UpstreamUnavailable):
            await ask(transport, budget_s=0.1)
        await transport.aclose()


async def test_a_server_s_wish_to_wait_is_kept(fake: FakeLastFm) -> None:
    fake.break_next(Fault.status(429, Retry_After="1"), times=1)
    transport = transport_to(fake.url)
    started = asyncio.get_running_loop().time()
    await ask(transport, budget_s=3.0)
    assert asyncio.get_running_loop().time() - started >= 1.0
    fake.break_next(Fault.status(429, Retry_After="60"))
    started = asyncio.get_running_loop().time()
    with pytest.raises(UpstreamUnavailable):  # at once: the wish is beyond the deadline
        await ask(transport, budget_s=3.0)
    assert asyncio.get_running_loop().time() - started < 1.0
    await transport.aclose()


def test_waits_grow_and_jitter() -> None:
    policy = RetryPolicy(wait_initial_s=0.25, wait_max_s=2.0, jitter_s=0.25)
    rng = random.Random(1)
    waits = [[policy.delay_s(n, None, rng) for _ in range(50)] for n in (1, 2, 3, 4, 5)]
    for floor, some in zip((0.25, 0.5, 1.0, 2.0, 2.0), waits, strict=True):
        assert all(floor <= wait <= floor + 0.25 for wait in some)
        assert len(set(some)) > 40


async def test_the_rate_never_exceeds_the_terms_in_any_five_minutes() -> None:
    rate = RequestRate()
    limiter = rate.limiter()
    now = 0.0
    asyncio.get_running_loop().time = lambda: now  # type: ignore[method-assign]  # a clock driven by hand
    sent: list[float] = []
    while now < 1000:
        while limiter.has_capacity():
            await limiter.acquire()
            sent.append(now)
        now += 0.05
    assert sum(t == 0 for t in sent) == rate.burst
    assert max(sum(start <= t < start + 300 for t in sent) for start in sent[::25]) <= 1500
    assert len(sent) / 1000 > 4.5


async def test_requests_wait_for_the_rate(fake: FakeLastFm) -> None:
    transport = transport_to(fake.url, rate=RequestRate(burst=2, window_s=1.0, per_window=12))
    started = asyncio.get_running_loop().time()
    await asyncio.gather(*(ask(transport, budget_s=5.0) for _ in range(6)))
    assert asyncio.get_running_loop().time() - started >= 0.35  # four beyond the burst, ten a second
    await transport.aclose()


async def test_our_own_crowding_is_told_as_such_and_not_held_against_lastfm(fake: FakeLastFm) -> None:
    breaker = Breaker(threshold=1)
    transport = transport_to(fake.url, rate=RequestRate(burst=1, window_s=10.0, per_window=2), breaker=breaker)
    await ask(transport)
    with pytest.raises(UpstreamUnavailable) as raised:
        await ask(transport, budget_s=0.1)
    assert raised.value.user_message.startswith("Many people")
    assert breaker.state is BreakerState.CLOSED
    assert len(fake.requests) == 1
    await transport.aclose()


async def test_the_breaker_spares_a_failing_server_and_finds_it_mended(fake: FakeLastFm) -> None:
    now = [0.0]
    breaker = Breaker(threshold=3, open_s=15.0, clock=lambda: now[0])
    transport = transport_to(fake.url, breaker=breaker)
    fake.break_next(Fault.status(503))
    for _ in range(3):
        with pytest.raises(UpstreamUnavailable):
            await ask(transport, budget_s=0.05)
    asked = len(fake.requests)
    with pytest.raises(UpstreamUnavailable):
        await ask(transport)
    assert len(fake.requests) == asked
    fake.mend()
    now[0] = 15.0
    assert (await ask(transport))["track"]["name"] == "Harbour Lights"
    assert breaker.state is BreakerState.CLOSED
    await transport.aclose()


async def test_a_cancelled_call_gives_its_probe_back(fake: FakeLastFm) -> None:
    now = [0.0]
    breaker = Breaker(threshold=1, open_s=1.0, probes=1, clock=lambda: now[0])
    transport = transport_to(fake.url, breaker=breaker)
    fake.break_next(Fault.status(503))
    with pytest.raises(UpstreamUnavailable):
        await ask(transport, budget_s=0.05)
    fake.mend()
    fake.break_next(Fault.hang())
    now[0] = 2.0
    probe = asyncio.create_task(ask(transport))
    await asyncio.sleep(0.05)
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)
    fake.mend()
    assert (await ask(transport))["track"]["name"] == "Harbour Lights"
    await transport.aclose()


async def test_every_outcome_is_told(fake: FakeLastFm) -> None:
    seen: list[str] = []
    transport = transport_to(
        fake.url, on_request=lambda method, outcome, seconds: seen.append(outcome), breaker=Breaker(threshold=99)
    )
    for fault in (
        Fault.error(6), Fault.error(10), Fault.error(29), Fault.hang(), Fault.status(500), Fault.garbage(),
        Fault.error(3), Fault.slow(0.0),
    ):  # fmt: skip
        fake.break_next(fault, times=1)
        with_answer = await asyncio.gather(ask(transport), return_exceptions=True)
        assert len(with_answer) == 1
        if isinstance(with_answer[0], UpstreamRefused):
            transport.breaker.succeed()
    await transport.aclose()
    assert set(seen) == set(OUTCOMES)


LEAKY = [
    Fault.hang(), Fault.refuse(), Fault.reset(), Fault.status(500), Fault.garbage(), Fault.truncated_gzip(),
    Fault.huge(), Fault.error(10), Fault.error(3), Fault.status(302, "", Location="http://127.0.0.1:9/"),
    Fault.status(200, b"HTTP/9.9 junk", Content_Encoding="gzip"),
]  # fmt: skip


@pytest.mark.parametrize("fault", LEAKY, ids=lambda fault: fault.kind)
async def test_the_key_is_in_no_log_and_no_exception(
    fake: FakeLastFm, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fake.break_next(fault)
    transport = transport_to(fake.url)
    with pytest.raises(UpstreamError) as raised:
        await ask(transport, budget_s=0.1)
    await transport.aclose()

    told = [f"{record.getMessage()} {vars(record)}" for record in caplog.records]
    assert any("lastfm_request" in line for line in told)
    error: BaseException | None = raised.value
    assert error is not None
    told += traceback.format_exception(error)
    while error is not None:
        told += [repr(error), str(error), repr(vars(error))]
        assert error.__context__ is None or isinstance(error.__context__, UpstreamError)
        error = error.__context__
    told.append(repr(transport))
    assert not [text for text in told if API_KEY in text]
    assert not [text for text in told if "aiohttp" in text and "client_exceptions" in text]


async def test_a_closed_transport_asks_nothing(fake: FakeLastFm) -> None:
    transport = transport_to(fake.url)
    await transport.aclose()
    with pytest.raises(RuntimeError):
        await ask(transport)


async def test_all_calls_together_press_a_failing_service_little_and_go_on_once_one_is_answered(
    fake: FakeLastFm,
) -> None:
    transport = transport_to(fake.url, retries=replace(QUICK, in_a_row=3))
    fake.break_next(Fault.status(503))
    failed = await asyncio.gather(*(ask(transport) for _ in range(5)), return_exceptions=True)
    assert all(isinstance(error, UpstreamUnavailable) for error in failed)
    assert len(fake.requests) == 5 + 3
    await transport.aclose()
    fake.mend()
    transport = transport_to(fake.url, retries=replace(QUICK, in_a_row=3))
    fake.break_next(Fault.status(503), times=7)
    assert all(await asyncio.gather(*(ask(transport) for _ in range(5)))), "the third retry is answered, and so are all"
    await transport.aclose()


async def test_a_dropped_connection_is_one_request(fake: FakeLastFm) -> None:
    transport = transport_to(fake.url, retries=replace(QUICK, in_a_row=0))
    fake.break_next(Fault.refuse())
    with pytest.raises(UpstreamUnavailable, match="ClientConnectionError"):
        await ask(transport)
    assert len(fake.requests) == 1
    await transport.aclose()
