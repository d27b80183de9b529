"""What runs, versions and living processes hold under a root, and what of it can't be told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pipelines import kinds, lease, runs, versions
from pipelines.pins import KEY, Pinned
from textmill import owners, places
from textmill.errors import Unreadable
from textmill.places import Place

T = TypeVar("T")


@dataclass(frozen=True)
class Unread:
    """What could not be read, or is not understood; nothing that could belong to it is removed."""

    place: Place
    why: str


@dataclass(frozen=True)
class Holdings:
    """The keys of outputs that something refers to, and the runs that nothing refers to any more."""

    keys: frozenset[str]
    everything: bool
    """Something can't be read that may refer to any output."""
    old: tuple[Place, ...]
    empty: tuple[Place, ...]
    """Folders of runs that were killed before they were recorded."""
    unread: tuple[Unread, ...]

    def keeps(self, key: str) -> bool:
        """Whether the output of this key has to stay."""
        return self.everything or key in self.keys


@dataclass(frozen=True)
class _Run:
    folder: Place
    status: str
    keys: frozenset[str]


@dataclass(frozen=True)
class _Version:
    run: str
    keys: frozenset[str]


def holdings(root: Place, keep: int, pinned: Pinned) -> Holdings:
    """What is held, where the newest `keep` runs of each pipeline are."""
    scan = _Scan(root, pinned)
    scan.look(keep)
    unread = [*scan.unread, *(Unread(file, f"can't be read: {why}") for file, why in pinned.unread)]
    everything = scan.everything or bool(pinned.unread)
    return Holdings(frozenset(scan.keys), everything, tuple(scan.old), tuple(scan.empty), tuple(unread))


class _Scan:
    """One look at everything under a root."""

    def __init__(self, root: Place, pinned: Pinned) -> None:
        self.root, self.pinned = root, pinned
        self.keys: set[str] = set(pinned.keys)
        self.old: list[Place] = []
        self.empty: list[Place] = []
        self.unread: list[Unread] = []
        self.everything = False

    def look(self, keep: int) -> None:
        """At versions first: they decide which runs are kept."""
        published = {folder.name: self._versions(folder) for folder in self._inside(self.root / versions.FOLDER)}
        for folder in self._inside(self.root):
            if folder.name not in (runs.STORE, versions.FOLDER) and _is_folder(folder):
                self._pipeline(folder, keep, published.get(folder.name, []))

    def _pipeline(self, folder: Place, keep: int, published: list[_Version] | None) -> None:
        """`published` is None where versions of it can't be read: any of its runs may be one's."""
        found = [run for one in self._inside(folder) if (run := self._run(one)) is not None]
        needed = {version.run for version in published or ()} | self.pinned.runs
        all_stay = published is None or places.is_link(folder) or self._held(folder)
        newest = sorted((run.folder.name for run in found if runs.is_run(run.folder)), reverse=True)[:keep]
        for run in sorted(found, key=lambda run: run.folder.name, reverse=True):
            stays = all_stay or run.status == "running" or run.folder.name in {*newest, *needed}
            if stays or not runs.is_run(run.folder) or places.is_link(run.folder):
                self.keys |= run.keys
            else:
                self.old.append(run.folder)

    def _held(self, folder: Place) -> bool:
        """Whether a process holds the pipeline's lease, or may hold it."""
        holder = lease.holder(self.root, folder.name)
        if isinstance(holder, lease.Unknown):
            self._cannot(folder / lease.FILE, holder.damage)
        return holder is not None

    def _run(self, folder: Place) -> _Run | None:
        """The run recorded in a folder, whatever the folder is called; None where there is none, or it can't be read."""
        if owners.is_marked(folder.name) or not _is_folder(folder):
            return None
        file = folder / runs.RECORD
        if not file.exists():
            if runs.is_run(folder) and folder.name not in self.pinned.runs:
                self._unrecorded(folder)
            return None
        found = self._understood(file, lambda: _recorded(folder))
        self.everything |= found is None
        return found

    def _unrecorded(self, folder: Place) -> None:
        if all(owners.is_marked(left.name) for left in self._inside(folder)):
            self.empty.append(folder)
            return
        self.unread.append(Unread(folder, f"has no {runs.RECORD}"))
        self.everything = True

    def _versions(self, folder: Place) -> list[_Version] | None:
        """The versions of a model; None where one of them can't be read."""
        found: list[_Version | None] = []
        for one in self._inside(folder):
            if not one.name.isdigit():
                continue
            file = one / versions.MANIFEST
            if not places.renames(one) and not file.exists():
                continue  # half of a version, which the next publisher removes
            found.append(self._understood(file, lambda file=file: _published(kinds.VERSION.read(file))))  # type: ignore[misc]
        self.keys |= {key for version in found if version is not None for key in version.keys}
        self.everything |= None in found
        return None if None in found else [version for version in found if version is not None]

    def _understood(self, file: Place, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except (OSError, Unreadable, KeyError) as error:
            self._cannot(file, error)
            return None

    def _inside(self, folder: Place) -> list[Place]:
        try:
            return places.inside(folder)
        except OSError as error:
            self._cannot(folder, error)
            self.everything = True
            return []

    def _cannot(self, file: Place, error: Exception) -> None:
        why = error.why if isinstance(error, Unreadable) else places.brief(error)
        why = f"it lacks {error}" if isinstance(error, KeyError) else why
        self.unread.append(Unread(file, f"can't be read: {why}"))


def _recorded(folder: Place) -> _Run:
    record = (runs.read_one(folder) if runs.is_run(folder) else None) or kinds.RUN.read(folder / runs.RECORD)
    return _Run(folder, record["status"], frozenset(step["key"][:KEY] for step in record["steps"]))


def _published(manifest: Mapping[str, Any]) -> _Version:
    return _Version(manifest["run"], frozenset(key[:KEY] for key in manifest["keys"].values()))


def _is_folder(found: Place) -> bool:
    """Also where it can't be looked at: then it is for the listing to say so."""
    try:
        return found.is_dir()
    except OSError:
        return True
