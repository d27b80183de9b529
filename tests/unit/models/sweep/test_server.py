"""The server of trials: what a trial starts ends with it and counts as its own. Deeds stand in for trainings."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PROGRAM = '''
import os, signal, subprocess, sys, time, types

HOLD = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(600)"

def apart(errand, code=HOLD):
    """A child in a session of its own, whose parent is gone."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            name = errand["log"] + ".pid"
            os.closerange(200, 300)
            os.execv(sys.executable, [sys.executable, "-c", code, name])
        os._exit(0)
    os.wait()
    while not os.path.exists(errand["log"] + ".pid") or not open(errand["log"] + ".pid").read():
        time.sleep(0.01)

def main(errand, connection):
    deed = errand["deed"]
    if deed == "sleep":
        time.sleep(600)
    elif deed == "leave a child":
        apart(errand)
    elif deed == "leave a fork":  # it has all that this process has open
        if os.fork() == 0:
            os.setsid()
            open(errand["log"] + ".pid", "w").write(str(os.getpid()))
            time.sleep(600)
    elif deed == "sleep with a child":
        apart(errand)
        time.sleep(600)
    elif deed == "eat in a child":
        apart(errand, "import time; a = b'x' * (400 << 20);" + HOLD)
        time.sleep(600)
    elif deed == "kill the parent":
        apart(errand)
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(600)
    elif deed == "kill the group":
        apart(errand)
        os.killpg(0, signal.SIGKILL)
    elif deed == "stop the parent":
        apart(errand)
        os.kill(os.getppid(), signal.SIGSTOP)
        time.sleep(600)
    connection.sendall(b'{"value": 1}\\n')
    return 0

sys.modules["models.sweep.child"] = types.SimpleNamespace(main=main)
import models.sweep
models.sweep.child = sys.modules["models.sweep.child"]
from models.sweep import server
server._KILL_SECONDS = 1.0
import socket
listening = socket.socket(socket.AF_UNIX)
listening.bind("\\0" + sys.argv[1])
listening.listen(8)
print("ready", flush=True)
server.Server(listening, os.pidfd_open(os.getppid())).serve()
'''


class _Served:
    """A server in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.name = folder, f"textmill-test-{uuid.uuid4().hex}"
        command = [sys.executable, "-c", PROGRAM, self.name]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, process_group=0)
        assert self.process.stdout is not None and self.process.stdout.readline() == "ready\n"

    def begin(self, deed: str, seconds: float | None = None, memory: int | None = None) -> tuple[socket.socket, Path]:
        """The connection of a trial, and the file with the number of the child that it leaves."""
        log = self.folder / uuid.uuid4().hex
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(f"\0{self.name}")
        errand = {"deed": deed, "seconds": seconds, "memory": memory, "log": str(log)}
        connection.sendall(json.dumps(errand).encode() + b"\n")
        return connection, Path(f"{log}.pid")

    def run(self, deed: str, seconds: float | None = None, memory: int | None = None) -> tuple[dict[str, Any], int]:
        """What was said of a trial, and the number of its child."""
        connection, child = self.begin(deed, seconds, memory)
        return _end(connection), int(child.read_text()) if child.exists() else 0


def _end(connection: socket.socket) -> dict[str, Any]:
    connection.settimeout(30)
    told: dict[str, Any] = {}
    with connection, connection.makefile("rb") as lines:
        for line in lines:
            told |= json.loads(line)
            if "ended" in told:
                break
    return told


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _until(holds: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[_Served]:
    started = _Served(tmp_path)
    yield started
    started.process.kill()
    started.process.wait()
    assert started.process.stdout is not None
    started.process.stdout.close()


@pytest.mark.parametrize("deed", ["leave a child", "leave a fork"])
def test_what_a_trial_leaves_ends_with_it(served: _Served, deed: str) -> None:
    told, child = served.run(deed)
    assert told["ended"] == 0 and told["value"] == 1 and told["killed"] is None
    if not child:  # a fork that had not come so far
        return
    assert not _lives(child)


def test_a_time_limit_ends_what_the_trial_has_started(served: _Served) -> None:
    told, child = served.run("sleep with a child", seconds=1.0)
    assert told["killed"] == "took longer than time_limit 1 s" and told["ended"] == -signal.SIGKILL
    assert child and not _lives(child)


def test_the_memory_of_what_a_trial_has_started_counts(served: _Served) -> None:
    told, child = served.run("eat in a child", seconds=60.0, memory=300 << 20)
    assert "more than memory_limit 300 MiB" in told["killed"] and told["memory"] > 300 << 20
    assert not _lives(child)


@pytest.mark.parametrize("deed", ["kill the parent", "kill the group"])
def test_a_trial_that_kills_its_parent_or_its_group_ends_alone(served: _Served, deed: str) -> None:
    neighbour, _ = served.begin("sleep", seconds=3.0)
    told, child = served.run(deed)
    assert told["ended"] == -signal.SIGKILL and told["killed"] is None and "value" not in told
    assert child and not _lives(child)
    assert _end(neighbour)["killed"] == "took longer than time_limit 3 s"
    assert served.run("nothing")[0]["value"] == 1


def test_a_trial_that_stops_its_parent_ends_all_the_same(served: _Served) -> None:
    told, child = served.run("stop the parent", seconds=1.0)
    assert told["killed"] and child
    _until(lambda: not _lives(child))


def test_who_hangs_up_ends_the_trial_and_what_it_has_started(served: _Served) -> None:
    connection, child = served.begin("sleep with a child")
    _until(lambda: child.exists() and child.read_text())
    connection.close()
    _until(lambda: not _lives(int(child.read_text())))


def test_nothing_outlives_a_server_that_is_killed(served: _Served) -> None:
    connection, child = served.begin("sleep with a child")
    _until(lambda: child.exists() and child.read_text())
    os.kill(served.process.pid, signal.SIGKILL)
    _until(lambda: not _lives(int(child.read_text())))
    connection.close()
