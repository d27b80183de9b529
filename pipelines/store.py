"""Step outputs: folders named by their key, complete or absent, each with a manifest written last."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

from pipelines.digests import Digests
from pipelines.kinds import OUTPUT
from spark_jobs.base import Sibling, Written, digest
from textmill import owners, places
from textmill.errors import Unreadable
from textmill.places import Info, Place
from textmill.stored import sealed

MANIFEST = "manifest.json"
Manifest = dict[str, Any]
_KEY = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True)
class Building:
    """An output in the making: `folder` becomes the output when the block that asked for it ends well."""

    folder: Place
    step: str
    op: str
    key: str
    because: Mapping[str, Any]


class Pin(Protocol):
    """Keeps what has these keys from house-keeping for as long as it is held."""

    def keep(self, keys: Iterable[str]) -> None:
        """From here on; what is found after it is there stays there."""


class Store:
    """The outputs under `root`/store, by operation and key; `pin` keeps the siblings that are handed out."""

    def __init__(self, root: Place, pin: Pin | None = None) -> None:
        self.root, self.pin = root, pin
        self.digests = Digests(root / "store" / "digests.json")

    def folder(self, op: str, key: str) -> Place:
        """Where the output with this key is, once it is there."""
        return self.root / "store" / op / key[:32]

    def checkpoints(self, op: str, key: str) -> Place:
        """What a step that was cut off may go on from; removed when its output is published."""
        return self.root / "store" / op / f"{key[:32]}.checkpoints"

    def manifest(self, op: str, key: str) -> Manifest | None:
        """The manifest of a published output; None where there is none. Raises Unreadable for a damaged one."""
        file = self.folder(op, key) / MANIFEST
        manifest = OUTPUT.found(file)
        if manifest is not None and (manifest["op"], manifest["key"][:32]) != (op, key[:32]):
            raise Unreadable(file, f"it is that of {manifest['op']}/{manifest['key'][:32]}", OUTPUT.cure)
        return manifest

    def whole(self, op: str, key: str, reread: Callable[[str], bool] = lambda name: False) -> Manifest | str | None:
        """The manifest of an output that is whole, or what is damaged; None where there is none.

        Files whose name `reread` holds for are read, whatever was remembered of them.
        """
        try:
            manifest = self.manifest(op, key)
        except Unreadable as error:
            return f"{MANIFEST}: {error.why}"
        return manifest and (self.damage(op, key, manifest, reread) or manifest)

    def siblings(self, op: str, because: Mapping[str, Any]) -> Iterator[Sibling]:
        """The outputs of the same parameters and code, whatever they were made of; the newest first."""
        same, found = _of_code(because), []
        folders = [folder for folder in places.inside(self.root / "store" / op) if _KEY.fullmatch(folder.name)]
        if self.pin is not None:
            self.pin.keep([folder.name for folder in folders])
        for folder in folders:
            manifest = self._sibling(op, folder.name)
            if manifest and _of_code(manifest["because"]) == same:
                found.append((manifest["finished"], folder, manifest))
        for _, folder, manifest in sorted(found, key=lambda one: one[0], reverse=True):
            sums = {name: described["sha256"] for name, described in manifest["files"].items()}
            yield Sibling(folder, manifest["parts"], sums)

    def _sibling(self, op: str, name: str) -> Manifest | None:
        """One that is damaged is of no use to others; its own step makes it again."""
        try:
            return self.manifest(op, name) if _KEY.fullmatch(name) else None
        except Unreadable:
            return None

    def damage(
        self, op: str, key: str, manifest: Manifest, reread: Callable[[str], bool] = lambda name: False
    ) -> str | None:
        """What is wrong with the files of an output, or None where each is there with its size and checksum.

        A file is read where `reread` holds for its name, or nothing is remembered of it, or something else than the
        manifest says: then the memory may be what is wrong.
        """
        files = {name: self.folder(op, key) / name for name in manifest["files"]}
        try:
            said = places.infos(files.values())
            for name, described in manifest["files"].items():
                if files[name] not in said:
                    return f"{name} is missing"
                if (size := said[files[name]].size) != described["bytes"]:
                    return f"{name} has {size:,} bytes instead of {described['bytes']:,}"
            self.digests.forget(file for name, file in files.items() if reread(name))
            found = self.digests.of(files.values(), said)
            wanted = {file: manifest["files"][name]["sha256"] for name, file in files.items()}
            if doubtful := [file for file in wanted if found[file] != wanted[file]]:
                self.digests.forget(doubtful)
                found |= self.digests.of(doubtful, said)
        except OSError as error:
            return f"it can't be read: {places.brief(error)}"
        changed = (name for name, file in files.items() if found[file] != wanted[file])
        return next((f"{name} has changed (its checksum differs)" for name in changed), None)

    def reread(self, op: str, key: str, manifest: Manifest) -> dict[str, str]:
        """What is wrong with each damaged file of an output, by name: all are read, and only whole ones remembered."""
        files = {name: self.folder(op, key) / name for name in manifest["files"]}
        self.digests.forget(files.values())
        harms = harmed(self.folder(op, key), manifest["files"])
        for name in files.keys() - harms.keys():
            self.digests.remember(files[name], places.info(files[name]), manifest["files"][name]["sha256"])
        return harms

    @contextmanager
    def building(self, step: str, op: str, key: str, because: Mapping[str, Any]) -> Iterator[Building]:
        """A new folder to write an output into; left out of the store whatever happens inside the block.

        Where folders can't be renamed in one step, it is the output's own folder: nobody trusts one without a manifest.
        """
        final = self.folder(op, key)
        folder = final
        self._sweep(final.parent)
        if places.renames(final):
            folder = owners.beside(final)
        else:
            discard(final, self.root)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            yield Building(folder, step, op, key, because)
        finally:
            if folder != final or not (final / MANIFEST).exists():
                with suppress(OSError):  # what can't be removed now is removed by the next run
                    places.remove(folder, self.root)

    def publish(self, building: Building, written: Written, seconds: float) -> Manifest:
        """Make what was built the output of its key: manifest last, then one rename."""
        said = self._files(building)
        files = self._described(building, written, said)
        manifest = {
            "step": building.step,
            "op": building.op,
            "version": building.because["version"],
            "key": building.key,
            "because": dict(building.because),
            "parts": dict(written.parts),
            "files": files,
            "stats": dict(written.stats),
            "seconds": round(seconds, 3),
            "finished": dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds"),
        }
        write_json(building.folder / MANIFEST, sealed(manifest))
        self._put(building)
        for name, described in files.items():
            self.digests.remember(self.folder(building.op, building.key) / name, said[name], described["sha256"])
        self.digests.save()
        return manifest

    def _files(self, building: Building) -> dict[str, Info]:
        """The files, without those that Hadoop's local file system adds: the manifest has better checksums."""
        said = places.files(building.folder)
        for name in [name for name in said if name.endswith(".crc")]:
            (building.folder / name).unlink()
            del said[name]
        return said

    def _described(self, building: Building, written: Written, said: Mapping[str, Info]) -> dict[str, Any]:
        others = {name: building.folder / name for name in said if name not in written.checksums}
        read = dict(zip(others, places.in_threads(places.checksum, others.values()), strict=True))
        sums = {**read, **written.checksums}
        return {name: {"bytes": info.size, "sha256": sums[name]} for name, info in said.items()}

    def _put(self, building: Building) -> None:
        final = self.folder(building.op, building.key)
        if building.folder != final:
            self._replace(building.folder, final)
        places.remove(self.checkpoints(building.op, building.key), self.root)

    def _replace(self, folder: Place, final: Place) -> None:
        if final.exists():  # damaged, or another process was faster with the same content
            discard(final, self.root)
        places.rename_folder(folder, final)

    def _sweep(self, op: Place) -> None:
        """Remove what builders of an operation's outputs left behind that were killed."""
        for left in owners.abandoned(places.inside(op)):
            with suppress(OSError):
                places.remove(left, self.root)


