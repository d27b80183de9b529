"""The HTTP server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from pipelines.serve.batcher import Batcher, Full
from pipelines.serve.door import Connection
from pipelines.serve.figures import Figures
from pipelines.serve.follower import Follower
from pipelines.serve.guard import Guard
from pipelines.serve.model import Loaded
from pipelines.serve.schema import MAX_BYTES, PredictRequest, openapi
from pipelines.versions import Versions
from textmill.errors import TextmillError

_BATCH, _WAITING = 64, 4096
_KNOWN = ("/predict", "/healthz", "/metrics", "/openapi.json")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Service:
    """Answers requests for the current version of one model, and follows `current` by what `load` gives.

    `guard` says who may ask; a body may take `seconds` to come.
    """

    def __init__(self, versions: Versions, load: Callable[[], Loaded], guard: Guard, seconds: float) -> None:
        self.versions, self.figures, model = versions, Figures(), load()
        self.batcher = Batcher(model, _BATCH, _WAITING, self.figures.texts.observe)
        self.follower = Follower(versions, self.batcher, load, self.figures)
        self.figures.version.set(model.version.number)
        self.figures.up.set(1)
        self._guard, self._seconds = guard, seconds

    def app(self, watch_seconds: float) -> web.Application:
        """The application; it looks for a new `current` every `watch_seconds`."""
        app = web.Application(client_max_size=MAX_BYTES, middlewares=[self._admitted])
        app.router.add_post("/predict", self._predict)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/openapi.json", self._openapi)

        async def running(_: web.Application) -> Any:
            self.batcher.start()
            watcher = asyncio.create_task(self.follower.run(watch_seconds))
            yield
            watcher.cancel()
            await self.batcher.stop()

        app.cleanup_ctx.append(running)
        return app

    def seen(self, path: str, status: int) -> None:
        """Count an answer."""
        self.figures.requests.labels(path if path in _KNOWN else "other", str(status)).inc()

    @web.middleware
    async def _admitted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if isinstance(request.protocol, Connection):
            request.protocol.begun()
        self._guard.check(request)
        return await handler(request)

    async def _predict(self, request: web.Request) -> web.Response:
        started = time.perf_counter()
        with self.figures.open.track_inprogress():
            texts = (await _body(request, self._seconds)).texts
            try:
                version, found = await self.batcher.predict(texts)
            except Full:
                raise web.HTTPTooManyRequests(text="too much is waiting: try again") from None
            except TextmillError as error:
                raise web.HTTPServiceUnavailable(text=str(error)) from None
        self.figures.seconds.observe(time.perf_counter() - started)
        predictions = [asdict(prediction) for prediction in found]
        return web.json_response({"model": self.versions.name, "version": version, "predictions": predictions})

    async def _healthz(self, _: web.Request) -> web.Response:
        """ok; behind, where what is current can't be served; down (503), where no text can be answered."""
        model = self.batcher.model
        problems = [problem for problem in (model.problem, self.follower.problem) if problem is not None]
        state = "down" if model.problem is not None else "behind" if problems else "ok"
        told = {
            "status": state,
            "model": model.version.name,
            "version": model.version.number,
            "run": model.version.manifest["run"],
            "problems": problems,
        }
        return web.json_response(told, status=503 if state == "down" else 200)

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self.figures.text(), headers={"Content-Type": "text/plain; version=0.0.4"})

    async def _openapi(self, _: web.Request) -> web.Response:
        return web.json_response(openapi())


async def _body(request: web.Request, seconds: float) -> PredictRequest:
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="send application/json")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise web.HTTPUnsupportedMediaType(text="send the body as it is, without Content-Encoding")
    with _refusing(seconds):
        async with asyncio.timeout(seconds):
            content = await request.read()
        return PredictRequest.model_validate_json(content, strict=True)


@contextmanager
def _refusing(seconds: float) -> Iterator[None]:
    """What may be wrong with a body, as the answer that names it."""
    try:
        yield
    except TimeoutError:
        raise web.HTTPRequestTimeout(text=f"the body did not come within {seconds:g} s") from None
    except web.RequestPayloadError as error:
        raise web.HTTPBadRequest(text=str(error)) from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(key) for key in first["loc"])
        if first["type"] == "json_invalid":
            raise web.HTTPBadRequest(text=first["msg"]) from None
        raise web.HTTPUnprocessableEntity(text=f"{where}: {first['msg']}".removeprefix(": ")) from None
