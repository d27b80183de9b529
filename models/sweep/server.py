"""The warm server of one executor: python -m models.sweep.server NAME DESCRIPTOR.

It has TensorFlow imported and nothing computed, so that a trial is a fork of it: a process of its own within
milliseconds, not the seconds of an import. It listens on the abstract socket NAME, one connection to a trial: the
first line is an errand, the answers are what the trial says, and how it ended. Who hangs up ends the trial. Nothing is
read of another user, whom the kernel names, and nobody's errand holds up the others. The server ends with the process
behind the pidfd DESCRIPTOR (the parent of Spark's Python workers), or when nobody calls for long.

Between it and a trial there is the trial's warden, so that all that a trial starts ends with it and counts as it does.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import selectors
import socket
import struct
import sys
import time
from dataclasses import dataclass
from typing import Any, NoReturn

from models import descendants
from models.sweep import warden
from models.sweep.errands import Calling

_WATCH_SECONDS = 0.05
_IDLE_SECONDS = 60.0
_REQUEST_SECONDS = 5.0
_LOOK_SECONDS = 0.5
"""Between looks for what trials have started: each reads what the kernel tells of all processes."""
_KILL_SECONDS = 20.0
"""For a warden to end what was killed; one that was stopped, say, is killed itself then."""
_BEYOND = 512 << 20
"""Room above its limit that a process may ask for before the kernel refuses: memory that is asked for and not used."""


@dataclass
class Running:
    """A trial's process, and its warden."""

    pid: int
    """Of the warden."""
    descriptor: int
    """The warden's pidfd."""
    report: int
    """What the warden says: the trial's number, then its status."""
    connection: socket.socket
    started: float
    seconds: float | None
    memory: int | None
    most: int = 0
    killed: str | None = None
    """Why, where the server killed it."""
    since: float | None = None
    """When it was killed."""
    others: int = 0
    """Bytes of the processes that it has started."""
    said: bytes = b""

    def lines(self) -> list[int]:
        """What the warden has said so far."""
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self.report, 64):
                self.said += piece
        return [int(line) for line in self.said.split(b"\n")[:-1]]


