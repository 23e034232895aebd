import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest
from aiohttp import web

from bot.listener import SHUTDOWN_S, ListenerLimits, listening

pytestmark = pytest.mark.warped_time

HALF = b"GET / HTTP/1.1\r\nHost: x\r\n"
HALF_BODY = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf"


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


@asynccontextmanager
async def serving(handler: Callable[[web.Request], object] = echo, **limits: float) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_route("*", "/", handler)  # type: ignore[arg-type]
    async with listening(app, "127.0.0.1", 0, setting="TEST", limits=ListenerLimits(**limits)) as port:  # type: ignore[arg-type]
        yield port


async def answer_of(port: int, body: bytes = b"hello") -> str:
    async with aiohttp.ClientSession() as session, session.post(f"http://127.0.0.1:{port}/", data=body) as response:
        return await response.text()


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[..., Awaitable[Connection]]


@pytest.fixture
async def connected() -> AsyncIterator[Connect]:
    """Connect and say something; all connections are closed in the end."""
    writers: list[asyncio.StreamWriter] = []

    async def connect(port: int, said: bytes = b"", host: str = "127.0.0.1") -> Connection:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(host, 0))
        writers.append(writer)
        writer.write(said)
        return reader, writer

    yield connect
    for writer in writers:
        writer.transport.abort()
    await asyncio.sleep(0.01)  # the loop's turn to close the sockets


async def ended(reader: asyncio.StreamReader) -> bytes:
    """Read until the other side ends the connection, however it does."""
    said = b""
    try:
        async with asyncio.timeout(5):
            while chunk := await reader.read(1_000):
                said += chunk
    except ConnectionError:
        pass
    return said


@pytest.mark.parametrize(
    "said", [b"", HALF, HALF_BODY, b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"]
)
async def test_who_does_not_finish_speaking_is_hung_up_on(
    said: bytes, connected: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(header_s=0.1, body_s=0.1) as port:
        reader, _ = await connected(port, said)
        assert await ended(reader) == b""
        assert await answer_of(port) == "hello"
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_connection_kept_open_after_an_answer_ends_in_time(connected: Connect) -> None:
    async with serving(header_s=60, reply_s=0.1) as port:
        reader, _ = await connected(port, HALF + b"\r\n")
        assert (await ended(reader)).startswith(b"HTTP/1.1 200")


async def test_a_stop_waits_no_longer_than_it_says_for_an_answer_that_does_not_end(connected: Connect) -> None:
    started, released = asyncio.Event(), asyncio.Event()

    async def stubborn(_: web.Request) -> web.Response:
        started.set()
        while not released.is_set():
            with suppress(asyncio.CancelledError):
                await released.wait()
        return web.Response()

    now = asyncio.get_running_loop().time
    async with serving(stubborn) as port:
        await connected(port, HALF + b"\r\n")
        await started.wait()
        begun = now()
    assert SHUTDOWN_S / 2 <= now() - begun <= SHUTDOWN_S + 0.5
    released.set()
    await asyncio.sleep(0.1)  # the handler's last turns


async def test_an_answer_may_take_longer_than_a_question() -> None:
    async def slow(request: web.Request) -> web.Response:
        body = await request.read()
        await asyncio.sleep(0.5)
        return web.Response(body=body)

    async with serving(slow, header_s=0.1, body_s=0.1) as port:
        assert await answer_of(port) == "hello"


@pytest.mark.parametrize("said", [b"", HALF, HALF_BODY])
async def test_many_that_say_nothing_keep_nobody_out_and_are_one_line(
    said: bytes, connected: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(connections=8) as port:
        for _ in range(60):
            await connected(port, said)
        assert await answer_of(port) == "hello"
        assert caplog.text.count("event=listener_crowded listener=test connections=8") == 1
        assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1


async def test_the_address_with_most_connections_gives_way(connected: Connect) -> None:
    async with serving(connections=4) as port:
        # The whole of 127.0.0.0/8 is this machine: another address is another neighbour.
        ours, ours_out = await connected(port, host="127.0.0.9")
        for _ in range(20):
            await connected(port, HALF)
        ours_out.write(HALF + b"\r\n")
        async with asyncio.timeout(5):
            assert await ours.readline() == b"HTTP/1.1 200 OK\r\n"


async def test_while_all_are_being_answered_another_is_refused_and_none_of_them_lost(connected: Connect) -> None:
    go = asyncio.Event()

    async def waiting(request: web.Request) -> web.Response:
        body = await request.read()
        await go.wait()
        return web.Response(body=body)

    async with serving(waiting, connections=2) as port:
        first = [asyncio.create_task(answer_of(port, b"%d" % n)) for n in range(2)]
        await asyncio.sleep(0.2)
        reader, _ = await connected(port, HALF + b"\r\n")
        assert await ended(reader) == b""
        go.set()
        assert await asyncio.gather(*first) == ["0", "1"]


@pytest.mark.parametrize(
    "said",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 9_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Encoding: gzip\r\n\r\nhello",
    ],
)
async def test_what_is_no_http_is_refused_without_a_traceback(
    said: bytes, connected: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving() as port:
        reader, _ = await connected(port, said)
        assert b" 400 Bad Request" in (await ended(reader)).partition(b"\r\n")[0]
        assert await answer_of(port) == "hello"
    assert caplog.records == []


async def test_a_body_torn_off_is_no_traceback(connected: Connect, caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as port:
        _, writer = await connected(port, HALF_BODY)
        await asyncio.sleep(0.1)
        writer.transport.abort()
        await asyncio.sleep(0.1)
        assert await answer_of(port) == "hello"
    assert not [record for record in caplog.records if record.exc_info or record.levelno >= logging.WARNING]


async def test_a_fault_of_ours_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(_: web.Request) -> web.Response:
        raise LookupError("ours")

    async with serving(broken) as port:
        assert "500" in await answer_of(port)
    (record,) = [record for record in caplog.records if record.exc_info]
    assert "LookupError" in str(record.exc_info)
