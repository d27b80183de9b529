"""House-keeping: old runs, and outputs that neither a run that is kept, a version nor a running process refers to."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass

from pipelines import lease, runs, versions
from pipelines.runs import Record
from pipelines.store import MANIFEST
from textmill import places
from textmill.places import Place

YOUNG_SECONDS = 3600.0
"""What was made a moment ago may be of a run that has just begun and says so in its record in a moment."""
_KEY = 32
_OUTPUT = re.compile(rf"[0-9a-f]{{{_KEY}}}(\.checkpoints)?")


@dataclass(frozen=True)
class Garbage:
    """What nothing refers to: folders of runs, and of outputs and checkpoints."""

    runs: tuple[Place, ...]
    outputs: tuple[Place, ...]

    def size(self) -> int:
        """Bytes of all files in them."""
        return sum(said.size for folder in (*self.runs, *self.outputs) for said in places.files(folder).values())

    def remove(self) -> None:
        """Remove all of it. An output loses its manifest first: nobody takes half of one for a whole."""
        for folder in (*self.outputs, *self.runs):
            (folder / MANIFEST).unlink(missing_ok=True)
            places.remove(folder)


def find(root: Place, keep: int, now: float | None = None) -> Garbage:
    """All but the newest `keep` runs of each pipeline and what those, running ones and versions refer to."""
    records = runs.records(root)
    kept = [record for name in {record["name"] for record in records} for record in _kept(root, name, records, keep)]
    ids = {record["run"] for record in kept}
    old = [runs.folder(root, record) for record in records if record["run"] not in ids]
    needed = _keys_of(kept) | _of_versions(root)
    moment = time.time() if now is None else now
    outputs = [folder for folder in _outputs(root) if folder.name[:_KEY] not in needed and _is_old(folder, moment)]
    return Garbage(tuple(old), tuple(outputs))


def _kept(root: Place, name: str, records: Iterable[Record], keep: int) -> list[Record]:
    """The newest, those that run, and those of published versions; all where a process holds the pipeline's lease."""
    of_name = [record for record in records if record["name"] == name]
    if lease.holder(root, name) is not None:
        return of_name
    published = {version.manifest["run"] for version in versions.Versions(root, name).all()}
    newest, older = of_name[:keep], of_name[keep:]
    return [*newest, *(run for run in older if run["status"] == "running" or run["run"] in published)]


def _keys_of(records: Iterable[Record]) -> set[str]:
    return {step["key"][:_KEY] for record in records for step in record["steps"]}


def _of_versions(root: Place) -> set[str]:
    published = (version for name in versions.names(root) for version in versions.Versions(root, name).all())
    return {key[:_KEY] for version in published for key in version.manifest["keys"].values()}


def _outputs(root: Place) -> list[Place]:
    """Outputs and checkpoints; not what a process builds, which the next builder of the same key looks after."""
    found = [folder for op in _inside(root / runs.STORE) if op.suffix != ".json" for folder in _inside(op)]
    return [folder for folder in found if _OUTPUT.fullmatch(folder.name)]


def _inside(folder: Place) -> list[Place]:
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _is_old(folder: Place, now: float) -> bool:
    """By its manifest, for object stores know no time of a folder."""
    file = folder / MANIFEST
    try:
        return now - places.info(file if file.exists() else folder).modified > YOUNG_SECONDS
    except OSError:
        return False