class Server:
    """Accepts errands, forks a process for each, watches over time and memory. One thread, as a fork needs it."""

    def __init__(self, listening: socket.socket, parent: int) -> None:
        self.listening, self.parent = listening, parent
        self.selector = selectors.DefaultSelector()
        self.selector.register(listening, selectors.EVENT_READ)
        self.selector.register(parent, selectors.EVENT_READ)
        self.running: dict[int, Running] = {}
        self.calling: dict[socket.socket, Calling] = {}
        self.idle = self.looked = time.monotonic()
        descendants.adopt()

    def serve(self) -> None:
        """Until the parent ends or nobody calls for a minute; trials that still run end with this process."""
        while self.running or time.monotonic() - self.idle < _IDLE_SECONDS:
            for key, _ in self.selector.select(_WATCH_SECONDS if self.running else 1.0):
                if key.fileobj == self.parent:
                    return
                if key.fileobj is self.listening:
                    self._accept()
                elif isinstance(key.data, Calling):
                    self._called(key.data)
                elif isinstance(key.data, Running):
                    self._heard(key.data, key.fileobj)
            late = time.monotonic() - _REQUEST_SECONDS
            for caller in [each for each in self.calling.values() if each.since < late]:
                self._refuse(caller, f"no errand came in {_REQUEST_SECONDS:g} s")
            self._look()
            for trial in list(self.running.values()):
                self._watch(trial)

    def _accept(self) -> None:
        try:
            connection, _ = self.listening.accept()
        except OSError:  # gone again, or no descriptors left
            time.sleep(_WATCH_SECONDS)
            return
        if peer(connection) != os.getuid():
            connection.close()
            return
        connection.setblocking(False)
        caller = self.calling[connection] = Calling(connection)
        self.selector.register(connection, selectors.EVENT_READ, caller)

    def _called(self, caller: Calling) -> None:
        try:
            errand = caller.errand()
        except (OSError, ValueError) as error:
            self._refuse(caller, str(error))
            return
        if errand is not None:
            self._forget(caller)
            caller.connection.setblocking(True)
            with contextlib.suppress(OSError):
                caller.connection.sendall(b'{"begun": true}\n')
            self._fork(caller.connection, errand)

    def _refuse(self, caller: Calling, why: str) -> None:
        self._forget(caller)
        with contextlib.suppress(OSError):
            caller.connection.sendall(json.dumps({"refused": why}).encode() + b"\n")
        caller.connection.close()

    def _forget(self, caller: Calling) -> None:
        self.selector.unregister(caller.connection)
        del self.calling[caller.connection]

    def _fork(self, connection: socket.socket, errand: dict[str, Any]) -> None:
        server = os.getpid()
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._become_warden(connection, errand, server, writer)
        os.close(writer)
        os.set_blocking(reader, False)
        trial = Running(
            pid, os.pidfd_open(pid), reader, connection, time.monotonic(), errand["seconds"], errand["memory"]
        )
        self.running[pid] = trial
        self.selector.register(connection, selectors.EVENT_READ, trial)
        self.selector.register(trial.descriptor, selectors.EVENT_READ, trial)

    def _become_warden(self, connection: socket.socket, errand: dict[str, Any], server: int, report: int) -> NoReturn:
        """In the fork: keep nothing of the server, and be the parent of the trial."""
        try:
            watched = os.pidfd_open(server)
            if os.getppid() != server:
                os._exit(1)
            self.listening.close()
            self.selector.close()
            for caller in self.calling.values():
                caller.connection.close()
            for other in self.running.values():
                other.connection.close()
                os.close(other.descriptor)
                os.close(other.report)
            warden.be(watched, report, lambda parent: _become(connection, errand, parent))
        finally:
            os._exit(1)

    def _heard(self, trial: Running, source: Any) -> None:
        if trial.pid not in self.running:
            return
        if source is trial.connection:
            if not _more(trial.connection):
                self.selector.unregister(trial.connection)
                self._kill(trial, "its caller has gone")
            return
        _, status = os.waitpid(trial.pid, 0)
        del self.running[trial.pid]
        self.selector.unregister(trial.descriptor)
        with contextlib.suppress(KeyError):  # of one whose caller has hung up
            self.selector.unregister(trial.connection)
        said = trial.lines()
        os.close(trial.descriptor)
        os.close(trial.report)
        if len(said) < 2:  # it has killed its warden: what it has started is this process's now
            self._sweep()
        told = {
            "ended": said[1] if len(said) > 1 else os.waitstatus_to_exitcode(status) or 1,
            "killed": trial.killed,
            "memory": trial.most,
            "seconds": time.monotonic() - trial.started,
        }
        with contextlib.suppress(OSError):
            trial.connection.sendall(json.dumps(told).encode() + b"\n")
        trial.connection.close()
        self.idle = time.monotonic()

    def _sweep(self) -> None:
        """End all that this process has inherited."""
        children = descendants.tree()
        for orphan in set(children.get(os.getpid(), ())) - self.running.keys():
            descendants.kill([orphan, *descendants.below(orphan, children)])
            with contextlib.suppress(ChildProcessError):
                os.waitpid(orphan, 0)

    def _look(self) -> None:
        """See what trials have started, and how much memory that has."""
        if not self.running or time.monotonic() - self.looked < _LOOK_SECONDS:
            return
        self.looked, children = time.monotonic(), descendants.tree()
        for trial in self.running.values():
            others = set(descendants.below(trial.pid, children)) - set(trial.lines()[:1])
            trial.others = sum(map(_share, others))

    def _watch(self, trial: Running) -> None:
        if trial.killed is not None:
            self._kill(trial, trial.killed)
            return
        try:
            trial.most = max(trial.most, trial.others + sum(_own("RssAnon", pid) for pid in trial.lines()[:1]))
        except (OSError, ValueError):
            return  # it has just ended
        if trial.memory is not None and trial.most > trial.memory:
            self._kill(
                trial, f"used {trial.most >> 20:,} MiB of memory, more than memory_limit {trial.memory >> 20:,} MiB"
            )
        elif trial.seconds is not None and time.monotonic() - trial.started > trial.seconds:
            self._kill(trial, f"took longer than time_limit {trial.seconds:g} s")

    def _kill(self, trial: Running, why: str) -> None:
        """All of it: its warden sees its end, and ends what has come meanwhile."""
        if trial.since is None:
            trial.killed, trial.since = why, time.monotonic()
        descendants.kill(descendants.below(trial.pid))
        if time.monotonic() - trial.since > _KILL_SECONDS:
            descendants.kill([trial.pid])


def _become(connection: socket.socket, errand: dict[str, Any], parent: int) -> NoReturn:
    """In the fork: be the trial."""
    status = 1
    try:
        os.setsid()
        descendants.end_with_parent()
        if os.getppid() != parent:
            os._exit(1)
        _log_to(errand["log"])
        if errand["memory"] is not None:
            ceiling = _own("VmData") + errand["memory"] + _BEYOND
            resource.setrlimit(resource.RLIMIT_DATA, (ceiling, ceiling))
        from models.sweep import child

        status = child.main(errand, connection)
    finally:
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        os._exit(status)


def peer(connection: socket.socket) -> int:
    """The user at the other end."""
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", told)[1])


def _more(connection: socket.socket) -> bool:
    """Whether the other end is still there; callers say nothing after their errand."""
    try:
        return bool(connection.recv(1))
    except OSError:
        return False


def _own(field: str, pid: int | str = "self") -> int:
    """Bytes that the kernel tells of a process under this name."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as lines:
        for line in lines:
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) << 10
    raise ValueError(field)


def _share(pid: int) -> int:
    """Bytes of a process that are its own, of those it shares with others its share; 0 where it has ended."""
    with contextlib.suppress(OSError, ValueError, ProcessLookupError), open(f"/proc/{pid}/smaps_rollup") as lines:
        told = dict(line.split(":", 1) for line in lines if ":" in line)
        return int(told["Pss_Anon"].split()[0]) << 10
    return 0


def _log_to(path: str) -> None:
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)


def main() -> None:
    """Listen first: of two servers that start at the same time the second ends at once."""
    listening = socket.socket(socket.AF_UNIX)
    try:
        listening.bind(f"\0{sys.argv[1]}")
    except OSError:
        return
    listening.listen(64)
    import models.trainer  # noqa: F401  (what makes a fork warm)

    with contextlib.suppress(ImportError):
        import models.linear_trainer  # noqa: F401
    gc.collect()
    gc.freeze()
    Server(listening, int(sys.argv[2])).serve()


if __name__ == "__main__":
    main()
