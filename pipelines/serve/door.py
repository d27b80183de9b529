"""The connections of a server: how many there may be, how long a request may take to come, and errors in JSON."""

from __future__ import annotations

import asyncio
import json
import logging
import resource
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import web

_IDLE_SECONDS = 75.0
_LINGER_SECONDS = 2.0
_HEADERS = 64
_OTHER_FILES = 256
"""Of the limit of open files, left to everything but connections."""
_log = logging.getLogger("textmill.serve")
Seen = Callable[[str, int], None]


@dataclass(frozen=True)
class Limits:
    """What a server takes from strangers."""

    connections: int = 512
    """At once. Of those that have asked nothing yet, the one that waits longest makes room for a new one."""
    seconds: float = 10.0
    """For a request's head to come, for its body to come, and for its answer to be taken."""


class Door:
    """Makes the connections of one server, and knows those that are open; `seen` is told path and status of answers."""

    def __init__(self, server: web.Server, limits: Limits, seen: Seen, **options: Any) -> None:
        self.server, self.limits, self.seen = server, limits, seen
        self._options = {
            "access_log": None, "auto_decompress": False, "keepalive_timeout": _IDLE_SECONDS, "max_headers": _HEADERS,
            "lingering_time": _LINGER_SECONDS, **options,
        }  # fmt: skip
        self._most = min(limits.connections, _files(limits.connections))
        self._open: dict[Connection, None] = {}

    def __call__(self) -> Connection:
        """A connection to be; what `create_server` of an event loop calls."""
        return Connection(self, loop=asyncio.get_running_loop(), **self._options)

    def admit(self, connection: Connection) -> bool:
        """Whether there is room for it; the one that has been silent longest may lose its place."""
        if len(self._open) >= self._most:
            silent = next((other for other in self._open if not other.busy), None)
            if silent is None:
                return False
            self.leave(silent)
            silent.force_close()
        self._open[connection] = None
        return True

    def leave(self, connection: Connection) -> None:
        """It is gone."""
        self._open.pop(connection, None)

    def rests(self, connection: Connection) -> None:
        """It has its answer: its wait begins anew."""
        if connection in self._open:
            self._open[connection] = self._open.pop(connection)


class Connection(web.RequestHandler):
    """One connection, which ends where a head does not come in time."""

    def __init__(self, door: Door, **options: Any) -> None:
        super().__init__(door.server, **options)
        self._door, self._timer = door, None
        self.busy = False
        """Whether a whole head has come whose answer has not gone."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take it where there is room."""
        super().connection_made(transport)
        if self._door.admit(self):
            self._expect()
        else:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections: try again")

    def connection_lost(self, error: BaseException | None) -> None:
        """Make room for another."""
        self._known()
        self._door.leave(self)
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        """The first bytes of a head set its clock."""
        if not self.busy and self._timer is None:
            self._expect()
        super().data_received(data)

    def begun(self) -> None:
        """A whole head has come."""
        self._known()
        self.busy = True

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """The answer to what is no HTTP, and to what this program did not expect."""
        self.begun()
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.error("%s %s failed", request.method, request.path, exc_info=exc)
            message = "the server failed: its log says why"
        response = _error(status, " ".join((message or HTTPStatus(status).phrase).split()))
        response.force_close()
        return response

    async def finish_response(self, request: web.BaseRequest, resp: Any, start_time: float | None) -> Any:
        """Send an answer, an error as JSON; who does not take it in time is cut off."""
        resp = _in_json(resp)
        self._door.seen(request.path, resp.status)
        try:
            async with asyncio.timeout(self._door.limits.seconds):
                return await super().finish_response(request, resp, start_time)
        except TimeoutError:
            if self.transport is not None:
                self.transport.abort()
            return resp, True
        finally:
            self.busy = False
            self._door.rests(self)

    def _expect(self) -> None:
        self._timer = self._loop.call_later(self._door.limits.seconds, self._late)

    def _known(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._refuse(
            HTTPStatus.REQUEST_TIMEOUT, f"the request's head did not come within {self._door.limits.seconds:g} s"
        )

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        """An answer to what is no request (yet), then the end."""
        body = json.dumps({"error": why}).encode()
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json; charset=utf-8\r\n"
        if self.transport is not None:
            self.transport.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        self._door.seen("", status.value)
        self.force_close()


def _in_json(response: Any) -> Any:
    """Every error in the same form, whoever made it."""
    plain = isinstance(response, web.Response) and response.content_type != "application/json"
    if not plain or response.status < HTTPStatus.BAD_REQUEST:
        return response
    told = _error(response.status, response.text or str(response.reason))
    if "Allow" in response.headers:
        told.headers["Allow"] = response.headers["Allow"]
    if response.keep_alive is False:
        told.force_close()
    return told


def _error(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)


def _files(wanted: int) -> int:
    """Connections that this process may have open: as many as are wanted, where its limit of files can be raised."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted + _OTHER_FILES:
        soft = wanted + _OTHER_FILES if hard == resource.RLIM_INFINITY else min(hard, wanted + _OTHER_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else max(1, soft - _OTHER_FILES)
