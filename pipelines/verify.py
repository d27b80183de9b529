"""Rereads what runs and versions refer to: every file is read, whatever was remembered of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pipelines import kinds, lease, runs, versions
from pipelines.runs import Record
from pipelines.store import MANIFEST, Manifest, Store
from pipelines.versions import Version, Versions
from textmill import places
from textmill.errors import InputError, Unreadable
from textmill.places import Place

STATS = "stats.json"


@dataclass(frozen=True)
class Harm:
    """A damaged file: what is wrong with it, and what to do."""

    file: str
    why: str
    cure: str


@dataclass
class Found:
    """What was read, and what of it is damaged."""

    files: int = 0
    bytes: int = 0
    damaged: list[Harm] = field(default_factory=list)

    def record(self, read: Callable[[], Any], file: Place) -> Any:
        """What `read` returns; None where it finds no file or a damaged one."""
        try:
            found = read()
        except Unreadable as error:
            self.damaged.append(Harm(str(error.file), error.why, error.cure))
        except FileNotFoundError:
            return None
        else:
            if found is not None:
                self.files, self.bytes = self.files + 1, self.bytes + places.info(file).size
            return found

    def read(self, folder: Place, files: Mapping[str, Any], harms: Mapping[str, str], cure: str) -> None:
        """Count the files of a manifest, and note those that are damaged."""
        self.files += len(files) - len(harms)
        self.bytes += sum(described.get("bytes", 0) for name, described in files.items() if name not in harms)
        self.damaged += [Harm(str(folder / name), why, cure) for name, why in sorted(harms.items())]


def named(root: Place, what: str) -> Found:
    """Reread the versions of a model (NAME, or NAME:NUMBER for one), or a run (the start of its id, or `last`).

    Raises InputError where there is none of them.
    """
    name, colon, number = what.partition(":")
    found = Found()
    if colon and not number.isdigit() or name not in versions.names(root) and colon:
        raise InputError(f"there is no version '{what}' under {root}: `textmill versions` lists them")
    if name not in versions.names(root):
        _run(root, Store(root), runs.find(root, what), found, set())
    else:
        _model(Versions(root, name), found, int(number) if number else None)
    return found


def everything(root: Place) -> Found:
    """Reread all records, all outputs of the store, whether or not a run refers to them, and all versions."""
    found, store, seen = Found(), Store(root), set[Place]()
    records, damaged = runs.read(root)
    found.damaged += [Harm(str(error.file), error.why, error.cure) for error in damaged]
    for record in records:
        _run(root, store, record, found, seen)
    for op in _inside(root / runs.STORE):
        for folder in _inside(op):
            if folder not in seen and (folder / MANIFEST).exists():
                _output(store, op.name, folder.name, found)
    for name in versions.names(root):
        _model(Versions(root, name), found)
    for folder in _inside(root):
        file = folder / lease.FILE
        found.record(partial(kinds.LEASE.found, file), file)
    store.digests.save()
    return found


def _run(root: Place, store: Store, record: Record, found: Found, seen: set[Place]) -> None:
    """Its records and the outputs of its steps; those in `seen` were read for another run."""
    folder = runs.folder(root, record)
    for name, kind in ((runs.RECORD, kinds.RUN), (runs.PLAN, kinds.PLAN), (STATS, kinds.STATS)):
        found.record(partial(kind.found, folder / name), folder / name)
    for step in record["steps"]:
        place = store.folder(step["op"], step["key"])
        if place not in seen:
            seen.add(place)
            if not _output(store, step["op"], step["key"], found) and step["status"] == "done" == record["status"]:
                harm = Harm(str(place), f"the output of {step['step']} is gone", record["command"])
                found.damaged.append(harm)
    store.digests.save()


def _output(store: Store, op: str, key: str, found: Found) -> bool:
    """Read an output; whether there is one."""
    folder = store.folder(op, key)
    if not (folder / MANIFEST).exists():
        return False
    manifest: Manifest | None = found.record(partial(store.manifest, op, key), folder / MANIFEST)
    if manifest is not None:
        found.read(folder, manifest["files"], store.reread(op, key, manifest), kinds.OUTPUT.cure)
    return True


def _model(model: Versions, found: Found, number: int | None = None) -> None:
    """Its versions, or one, and which is current."""
    file = model.folder / versions.CURRENT
    found.record(partial(kinds.CURRENT.found, file), file)
    if number is not None:
        chosen: Iterable[Version] = filter(
            None, [found.record(partial(model.get, number), model.folder / str(number) / MANIFEST)]
        )
    else:
        chosen, damaged = model.read()
        found.damaged += [Harm(str(error.file), error.why, error.cure) for error in damaged.values()]
        found.files += len(chosen)
    for version in chosen:
        found.read(version.folder, version.manifest["files"], version.harms(), kinds.VERSION.cure)


def _inside(folder: Place) -> list[Place]:
    try:
        return sorted(folder.iterdir(), key=lambda one: one.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
