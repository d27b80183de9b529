"""What strangers may do with connections, over sockets: a small application stands in for the model's."""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from pipelines.serve.door import Connection, Limits
from pipelines.serve.server import Listening, opened

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class _Bench:
    """A server that is open, and what it counted."""

    port: int
    seen: list[tuple[str, int]] = field(default_factory=list)

    async def connect(self, given: bytes = b"") -> Pair:
        """A new connection on which something was said."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(given)
        await writer.drain()
        return reader, writer

    async def ask(self, given: bytes) -> tuple[int, Any]:
        """The status and the JSON of the answer to some bytes; 0 where the connection ended without one."""
        reader, writer = await self.connect(given)
        return await _answer(reader, writer)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[int, Any]:
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
        length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-length" in line)
        return int(head.split()[1]), json.loads(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return 0, None
    finally:
        writer.close()


@web.middleware
async def _begun(request: web.Request, handler: Any) -> web.StreamResponse:
    assert isinstance(request.protocol, Connection)
    request.protocol.begun()
    return await handler(request)


async def _root(request: web.Request) -> web.Response:
    await asyncio.sleep(float(request.query.get("seconds", 0)))
    return web.json_response({"text": "x" * int(request.query.get("size", 1))})


async def _fails(_: web.Request) -> web.Response:
    raise KeyError("secret")


def _with(limits: Limits, test: Callable[[_Bench], Awaitable[None]]) -> None:
    async def run() -> None:
        app = web.Application(middlewares=[_begun])
        app.router.add_get("/", _root)
        app.router.add_get("/fails", _fails)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        bench = _Bench(0)
        listening = Listening("127.0.0.1", 0, (), limits)
        async with opened(runner, listening, lambda path, status: bench.seen.append((path, status))) as url:
            bench.port = int(url.rpartition(":")[2])
            await test(bench)
        await runner.cleanup()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01\x00\xa5\x01\x00\x00", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 9000 + b"\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + b"X: x\r\n" * 100 + b"\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: nothing\r\n\r\n", 417),
        (b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n", 404),
        (b"PUT / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        (b"GET /fails HTTP/1.1\r\nHost: a\r\n\r\n", 500),
    ],
)
def test_every_error_is_json(given: bytes, status: int) -> None:
    async def test(bench: _Bench) -> None:
        found, told = await bench.ask(given)
        assert found == status and list(told) == ["error"] and told["error"] and "secret" not in told["error"]
        assert [code for _, code in bench.seen] == [status]
        assert await bench.ask(GET) == (200, {"text": "x"})

    _with(Limits(), test)


def test_a_head_that_does_not_come_is_answered_and_the_connection_closed() -> None:
    async def test(bench: _Bench) -> None:
        reader, writer = await bench.connect(b"GET / HTTP/1.1\r\nX: ")

        async def trickle() -> None:
            with contextlib.suppress(ConnectionError):
                while True:  # its bytes keep coming, which must not set the clock back
                    writer.write(b"x")
                    await writer.drain()
                    await asyncio.sleep(0.05)

        slow = asyncio.create_task(trickle())
        assert (await _answer(reader, writer))[0] == 408
        slow.cancel()
        assert (await bench.ask(b""))[0] == 408, "nor one that never says a word"

    _with(Limits(seconds=0.5), test)


def test_slow_connections_leave_room_for_others() -> None:
    async def test(bench: _Bench) -> None:
        slow = [await bench.connect(GET[:10]) for _ in range(200)]
        assert await bench.ask(GET) == (200, {"text": "x"})
        await asyncio.sleep(0.2)
        # Those that lost their place read the end.
        assert sum(reader.at_eof() for reader, _ in slow) >= 200 - 20
        for _, writer in slow:
            writer.close()

    _with(Limits(connections=20), test)


def test_where_all_are_busy_a_new_connection_is_refused() -> None:
    async def test(bench: _Bench) -> None:
        busy = [asyncio.create_task(bench.ask(b"GET /?seconds=1 HTTP/1.1\r\nHost: a\r\n\r\n")) for _ in range(3)]
        await asyncio.sleep(0.3)
        assert (await bench.ask(GET))[0] in (0, 503)
        assert [status for status, _ in await asyncio.gather(*busy)] == [200] * 3
        assert await bench.ask(GET) == (200, {"text": "x"})

    _with(Limits(connections=3), test)


def test_who_does_not_take_the_answer_is_cut_off() -> None:
    async def test(bench: _Bench) -> None:
        asked = b"GET /?size=50000000 HTTP/1.1\r\nHost: a\r\n\r\n"
        reader, writer = await bench.connect(asked)
        await reader.readuntil(b"\r\n\r\n")  # the answer has begun, however long it took to make
        await asyncio.sleep(1.5)
        assert len(await reader.read()) < 40_000_000
        writer.close()

    _with(Limits(seconds=0.5), test)


def test_more_connections_are_wanted_than_files_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (300, 300))
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)

    async def test(bench: _Bench) -> None:
        slow = [await bench.connect() for _ in range(60)]
        assert await bench.ask(GET) == (200, {"text": "x"})
        for _, writer in slow:
            writer.close()

    _with(Limits(connections=1000), test)