def harmed(folder: Place, files: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """What is wrong with each of the files of a manifest that is not there with its checksum, by name."""

    def harm(name: str) -> str | None:
        try:
            is_whole = places.checksum(folder / name) == files[name]["sha256"]
        except FileNotFoundError:
            return "is missing"
        except OSError as error:
            return f"can't be read: {places.brief(error)}"
        return None if is_whole else "has changed (its checksum differs)"

    return {name: told for name, told in zip(files, places.in_threads(harm, files), strict=True) if told}


def _of_code(because: Mapping[str, Any]) -> str:
    return digest([because.get(name) for name in ("op", "version", "params", "jar")])


def discard(folder: Place, root: Place) -> None:
    """Remove a folder that has a manifest, under `root`: nobody ever takes half of it for the whole. Raises OSError."""
    if not places.renames(folder):
        (folder / MANIFEST).unlink(missing_ok=True)
        places.remove(folder)
        return
    old = owners.beside(folder, "old")
    try:
        places.rename_folder(folder, old)
    except FileNotFoundError:
        return  # another process removed it
    places.remove(old, root)


def write_json(path: Place, value: Any) -> None:
    """Write `value` so that a reader never sees a part of it."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    places.write_bytes(path, f"{text}\n".encode(errors="replace"))  # half a character can't be written
