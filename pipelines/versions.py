"""Published models: ROOT/models/<name>/<version>, complete or absent, and `current`, which names one of them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pipelines import kinds, pins, promotion
from pipelines.lineage import Lineage, Output
from pipelines.store import discard, harmed, write_json
from textmill import owners, places, transfer
from textmill.errors import InputError, TextmillError, Unreadable
from textmill.names import is_fit
from textmill.places import Place
from textmill.stored import sealed

FOLDER, MANIFEST, CURRENT, CHAIN = "models", "manifest.json", "current.json", "chain.json"
KEEP = 5
_OF_TENSORS = ("vocabulary.tsv", "labels.json", "tensors.json")
_HISTORY = 1000
_NUMBER = re.compile("[1-9][0-9]{0,8}")
_ABSENT: dict[str, Any] = {
    "why": "",
    "published": "",
    "date": "",
    "definition": "",
    "train": "",
    "keys": {},
    "metrics": {},
}
"""What a manifest may not say."""
_STARTS = ("vocabulary.tsv", "matrix.npy", "weights.npz")
"""What a later run may start from: its digests are remembered for as long as the version is in the history."""


@dataclass(frozen=True)
class Version:
    """One published model: a folder that needs nothing outside of it."""

    name: str
    number: int
    folder: Place
    manifest: Mapping[str, Any]

    @property
    def metrics(self) -> dict[str, float]:
        """rows, accuracy and macro_f1 on the test part of its run, and of the sets measured by themselves."""
        return dict(self.manifest["metrics"])

    def damage(self) -> str | None:
        """What is wrong with its files, or None where each is there with its checksum."""
        return next((f"{name} {why}" for name, why in self.harms().items()), None)

    def harms(self) -> dict[str, str]:
        """What is wrong with each damaged file, by name."""
        return harmed(self.folder, self.manifest["files"])


@dataclass(frozen=True)
class Promoted:
    """What the history remembers of a version, whether or not its folder was kept."""

    number: int
    date: str
    folder: Place
    digests: Mapping[str, str]
    """SHA-256 of vocabulary.tsv, weights.npz and, where it has vectors, matrix.npy."""

    @property
    def is_kept(self) -> bool:
        """Whether its folder is still there."""
        return (self.folder / MANIFEST).exists()

    def damage(self) -> str | None:
        """What is wrong with the files that a run may start from, or None where each is there with its checksum."""
        if not self.is_kept:
            return "was removed"
        changed = (name for name, digest in self.digests.items() if places.checksum(self.folder / name) != digest)
        return next((f"is damaged: {name} has changed" for name in changed), None)

    def __str__(self) -> str:
        return f"version {self.number} of {self.date}"


class Versions:
    """The versions of the model `name` under a root."""

    def __init__(self, root: Place, name: str) -> None:
        self.root, self.name, self.folder = root, name, root / FOLDER / name

    def all(self) -> list[Version]:
        """Every published version whose manifest can be read, the oldest first."""
        return self.read()[0]

    def read(self) -> tuple[list[Version], dict[int, Unreadable]]:
        """Versions as `all` gives them, and by number what is wrong with the manifest of each damaged one."""
        numbers = sorted(int(found.name) for found in places.inside(self.folder) if _NUMBER.fullmatch(found.name))
        found: list[Version] = []
        damaged: dict[int, Unreadable] = {}
        for number in numbers:
            try:
                version = self._read(number)
            except Unreadable as error:
                damaged[number] = error
            else:
                found += [version] if version is not None else []
        return found, damaged

    def get(self, number: int) -> Version:
        """The version with this number; raises InputError where there is none, Unreadable for a damaged one."""
        if (version := self._read(number)) is None:
            known = ", ".join(str(version.number) for version in self.all()) or "none"
            raise InputError(f"model {self.name} has no version {number} (there are: {known})")
        return version

    def current(self) -> Version | None:
        """The version in use; None before the first is published."""
        number = self.pointer().get("version")
        return None if number is None else self.get(number)

    def pointer(self) -> dict[str, Any]:
        """current.json: version, since, and history, all that were current, the last being the present one.

        Raises Unreadable.
        """
        return kinds.CURRENT.found(self.folder / CURRENT) or {}

    def _pointed(self) -> dict[str, Any]:
        """The same as far as it can be read: a damaged one is about to be written anew."""
        try:
            return self.pointer()
        except Unreadable:
            return {}

    def before(self, date: dt.date) -> Promoted | None:
        """The version that was promoted last of those of an earlier date; None where there is none.

        What a run of `date` starts from: its own version, or one of a later date, changes nothing of it.
        """
        pointer = self.pointer()
        for number in reversed(pointer.get("history", [])):
            told = pointer.get("promoted", {}).get(str(number)) or self._remembered(number)
            if told and told["date"] < date.isoformat():
                return Promoted(number, told["date"], self.folder / str(number), told["digests"])
        return None

    def publish(self, lineage: Lineage, why: str, keep: int = KEEP) -> Version:
        """A new version of what a run trained, then current; all but the newest `keep` and the current are removed.

        Raises TextmillError where an output changed while it was copied, Unreadable where current.json is damaged: then
        nothing is published.
        """
        history = self.pointer().get("history", [])
        version = self._begun(lineage) or self._made(lineage, why)
        self._point(version.number, [*history, version.number])
        self.forget(keep)
        return version

    def settle(self, version: Version) -> None:
        """Make a version current that never was: whoever published it was killed before that."""
        if version.number > self._newest():
            self._point(version.number, [*self.pointer().get("history", []), version.number])

    def _begun(self, lineage: Lineage) -> Version | None:
        """The version that a process which was killed made of the same training and did not get to make current."""
        wanted = {"run": lineage.run["run"], "train": lineage.train, "keys": _keys(lineage)}
        later = [version for version in self.all() if version.number > self._newest()]
        same = (one for one in later if all(one.manifest.get(key) == value for key, value in wanted.items()))
        return next((one for one in same if one.damage() is None), None)

    def _made(self, lineage: Lineage, why: str) -> Version:
        self._sweep()
        number = self._next()
        final = self.folder / str(number)
        building = owners.beside(final) if places.renames(final) else final
        building.mkdir(parents=True, exist_ok=True)
        try:
            manifest = _fill(building, self.name, number, lineage, why)
            write_json(building / MANIFEST, sealed(manifest))  # last: without it nobody takes the folder for a version
            if building != final:
                places.rename_folder(building, final)
        except BaseException:
            with suppress(OSError):
                places.remove(building, self.root)
            raise
        return Version(self.name, number, final, manifest)

    def _sweep(self) -> None:
        """Remove what publishers left that were killed."""
        found = places.inside(self.folder)
        halves = [one for one in found if _NUMBER.fullmatch(one.name) and not places.renames(one) and not self._whole(one)]
        for left in [*owners.abandoned(found), *halves]:
            with suppress(OSError):
                places.remove(left, self.root)

    def _whole(self, folder: Place) -> bool:
        return (folder / MANIFEST).exists()

    def rollback(self, to: int | None = None) -> Version:
        """Make the version before the current one (or `to`) current again; raises InputError where there is none.

        With `to` a damaged current.json is written anew, without it Unreadable is raised. Damaged versions are passed over.
        """
        history = (self._pointed() if to is not None else self.pointer()).get("history", [])
        present = {version.number for version in self.all()}
        earlier = [number for number in history[:-1] if number in present and number != history[-1]]
        if to is None and not earlier:
            raise InputError(f"model {self.name} has no version before the current one to go back to")
        version = self.get(earlier[-1] if to is None else to)
        cut = len(history) - history[::-1].index(version.number) if version.number in history else len(history)
        self._point(version.number, [*history[:cut], *([] if version.number in history else [version.number])])
        return version

    def forget(self, keep: int, dry: bool = False) -> list[int]:
        """Remove all versions but the newest `keep`, the current one and those in use; the numbers of those removed."""
        if dry or not self._old(keep):
            return [version.number for version in self._old(keep)]
        with pins.sweeping(self.root, f"removing old versions of {self.name}", wait=True) as pinned:
            old = [version for version in self._old(keep) if (self.name, version.number) not in pinned.versions]
            for version in () if pinned.unread else old:
                discard(version.folder, self.root)
        return [version.number for version in old]

    def _old(self, keep: int) -> list[Version]:
        present = self.pointer().get("version")
        return [version for version in self.all()[: -max(1, keep)] if version.number != present]

    def _point(self, number: int, history: list[int]) -> None:
        now = dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds")
        before = self._pointed()
        newest = max(number, self._newest() or self._next() - 1)
        history, known = history[-_HISTORY:], before.get("promoted", {})
        promoted = {str(number): known.get(str(number)) or self._remembered(number) for number in history}
        pointer = {"version": number, "since": now, "newest": newest, "history": history, "promoted": promoted}
        write_json(self.folder / CURRENT, sealed(pointer))

    def _remembered(self, number: int) -> dict[str, Any] | None:
        try:
            version = self._read(number)
        except Unreadable:
            return None
        if version is None:
            return None
        files = version.manifest["files"]
        digests = {name: files[name]["sha256"] for name in _STARTS if name in files}
        return {"date": version.manifest["date"], "digests": digests}

    def _next(self) -> int:
        """A number never used before: a number stands for one model for ever, also after rollback and removal."""
        found = [int(found.name) for found in places.inside(self.folder) if _NUMBER.fullmatch(found.name)]
        return 1 + max([self._newest(), *found])

    def _newest(self) -> int:
        """The highest number that was ever current, as far as current.json can be read; 0 where it can't."""
        pointer = self._pointed()
        return max([pointer.get("newest", 0), *pointer.get("history", [])])

    def _read(self, number: int) -> Version | None:
        """None where there is none. Raises Unreadable."""
        folder = self.folder / str(number)
        found = kinds.VERSION.found(folder / MANIFEST)
        if found is None:
            return None
        manifest = {**_ABSENT, "name": self.name, "version": number, **found}
        if (manifest["name"], manifest["version"]) != (self.name, number):
            why = f"it is that of version {manifest['version']} of {manifest['name']}"
            raise Unreadable(folder / MANIFEST, why, kinds.VERSION.cure)
        return Version(self.name, number, folder, manifest)


