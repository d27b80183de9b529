"""The warm server of one executor: python -m models.sweep.server NAME DESCRIPTOR.

It has TensorFlow imported and nothing computed, so that a trial is a fork of it: a process of its own within
milliseconds, not the seconds of an import. It listens on the abstract socket NAME, one connection to a trial: the
first line is an errand, the answers are what the trial says, and how it ended. Who hangs up ends the trial. The server
ends with the process behind the pidfd DESCRIPTOR (the parent of Spark's Python workers), or when nobody calls for long.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import resource
import selectors
import signal
import socket
import struct
import sys
import time
from dataclasses import dataclass
from typing import Any, NoReturn

_WATCH_SECONDS = 0.05
_IDLE_SECONDS = 60.0
_REQUEST_SECONDS = 5.0
_LONGEST = 1 << 20
_PR_SET_PDEATHSIG = 1
_BEYOND = 512 << 20
"""Room above its limit that a process may ask for before the kernel refuses: memory that is asked for and not used."""


@dataclass
class Running:
    """A trial's process."""

    pid: int
    descriptor: int
    """Its pidfd."""
    connection: socket.socket
    started: float
    seconds: float | None
    memory: int | None
    most: int = 0
    killed: str | None = None
    """Why, where the server killed it."""


class Server:
    """Accepts errands, forks a process for each, watches over time and memory. One thread, as a fork needs it."""

    def __init__(self, listening: socket.socket, parent: int) -> None:
        self.listening, self.parent = listening, parent
        self.selector = selectors.DefaultSelector()
        self.selector.register(listening, selectors.EVENT_READ)
        self.selector.register(parent, selectors.EVENT_READ)
        self.running: dict[int, Running] = {}
        self.idle = time.monotonic()

    def serve(self) -> None:
        """Until the parent ends or nobody calls for a minute; trials that still run end with this process."""
        while self.running or time.monotonic() - self.idle < _IDLE_SECONDS:
            for key, _ in self.selector.select(_WATCH_SECONDS if self.running else 1.0):
                if key.fileobj == self.parent:
                    return
                if key.fileobj is self.listening:
                    self._accept()
                elif isinstance(key.data, Running):
                    self._heard(key.data, key.fileobj)
            for trial in list(self.running.values()):
                self._watch(trial)

    def _accept(self) -> None:
        connection, _ = self.listening.accept()
        try:
            connection.settimeout(_REQUEST_SECONDS)
            if peer(connection) != os.getuid():
                raise PermissionError("another user")
            with connection.makefile("rb") as lines:
                errand = json.loads(lines.readline(_LONGEST))
        except (OSError, ValueError):
            connection.close()
            return
        connection.settimeout(None)
        with contextlib.suppress(OSError):
            connection.sendall(b'{"begun": true}\n')
        self._fork(connection, errand)

    def _fork(self, connection: socket.socket, errand: dict[str, Any]) -> None:
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become(connection, errand, server)
        trial = Running(pid, os.pidfd_open(pid), connection, time.monotonic(), errand["seconds"], errand["memory"])
        self.running[pid] = trial
        self.selector.register(connection, selectors.EVENT_READ, trial)
        self.selector.register(trial.descriptor, selectors.EVENT_READ, trial)

    def _become(self, connection: socket.socket, errand: dict[str, Any], server: int) -> NoReturn:
        """In the fork: be the trial."""
        status = 1
        try:
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != server:
                os._exit(1)
            self.listening.close()
            self.selector.close()
            for other in self.running.values():
                other.connection.close()
                os.close(other.descriptor)
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

    def _heard(self, trial: Running, source: Any) -> None:
        if trial.pid not in self.running:
            return
        if source is trial.connection:
            if not _more(trial.connection):
                self.selector.unregister(trial.connection)
                os.kill(trial.pid, signal.SIGKILL)
            return
        _, status = os.waitpid(trial.pid, 0)
        del self.running[trial.pid]
        self.selector.unregister(trial.descriptor)
        os.close(trial.descriptor)
        with contextlib.suppress(KeyError):  # of one whose caller has hung up
            self.selector.unregister(trial.connection)
        seconds = time.monotonic() - trial.started
        told = {
            "ended": os.waitstatus_to_exitcode(status),
            "killed": trial.killed,
            "memory": trial.most,
            "seconds": seconds,
        }
        with contextlib.suppress(OSError):
            trial.connection.sendall(json.dumps(told).encode() + b"\n")
        trial.connection.close()
        self.idle = time.monotonic()

    def _watch(self, trial: Running) -> None:
        try:
            trial.most = max(trial.most, _own("RssAnon", trial.pid))
        except (OSError, ValueError):
            return  # it has just ended
        if trial.memory is not None and trial.most > trial.memory:
            self._kill(
                trial, f"used {trial.most >> 20:,} MiB of memory, more than memory_limit {trial.memory >> 20:,} MiB"
            )
        elif trial.seconds is not None and time.monotonic() - trial.started > trial.seconds:
            self._kill(trial, f"took longer than time_limit {trial.seconds:g} s")

    def _kill(self, trial: Running, why: str) -> None:
        if trial.killed is None:
            trial.killed = why
            os.kill(trial.pid, signal.SIGKILL)


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
