"""What killed processes left under a root: parts, pins, folders of runs that were never recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from pipelines import pins, runs
from textmill import owners, places
from textmill.places import Place

MODELS = "models"


def find(root: Place, name: str | None = None) -> list[Place]:
    """All of it, or that of the store and of the pipeline `name`."""
    names = [name] if name else [folder.name for folder in places.inside(root) if folder.name != runs.STORE]
    folders = [root, *_of_store(root), *(root / MODELS / name for name in names), *_of_pipelines(root, names)]
    found = [left for inside in places.in_threads(places.inside, folders) for left in owners.abandoned(inside)]
    return [*found, *pins.dead(root)]


def remove(root: Place, name: str) -> None:
    """Remove that of the store and of a pipeline; what can't be removed now is left for the next time."""
    for left in find(root, name):
        with suppress(OSError):
            places.remove(left, root)


def _of_store(root: Place) -> Iterator[Place]:
    yield root / runs.STORE
    yield from (op for op in places.inside(root / runs.STORE) if op.suffix != ".json" and not places.is_link(op))


def _of_pipelines(root: Place, names: list[str]) -> Iterator[Place]:
    for name in names:
        yield root / name
        yield from (run for run in places.inside(root / name) if runs.is_run(run) and not places.is_link(run))
