"""Requests that come together are predicted together, by one thread, with the version that is current then."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pipelines.serve.model import Loaded, Prediction

Answer = tuple[int, list[Prediction]]
"""The version's number, and the prediction of each text."""


class Full(Exception):
    """So much is waiting that a new request would wait too long."""


@dataclass(frozen=True)
class _Waiting:
    texts: list[str]
    answer: asyncio.Future[Answer]


class Batcher:
    """Takes requests from an event loop. Nothing waits for a batch to fill: while one is predicted, the next gathers."""

    def __init__(self, model: Loaded, batch: int, waiting: int, seen: Callable[[int], None]) -> None:
        self.model, self._batch, self._most, self._seen = model, batch, waiting, seen
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._texts = 0
        self._thread = ThreadPoolExecutor(1, "predict")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to answer; called inside the event loop."""
        self._task = asyncio.create_task(self._run())

    async def predict(self, texts: list[str]) -> Answer:
        """The predictions for a request; raises Full."""
        if self._texts and self._texts + len(texts) > self._most:
            raise Full
        waiting = _Waiting(texts, asyncio.get_running_loop().create_future())
        self._texts += len(texts)
        self._queue.put_nowait(waiting)
        return await waiting.answer

    async def swap(self, model: Loaded) -> None:
        """Use another version from the next batch on; the one before is closed after its last batch."""
        before, self.model = self.model, model
        await asyncio.get_running_loop().run_in_executor(self._thread, before.close)

    async def revive(self) -> None:
        """Start the model's analysis process where that has ended; raises what kept it from starting."""
        await asyncio.get_running_loop().run_in_executor(self._thread, lambda: self.model.revive())

    async def stop(self) -> None:
        """Free the thread and the model; requests that wait are not answered any more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await asyncio.get_running_loop().run_in_executor(self._thread, self.model.close)
        self._thread.shutdown()

    async def _run(self) -> None:
        while True:
            await self._answer(await self._gather())

    async def _gather(self) -> list[_Waiting]:
        first = await self._queue.get()
        gathered, rows = [first], len(first.texts)
        while rows < self._batch and not self._queue.empty():
            gathered.append(self._queue.get_nowait())
            rows += len(gathered[-1].texts)
        self._texts -= rows
        return gathered

    async def _answer(self, gathered: list[_Waiting]) -> None:
        model, texts = self.model, [text for waiting in gathered for text in waiting.texts]
        self._seen(len(texts))
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._thread, model.predict, texts)
        except Exception as error:
            for waiting in gathered:
                if not waiting.answer.done():
                    waiting.answer.set_exception(error)
            return
        start = 0
        for waiting in gathered:
            if not waiting.answer.done():  # its client may have gone
                waiting.answer.set_result((model.version.number, found[start : start + len(waiting.texts)]))
            start += len(waiting.texts)
