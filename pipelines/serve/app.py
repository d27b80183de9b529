"""The HTTP server."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from pipelines.serve.batcher import Batcher, Full
from pipelines.serve.figures import Figures
from pipelines.serve.model import Loaded, newest
from pipelines.serve.schema import MAX_BYTES, PredictRequest, openapi
from pipelines.versions import Versions
from textmill.errors import TextmillError

_BODY_SECONDS = 10.0
_BATCH, _WAITING = 64, 4096
_KNOWN = ("/predict", "/healthz", "/metrics", "/openapi.json")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Service:
    """Answers requests for the current version of one model, and follows `current`."""

    def __init__(self, versions: Versions, model: Loaded, threads: int) -> None:
        self.versions, self.threads, self.figures = versions, threads, Figures()
        self.batcher = Batcher(model, _BATCH, _WAITING, self.figures.texts.observe)
        self.figures.version.set(model.version.number)
        self._seen: dict[str, Any] = {}

    def app(self, watch_seconds: float) -> web.Application:
        """The application; it looks for a new `current` every `watch_seconds`."""
        app = web.Application(client_max_size=MAX_BYTES, middlewares=[self._counted])
        app.router.add_post("/predict", self._predict)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/openapi.json", self._openapi)

        async def running(_: web.Application) -> Any:
            self.batcher.start()
            watcher = asyncio.create_task(self._watch(watch_seconds))
            yield
            watcher.cancel()
            await self.batcher.stop()

        app.cleanup_ctx.append(running)
        return app

    @web.middleware
    async def _counted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Count every answer, and say every error in JSON."""
        try:
            response = await handler(request)
        except web.HTTPException as error:
            keep = {name: value for name, value in error.headers.items() if name == "Allow"}
            response = web.json_response({"error": error.text or error.reason}, status=error.status, headers=keep)
        path = request.path if request.path in _KNOWN else "other"
        self.figures.requests.labels(path, str(response.status)).inc()
        return response

    async def _predict(self, request: web.Request) -> web.Response:
        started = time.perf_counter()
        with self.figures.open.track_inprogress():
            texts = (await _body(request)).texts
            try:
                version, found = await self.batcher.predict(texts)
            except Full:
                raise web.HTTPTooManyRequests(text="too much is waiting: try again") from None
        self.figures.seconds.observe(time.perf_counter() - started)
        predictions = [asdict(prediction) for prediction in found]
        return web.json_response({"model": self.versions.name, "version": version, "predictions": predictions})

    async def _healthz(self, _: web.Request) -> web.Response:
        version = self.batcher.model.version
        told = {"status": "ok", "model": version.name, "version": version.number, "run": version.manifest["run"]}
        return web.json_response(told)

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self.figures.text(), headers={"Content-Type": "text/plain; version=0.0.4"})

    async def _openapi(self, _: web.Request) -> web.Response:
        return web.json_response(openapi())

    async def _watch(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await self._follow()
            except (TextmillError, OSError, ValueError) as error:
                self.figures.swaps.labels("failed").inc()
                print(f"version {self.batcher.model.version.number} goes on answering: {error}", file=sys.stderr)

    async def _follow(self) -> None:
        """Load what is current where it is another version, beside the one that answers; a bad one is tried once."""
        pointer = await asyncio.to_thread(self.versions.pointer)
        if pointer == self._seen:
            return
        self._seen = pointer
        if pointer.get("version") == self.batcher.model.version.number:
            return
        model = await asyncio.to_thread(newest, self.versions, self.threads)
        await self.batcher.swap(model)
        self.figures.version.set(model.version.number)
        self.figures.swaps.labels("done").inc()


async def _body(request: web.Request) -> PredictRequest:
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="send application/json")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise web.HTTPUnsupportedMediaType(text="send the body as it is, without Content-Encoding")
    with _refusing():
        async with asyncio.timeout(_BODY_SECONDS):
            content = await request.read()
        return PredictRequest.model_validate_json(content, strict=True)


@contextmanager
def _refusing() -> Iterator[None]:
    """What may be wrong with a body, as the answer that names it."""
    try:
        yield
    except TimeoutError:
        raise web.HTTPRequestTimeout(text=f"the body did not come within {_BODY_SECONDS:.0f} s") from None
    except web.RequestPayloadError as error:
        raise web.HTTPBadRequest(text=str(error)) from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(key) for key in first["loc"])
        if first["type"] == "json_invalid":
            raise web.HTTPBadRequest(text=first["msg"]) from None
        raise web.HTTPUnprocessableEntity(text=f"{where}: {first['msg']}".removeprefix(": ")) from None
