"""Pins: what a process uses, or is about to use, so that house-keeping leaves it.

Who pins writes the pin first and looks whether house-keeping goes on afterwards; who keeps house takes the store's lease
first and looks for pins afterwards. So one of the two always sees the other, on any file system, and whoever pins waits
for the other's end: what is found to be there after that stays there until the pin is given back.
"""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from pipelines import kinds, lease
from pipelines.lease import Owner
from pipelines.store import write_json
from textmill import owners
from textmill.errors import Unreadable
from textmill.places import Place, inside
from textmill.stored import sealed

STORE, FOLDER = "store", "pins"
KEY = 32
"""Characters of a key that name its output."""
DEAD_SECONDS = 3600.0
"""A pin of another host that was not heard of for so long is taken for a dead process's."""
_POLL_SECONDS = 0.2
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
Version = tuple[str, int]


@dataclass(frozen=True)
class Pinned:
    """What all living processes use."""

    keys: frozenset[str] = frozenset()
    versions: frozenset[Version] = frozenset()
    runs: frozenset[str] = frozenset()
    unread: tuple[tuple[Place, str], ...] = ()
    """Pins that can't be read, and why: they may keep anything."""


@dataclass
class Pin:
    """What this process uses. Where `file` is None nothing is written: nobody keeps house in a store that can't be."""

    root: Place
    file: Place | None
    owner: Owner
    keys: set[str] = field(default_factory=set)
    versions: set[Version] = field(default_factory=set)
    runs: set[str] = field(default_factory=set)
    _writing: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, keys: Iterable[str] = (), versions: Iterable[Version] = (), runs: Iterable[str] = ()) -> None:
        """From here on these are kept too; waits for house-keeping that goes on. Raises OSError."""
        with self._writing:
            self.keys |= {key[:KEY] for key in keys}
            self.versions |= set(versions)
            self.runs |= set(runs)
        self.write()
        while self.file is not None and lease.holder(self.root, STORE) is not None:
            time.sleep(_POLL_SECONDS)

    def write(self) -> None:
        """Say what is used, and that its user lives."""
        with self._writing:
            if self.file is None:
                return
            self.owner = replace(self.owner, beat=time.time())
            told = {"owner": asdict(self.owner), "keys": sorted(self.keys), "runs": sorted(self.runs)}
            write_json(self.file, sealed({**told, "versions": sorted(self.versions)}))

    def release(self) -> None:
        """Give all back."""
        with self._writing:
            if self.file is not None:
                self.file.unlink(missing_ok=True)
                self.file = None


@contextmanager
def pinned(
    root: Place, what: str, keys: Iterable[str] = (), versions: Iterable[Version] = (), runs: Iterable[str] = (),
    reads: bool = False,
) -> Iterator[Pin]:  # fmt: skip
    """Keep these, and what is added to the pin, while the block runs.

    Raises OSError where the store can't be written; one that `reads` alone goes on without a pin there.
    """
    folder = root / STORE / FOLDER
    pin = Pin(root, folder / f"{owners.mark()}.json", Owner.here(what))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        pin.keep(keys, versions, runs)
    except OSError as error:
        if not reads or error.errno not in _READ_ONLY:
            raise
        pin.file = None
    try:
        with lease.beating(pin.write):
            yield pin
    finally:
        with suppress(OSError):  # it is taken for dead when this process is
            pin.release()


def of_run(root: Place, what: str, record: Mapping[str, Any], reads: bool = False) -> AbstractContextManager[Pin]:
    """Keep a run and the outputs of all its steps while the block runs: see `pinned`."""
    return pinned(root, what, [step["key"] for step in record["steps"]], (), [record["run"]], reads)


@dataclass(frozen=True)
class _Read:
    """A pin of some process."""

    file: Place
    owner: Owner
    keys: frozenset[str]
    versions: frozenset[Version]
    runs: frozenset[str]

    @property
    def lives(self) -> bool:
        return self.owner.lives(time.time(), DEAD_SECONDS)


def of(root: Place) -> Pinned:
    """What is pinned under a root by processes that live."""
    read, unread = _all(root)
    alive = [pin for pin in read if pin.lives]
    return Pinned(
        frozenset(key for pin in alive for key in pin.keys),
        frozenset(version for pin in alive for version in pin.versions),
        frozenset(run for pin in alive for run in pin.runs),
        tuple(unread),
    )


def dead(root: Place) -> list[Place]:
    """Pins that processes left behind that were killed."""
    return [pin.file for pin in _all(root)[0] if not pin.lives]


def _all(root: Place) -> tuple[list[_Read], list[tuple[Place, str]]]:
    """The pins that can be read, and those that can't with the reason."""
    read, unread = list[_Read](), list[tuple[Place, str]]()
    for file in inside(root / STORE / FOLDER):
        if owners.is_marked(file.name):
            continue  # one that is being written
        try:
            told = kinds.PIN.found(file)
        except Unreadable as error:
            unread.append((file, error.why))
            continue
        if told is not None:  # else it was given back meanwhile
            owner = Owner(**{one.name: told["owner"][one.name] for one in fields(Owner)})
            versions = frozenset((name, number) for name, number in told["versions"])
            keys = frozenset(key[:KEY] for key in told["keys"])
            read.append(_Read(file, owner, keys, versions, frozenset(told["runs"])))
    return read, unread


@contextmanager
def sweeping(root: Place, what: str, wait: bool = False) -> Iterator[Pinned]:
    """Keep house while the block runs, alone; what must be left is given. Raises lease.Held unless it is to `wait`."""
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(lease.held(root, STORE, what))
                break
            except lease.Held:
                if not wait:
                    raise
                time.sleep(_POLL_SECONDS)
        yield of(root)
