"""Step outputs: folders named by their key, complete or absent, each with a manifest written last."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.digests import Digests
from spark_jobs.base import Written

MANIFEST = "manifest.json"
Manifest = dict[str, Any]


@dataclass(frozen=True)
class Building:
    """An output in the making: `folder` becomes the output when the block that asked for it ends well."""

    folder: Path
    step: str
    op: str
    key: str
    because: Mapping[str, Any]


class Store:
    """The outputs under `root`/store, by operation and key."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.digests = Digests(root / "store" / "digests.json")

    def folder(self, op: str, key: str) -> Path:
        """Where the output with this key is, once it is there."""
        return self.root / "store" / op / key[:32]

    def checkpoints(self, op: str, key: str) -> Path:
        """What a step that was cut off may go on from; removed when its output is published."""
        return self.root / "store" / op / f"{key[:32]}.checkpoints"

    def manifest(self, op: str, key: str) -> Manifest | None:
        """The manifest of a published output; None where there is none or it can't be read."""
        try:
            return json.loads((self.folder(op, key) / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def damage(self, op: str, key: str, manifest: Manifest) -> str | None:
        """What is wrong with the files of an output, or None where each is there with its size and checksum."""
        folder = self.folder(op, key)
        for name, described in manifest["files"].items():
            try:
                size = (folder / name).stat().st_size
                if size != described["bytes"]:
                    return f"{name} has {size:,} bytes instead of {described['bytes']:,}"
                if self.digests.of(folder / name) != described["sha256"]:
                    return f"{name} has changed (its checksum differs)"
            except FileNotFoundError:
                return f"{name} is missing"
            except OSError as error:
                return f"{name} can't be read: {error.strerror}"
        return None

    @contextmanager
    def building(self, step: str, op: str, key: str, because: Mapping[str, Any]) -> Iterator[Building]:
        """A new folder to write an output into; left out of the store whatever happens inside the block."""
        final = self.folder(op, key)
        folder = final.with_name(f"{final.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.part")
        self._sweep(final)
        folder.mkdir(parents=True)
        try:
            yield Building(folder, step, op, key, because)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self, building: Building, written: Written, seconds: float) -> Manifest:
        """Make what was built the output of its key: manifest last, then one rename."""
        files = {}
        for path in sorted(building.folder.rglob("*")):
            if path.is_file() and path.name.endswith(".crc"):
                path.unlink()  # Hadoop's local file system writes them; the manifest has better checksums
            elif path.is_file():
                name = path.relative_to(building.folder).as_posix()
                files[name] = {"bytes": path.stat().st_size, "sha256": self.digests.of(path)}
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
        write_json(building.folder / MANIFEST, manifest)
        self._put(building)
        return manifest

    def _put(self, building: Building) -> None:
        final = self.folder(building.op, building.key)
        if final.exists():  # damaged, or another process was faster with the same content
            old = building.folder.with_suffix(".old")
            final.rename(old)
            shutil.rmtree(old)
        building.folder.rename(final)
        shutil.rmtree(self.checkpoints(building.op, building.key), ignore_errors=True)
        self.digests.save()

    def _sweep(self, final: Path) -> None:
        """Remove what builders of this key left behind that were killed."""
        for left in final.parent.glob(f"{final.name}.*"):
            owner = left.name.removeprefix(f"{final.name}.").partition("-")[0]
            if left.suffix in (".part", ".old") and owner.isdigit() and not alive(int(owner)):
                shutil.rmtree(left, ignore_errors=True)


def alive(pid: int) -> bool:
    """Whether a process with this number runs on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def write_json(path: Path, value: Any) -> None:
    """Write `value` beside `path`, flush it to the disk, and rename: a reader never sees a part of it."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    with beside.open("w", encoding="utf-8") as stream:
        json.dump(value, stream, ensure_ascii=False, indent=1)
        stream.write("\n")
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)
