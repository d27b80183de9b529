"""What the server does about a `current` that can't be served. Small models stand in for loaded ones."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.serve import follower as following
from pipelines.serve.batcher import Batcher
from pipelines.serve.figures import Figures
from pipelines.serve.follower import Follower
from pipelines.versions import Version, Versions
from textmill.errors import TextmillError


class _Model:
    """A version of which nothing is loaded."""

    def __init__(self, version: Version) -> None:
        self.version, self.problem, self.restarts, self.ill = version, None, 0, False

    def revive(self) -> None:
        """Fails while it is ill."""
        self.problem = "no java" if self.ill else None
        if self.ill:
            raise TextmillError("no java")

    def close(self) -> None:
        """Nothing is held."""


class _Bench:
    """A follower of the model m under a root; `load` is its newest version, read as the server reads it."""

    def __init__(self, root: Path) -> None:
        self.versions, self.loads, self.figures = Versions(root, "m"), 0, Figures()
        self.put(1)
        self.batcher: Any = Batcher(self._load(), 64, 64, lambda _: None)  # type: ignore[arg-type]
        self.follower = Follower(self.versions, self.batcher, self._load, self.figures)  # type: ignore[arg-type]

    def put(self, number: int, manifest: Any = None) -> None:
        """A version, and make it current."""
        folder = self.versions.folder / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "manifest.json").write_text(json.dumps({"run": "r", "files": {}} if manifest is None else manifest))
        self.point(json.dumps({"version": number, "history": [number]}))

    def point(self, text: str) -> None:
        """Write current.json."""
        (self.versions.folder / "current.json").write_text(text)

    def _load(self) -> _Model:
        self.loads += 1
        version = self.versions.current()
        if version is None or "run" not in version.manifest:
            raise TextmillError("is damaged")
        return _Model(version)

    def figure(self, name: str, **labels: str) -> float | None:
        """A figure's value."""
        return self.figures._registry.get_sample_value(name, labels)


def _with(root: Path, test: Callable[[_Bench], Awaitable[None]]) -> None:
    async def run() -> None:
        bench = _Bench(root)
        await bench.follower.look()
        assert bench.follower.problem is None and bench.loads == 1
        await test(bench)

    asyncio.run(run())


@pytest.mark.parametrize("content", ["[1]", "", "{", "null", "7", '{"version": "two"}', '{"version": [1]}', "\0", "{}"])
def test_a_broken_pointer_is_named_and_what_follows_it_is_served(tmp_path: Path, content: str) -> None:
    async def test(bench: _Bench) -> None:
        bench.point(content)
        await bench.follower.look()
        await bench.follower.look()
        assert "m: " in str(bench.follower.problem)
        assert bench.figure("textmill_swaps_total", result="failed") == 1, "the same content is tried once"
        assert bench.figure("textmill_bad_version", version="current.json") == 1
        bench.put(2)
        await bench.follower.look()
        assert bench.batcher.model.version.number == 2 and bench.follower.problem is None
        assert bench.figure("textmill_bad_version", version="current.json") is None

    _with(tmp_path, test)


@pytest.mark.parametrize("manifest", [{}, [], "x", None])
def test_a_bad_version_is_tried_again_when_its_files_change(
    tmp_path: Path, manifest: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(bench: _Bench) -> None:
        caplog.set_level(logging.INFO, "textmill.serve")
        bench.put(2, manifest if manifest is not None else 0)
        await bench.follower.look()
        tried = bench.loads
        await bench.follower.look()
        assert bench.loads == tried and "version 2" in str(bench.follower.problem)
        assert bench.figure("textmill_bad_version", version="2") == 1 and "version 2" in caplog.text
        (bench.versions.folder / "2" / "manifest.json").write_text(json.dumps({"run": "r", "files": {}}))
        await bench.follower.look()
        assert bench.follower.problem is None and bench.batcher.model.version.number == 2
        assert "version 2 answers, before it version 1" in caplog.text

    _with(tmp_path, test)


def test_what_failed_for_another_reason_is_tried_again_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(bench: _Bench) -> None:
        load = bench.follower.load
        bench.follower.load = _fails
        bench.put(2)
        await bench.follower.look()
        bench.follower.load = load
        await bench.follower.look()
        assert "MemoryError" in str(bench.follower.problem)
        monkeypatch.setattr(following, "_AGAIN_SECONDS", 0.0)
        await bench.follower.look()
        assert bench.batcher.model.version.number == 2 and bench.follower.problem is None

    _with(tmp_path, test)


def test_a_version_that_does_not_answer_is_revived(tmp_path: Path) -> None:
    async def test(bench: _Bench) -> None:
        bench.batcher.model.ill = True
        await bench.follower.look()
        assert bench.batcher.model.problem == "no java" and bench.figure("textmill_up") == 0
        bench.batcher.model.ill = False
        await bench.follower.look()
        assert bench.batcher.model.problem is None and bench.figure("textmill_up") == 1

    _with(tmp_path, test)


def test_the_watch_survives_whatever_a_look_raises(tmp_path: Path) -> None:
    async def test(bench: _Bench) -> None:
        bench.follower._pointer = _fails  # type: ignore[method-assign]
        watch = asyncio.create_task(bench.follower.run(0.01))
        await asyncio.sleep(0.1)
        assert not watch.done()
        watch.cancel()

    _with(tmp_path, test)


def _fails() -> Any:
    raise MemoryError
