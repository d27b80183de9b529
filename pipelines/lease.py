"""One at a time: a lease on a pipeline's name, kept in its root, with a heartbeat that tells that its owner lives."""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pipelines.kinds import LEASE
from textmill import owners, places
from textmill.errors import TextmillError, Unreadable
from textmill.places import Place

FILE = "lease.json"
BEAT_SECONDS = 10.0
DEAD_SECONDS = 120.0
"""An owner on another host that was not heard of for so long is taken for dead."""
_SETTLE_SECONDS = 1.0


class Held(TextmillError):
    """Somebody else holds the lease; names them."""


@dataclass(frozen=True)
class Owner:
    """Who holds a lease."""

    token: str
    what: str
    host: str
    pid: int
    born: str
    """When the process started, as owners.born has it."""
    since: str
    beat: float
    """Seconds since 1970 at the last heartbeat."""

    @classmethod
    def here(cls, what: str) -> Owner:
        """This process."""
        since = dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds")
        host, pid = socket.gethostname(), os.getpid()
        return cls(secrets.token_hex(8), what, host, pid, owners.born(pid), since, time.time())

    def lives(self, now: float, dead_after: float = DEAD_SECONDS) -> bool:
        """Whether it still holds the lease. On this machine the process is asked for: a clock may be set back."""
        if self.host == socket.gethostname():
            return owners.lives(self.pid, self.born)
        return abs(now - self.beat) < dead_after

    def __str__(self) -> str:
        return f"{self.what} (process {self.pid} on {self.host}, since {self.since})"


@dataclass(frozen=True)
class Unknown:
    """Who holds a lease that can't be read. A live owner writes it anew at its next heartbeat."""

    damage: Unreadable
    beat: float
    """When the file was last written, in seconds since 1970; 0 where that is not known."""
    token: str = ""

    def lives(self, now: float, dead_after: float = DEAD_SECONDS) -> bool:
        """Whether somebody may hold it still: nobody does who has not written it for so long."""
        return self.beat == 0 or abs(now - self.beat) < dead_after

    def __str__(self) -> str:
        return (
            f"somebody who can't be told ({self.damage}; it is free {DEAD_SECONDS:.0f} s after it was last written, or "
            "once you remove it, knowing that nothing runs)"
        )


@dataclass
class Lease:
    """A lease that is held; `lost` tells that somebody else took it in the meantime."""

    file: Place
    owner: Owner
    lost: bool = False

    def beat(self) -> None:
        """Say that the owner lives."""
        found = _read(self.file)
        if isinstance(found, Owner) and found.token != self.owner.token:
            self.lost = True
            return
        self.owner = replace(self.owner, beat=time.time())
        _write(self.file, self.owner)

    def check(self) -> None:
        """Raise Held where another took the lease: what is published from now on is theirs to publish."""
        if isinstance(found := _read(self.file), Unknown):
            self.beat()  # damaged, and not by another owner, who would have written his own
            found = _read(self.file)
        if self.lost or found is None or found.token != self.owner.token:
            raise Held(f"the lease {self.file} was lost to {found or 'somebody who removed it'}")

    def release(self) -> None:
        """Give it back, if it is still this owner's."""
        found = _read(self.file)
        ours = isinstance(found, Unknown) and not self.lost
        if ours or found is not None and found.token == self.owner.token:
            self.file.unlink(missing_ok=True)


@contextmanager
def held(root: Place, name: str, what: str, beat_seconds: float = BEAT_SECONDS) -> Iterator[Lease]:
    """Hold the lease on `name` while the block runs; raises Held, naming who has it. A dead owner's lease is freed."""
    lease = _take(root / name / FILE, Owner.here(what))
    try:
        with beating(lease.beat, beat_seconds):
            yield lease
    finally:
        lease.release()


@contextmanager
def beating(beat: Callable[[], None], seconds: float = BEAT_SECONDS) -> Iterator[None]:
    """Call `beat` every so many seconds while the block runs."""
    done = threading.Event()

    def heart() -> None:
        while not done.wait(seconds):
            with suppress(OSError):  # a store that does not answer now may do so for the next beat
                beat()

    thread = threading.Thread(target=heart, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def holder(root: Place, name: str) -> Owner | Unknown | None:
    """Who holds the lease on `name` and lives, or may live; None where nobody does."""
    found = _read(root / name / FILE)
    return found if found is not None and found.lives(time.time()) else None


def _take(file: Place, owner: Owner) -> Lease:
    file.parent.mkdir(parents=True, exist_ok=True)
    with _alone(file):
        found = _read(file)
        if found is not None and found.lives(time.time()):
            raise Held(f"{file} is held by {found}: wait for it, or end it")
        _write(file, owner)
    if not isinstance(file, Path):
        # Nothing excludes others there: of two that wrote at once, the one that was overwritten sees it.
        time.sleep(_SETTLE_SECONDS)
        if (winner := _read(file)) is None or winner.token != owner.token:
            raise Held(f"{file} is held by {winner}: wait for it, or end it")
    return Lease(file, owner)


@contextmanager
def _alone(file: Place) -> Iterator[None]:
    """Nobody else on a local file system looks at the lease and writes it meanwhile; the kernel frees a dead one."""
    if not isinstance(file, Path):
        yield
        return
    with file.with_suffix(".guard").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        yield


def _read(file: Place) -> Owner | Unknown | None:
    try:
        found = LEASE.found(file)
    except Unreadable as error:
        return Unknown(error, _written(file))
    return None if found is None else Owner(**{name: found[name] for name in Owner.__dataclass_fields__})


def _written(file: Place) -> float:
    try:
        return places.info(file).modified
    except OSError:
        return 0.0


def _write(file: Place, owner: Owner) -> None:
    places.write_bytes(file, json.dumps(asdict(owner)).encode())
