"""Runs the server until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from aiohttp import web

from pipelines.serve.app import Service
from pipelines.serve.door import Door, Limits, Seen
from pipelines.serve.guard import Guard
from pipelines.serve.model import Loaded
from pipelines.versions import Versions
from textmill.errors import EnvironmentProblem

_LAST_SECONDS = 30.0


@dataclass(frozen=True)
class Listening:
    """Where a server listens, and to whom."""

    host: str
    port: int
    """0 takes a free one."""
    allowed: tuple[str, ...] = ()
    """Names it may be called by, beside its address and localhost."""
    limits: Limits = field(default_factory=Limits)


def serve(
    versions: Versions, listening: Listening, load: Callable[[], Loaded], watch_seconds: float,
    say: Callable[[str], None],
) -> None:  # fmt: skip
    """Serve the current version until SIGTERM or SIGINT, then answer what has come and end.

    `load` gives the current version, ready; `say` is told the address. Swaps and what goes wrong are logged on stderr.
    Raises TextmillError where there is no version, and EnvironmentProblem where the address can't be used.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    logging.getLogger("textmill.serve").setLevel(logging.INFO)
    guard = Guard([listening.host, *listening.allowed])
    service = Service(versions, load, guard, listening.limits.seconds)
    asyncio.run(_serve(service, listening, watch_seconds, say))


async def _serve(service: Service, listening: Listening, watch_seconds: float, say: Callable[[str], None]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.AppRunner(service.app(watch_seconds), shutdown_timeout=_LAST_SECONDS)
    await runner.setup()
    try:
        async with opened(runner, listening, service.seen) as address:
            version = service.batcher.model.version
            say(f"serving {version.name} version {version.number} on {address}")
            await stop.wait()
            say("stopping")
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def opened(runner: web.AppRunner, listening: Listening, seen: Seen) -> AsyncIterator[str]:
    """Listen for a runner that is set up; its URL. What has been accepted stays open afterwards.

    Raises EnvironmentProblem where the address can't be used.
    """
    assert runner.server is not None
    # A few bytes may unpack to gigabytes: bodies are taken as they come.
    door, loop = Door(runner.server, listening.limits, seen), asyncio.get_running_loop()
    try:
        server = await loop.create_server(door, listening.host, listening.port)
    except OSError as error:
        raise EnvironmentProblem(f"{listening.host}:{listening.port}: {error.strerror or error}") from error
    try:
        host, port = server.sockets[0].getsockname()[:2]
        yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    finally:
        server.close()