def names(root: Place) -> list[str]:
    """Names of all models that have a version under a root."""
    folders = [found for found in places.inside(root / FOLDER) if is_fit(found.name)]
    return sorted(found.name for found in folders if (found / CURRENT).exists())


def _fill(folder: Place, name: str, number: int, lineage: Lineage, why: str) -> dict[str, Any]:
    """Copy what the version is made of and describe it."""
    from spark_jobs.sentencepieces import FILE as PIECES

    files: dict[str, Any] = {}
    _copy(lineage.model, folder, files, lambda file: not file.startswith("logs/"))
    _copy(lineage.tensors, folder, files, _OF_TENSORS.__contains__)
    _copy(lineage.tokens, folder, files, PIECES.__eq__)
    _copy(lineage.evaluation, folder, files, "metrics.json".__eq__)
    if lineage.vectors is not None:
        _copy(lineage.vectors, folder, files, "matrix.npy".__eq__)
    write_json(folder / CHAIN, chain(lineage))
    said = places.info(folder / CHAIN)
    files[CHAIN] = {"bytes": said.size, "sha256": places.checksum(folder / CHAIN)}
    run = lineage.run
    scores = kinds.METRICS.read(folder / "metrics.json")
    return {
        "name": name,
        "version": number,
        "why": why,
        "published": dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds"),
        "run": run["run"],
        "date": run["date"],
        "definition": run["definition"],
        "train": lineage.train,
        "started_from": run.get("started_from"),
        "keys": _keys(lineage),
        "metrics": promotion.figures(scores),
        "files": files,
    }


