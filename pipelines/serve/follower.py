"""Follows `current`: loads another version beside the one that answers, and keeps its analysis process alive."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipelines.serve.batcher import Batcher
from pipelines.serve.figures import Figures
from pipelines.serve.model import Loaded
from pipelines.versions import CURRENT, Versions
from textmill import places
from textmill.errors import TextmillError

_AGAIN_SECONDS = 60.0
"""What failed is tried again when its files change, and after this time: the cause may lie outside of them."""
_log = logging.getLogger("textmill.serve")


@dataclass
class Follower:
    """Looks for another current version again and again. Nothing it finds there ends it or the version that answers."""

    versions: Versions
    batcher: Batcher
    load: Callable[[], Loaded]
    """The current version, ready; called in a thread."""
    figures: Figures
    problem: str | None = None
    """Why what is current can't be served; None where it is served."""
    _seen: tuple[Any, Any] = (None, None)
    """current.json, and the files of the version it names, when they were last followed."""
    _failed: float = 0.0

    async def run(self, seconds: float) -> None:
        """Look every `seconds` until cancelled."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await self.look()
            except Exception:  # a fault of this program: the next look may go well
                _log.exception("looking for a new version failed")

    async def look(self) -> None:
        """Revive the analysis process where it has ended, and serve what is current."""
        await self._revive()
        pointer = await asyncio.to_thread(self._pointer)
        if self.problem is None and pointer == self._seen[0]:
            return
        seen = pointer, await asyncio.to_thread(self._files)  # before they are read: a change meanwhile is another
        if self.problem is not None and seen == self._seen and time.monotonic() - self._failed < _AGAIN_SECONDS:
            return
        self._seen = seen
        try:
            await self._follow()
        except Exception as error:
            self._fails(error)
        else:
            self.problem = None
            self.figures.bad.clear()

    async def _revive(self) -> None:
        before = self.batcher.model.problem
        try:
            await self.batcher.revive()
        except Exception as error:  # the model keeps it as its problem
            if before is None:
                _log.error("version %d does not answer: %s", self.batcher.model.version.number, _said(error))
        else:
            if before is not None:
                _log.info("version %d answers again", self.batcher.model.version.number)
        self.figures.up.set(self.batcher.model.problem is None)
        self.figures.restarts.set(self.batcher.model.restarts)

    async def _follow(self) -> None:
        pointer = await asyncio.to_thread(self.versions.pointer)
        if pointer.get("version") == self.batcher.model.version.number:
            return
        before, model = self.batcher.model.version.number, await asyncio.to_thread(self.load)
        await self.batcher.swap(model)
        self.figures.version.set(model.version.number)
        self.figures.swaps.labels("done").inc()
        _log.info("version %d answers, before it version %d", model.version.number, before)

    def _fails(self, error: Exception) -> None:
        name = str(self._named() or CURRENT)
        self.problem = f"{self.versions.name}: {name if name == CURRENT else f'version {name}'}: {_said(error)}"
        self._failed = time.monotonic()
        self.figures.bad.clear()
        self.figures.bad.labels(name).set(1)
        self.figures.swaps.labels("failed").inc()
        _log.error("version %d goes on answering. %s", self.batcher.model.version.number, self.problem)

    def _named(self) -> int | None:
        """The number in current.json, whatever else is wrong with it."""
        try:
            number = self.versions.pointer()["version"]
        except Exception:
            return None
        return number if isinstance(number, int) else None

    def _pointer(self) -> bytes | str:
        try:
            return (self.versions.folder / CURRENT).read_bytes()
        except Exception as error:
            return repr(error)

    def _files(self) -> Any:
        """What is said of the files of the version that is current."""
        try:
            return places.files(self.versions.folder / str(self._named()))
        except Exception as error:
            return repr(error)


def _said(error: Exception) -> str:
    """An error that was not raised on purpose needs its class to be understood."""
    return str(error) if isinstance(error, TextmillError) else f"{type(error).__name__}: {places.brief(error)}"
