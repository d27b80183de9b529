"""Runs the server until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from aiohttp import web

from pipelines.serve.app import Service
from pipelines.serve.model import newest
from pipelines.versions import Versions
from textmill.errors import EnvironmentProblem

_LAST_SECONDS = 30.0


def serve(
    versions: Versions, host: str, port: int, threads: int, watch_seconds: float, say: Callable[[str], None]
) -> None:
    """Serve the current version until SIGTERM or SIGINT, then answer what has come and end.

    Port 0 takes a free one; `say` is told the address. Raises TextmillError where there is no version, and
    EnvironmentProblem where the address can't be used.
    """
    service = Service(versions, newest(versions, threads), threads)
    asyncio.run(_serve(service, host, port, watch_seconds, say))


async def _serve(service: Service, host: str, port: int, watch_seconds: float, say: Callable[[str], None]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    # A few bytes may unpack to gigabytes: bodies are taken as they come.
    options = {"access_log": None, "shutdown_timeout": _LAST_SECONDS, "auto_decompress": False}
    runner = web.AppRunner(service.app(watch_seconds), **options)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise EnvironmentProblem(f"{host}:{port}: {error.strerror or error}") from error
        address = runner.addresses[0]
        version = service.batcher.model.version
        say(f"serving {version.name} version {version.number} on http://{address[0]}:{address[1]}")
        await stop.wait()
        say("stopping")
    finally:
        await runner.cleanup()