def _keys(lineage: Lineage) -> dict[str, str]:
    return {output.step: output.key for output in lineage.outputs}


def chain(lineage: Lineage) -> dict[str, Any]:
    """What a raw text goes through before the model: the parameters of clean, tokenize and encode."""
    from spark_jobs.tokenize import ANALYSIS

    analysis = kinds.OBJECT.read(lineage.tokens.folder / ANALYSIS)
    described = kinds.TENSORS.read(lineage.tensors.folder / "tensors.json")
    encode = {
        "length": described["length"],
        "truncate": described["truncate"],
        "oov_buckets": described["vocabulary"]["unknown_buckets"],
    }
    return {"clean": dict(lineage.clean), "tokenize": analysis, "encode": encode}


def _copy(output: Output, folder: Place, files: dict[str, Any], wanted: Callable[[str], bool]) -> None:
    names = [name for name in output.manifest["files"] if wanted(name)]
    for parent in sorted({(folder / name).parent for name in names}, key=str):
        parent.mkdir(parents=True, exist_ok=True)

    def copy(name: str) -> None:
        transfer.copy(output.folder / name, folder / name)
        if places.checksum(folder / name) != output.manifest["files"][name]["sha256"]:
            raise TextmillError(f"{output.folder / name} changed while it was published; run again")

    list(places.in_threads(copy, names))
    files.update({name: output.manifest["files"][name] for name in names})
