"""Somebody who owns nothing here, and talks to every port of a training: pickles, brackets, noise, and silence."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

NOBODY = 65534
LOOK_SECONDS = 0.1
# In a Python of the system: another user can't read the one of the tests. Its arguments: where a pickle that is read
# leaves a folder. Its input: addresses, a line each. Its output, when that ends: how often it spoke to each.
PROGRAM = r"""
import json, os, pickle, random, socket, struct, sys, threading, time

class Evil:
    def __init__(self, name):
        self.name = name
    def __reduce__(self):
        return os.mkdir, (os.path.join(sys.argv[1], self.name),)

def payloads(number):
    evil = pickle.dumps({"type": "REG", "data": Evil(str(number))})
    yield evil
    yield struct.pack(">I", len(evil)) + evil
    yield pickle.dumps(Evil(f"{number}-bare"))
    yield b"[" * 4000 + b"\n"
    yield b'{"type": "QUERY", "token": 1, "a": ' + b'{"a":' * 4000 + b"\n"
    yield random.randbytes(300)
    yield b""

def attack(host, port):
    held = []
    for number in range(1_000_000):
        for said in payloads(number):
            try:
                connection = socket.create_connection((host, port), 2)
            except OSError:
                time.sleep(0.2)
                continue
            spoken[f"{host}:{port}"] = spoken.get(f"{host}:{port}", 0) + 1
            try:
                connection.sendall(said)
                connection.settimeout(0.05)
                connection.recv(100)
            except OSError:
                pass
            if len(held) < 8 and len(said) < 1000:
                held.append(connection)  # and nothing more is said
            else:
                connection.close()
            time.sleep(0.05)
        for each in held:
            try:
                each.send(b"x")
            except OSError:
                pass

spoken = {}
print("uid", os.getuid(), flush=True)
for line in sys.stdin:
    host, port = line.split()
    threading.Thread(target=attack, args=(host, int(port)), daemon=True).start()
print(json.dumps(spoken), flush=True)
os._exit(0)
"""


class Stranger:
    """A process of another user, or of another host, given the ports to talk to."""

    def __init__(self, folder: Path, around: Sequence[str] = (), user: int | None = NOBODY) -> None:
        """`around`: words that start a program elsewhere."""
        self.folder = folder
        self.folder.mkdir()
        self.ports: set[tuple[str, int]] = set()
        self.process = subprocess.Popen(
            [*around, "/usr/bin/python3", "-c", PROGRAM, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            user=user, group=user, extra_groups=[] if user else None, cwd="/", text=True, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == f"uid {user or 0}\n"

    def talk_to(self, host: str, port: int) -> None:
        """From now on, again and again."""
        if (host, port) not in self.ports:
            self.ports.add((host, port))
            assert self.process.stdin is not None
            self.process.stdin.write(f"{host} {port}\n")
            self.process.stdin.flush()

    def end(self) -> dict[tuple[str, int], int]:
        """How often it talked to each port."""
        said, _ = self.process.communicate(timeout=30)
        found = ((address.rpartition(":"), count) for address, count in json.loads(said).items())
        return {(host, int(port)): count for (host, _, port), count in found}


def listening(process: psutil.Process) -> dict[tuple[str, int], int]:
    """The addresses at which a process and its descendants listen, with the pid of each."""
    tree = {process.pid, *(child.pid for child in process.children(recursive=True))}
    return {
        (each.laddr.ip.removeprefix("::ffff:"), each.laddr.port): each.pid
        for each in psutil.net_connections("tcp")
        if each.status == psutil.CONN_LISTEN and each.pid in tree
    }


@dataclass
class Siege:
    """What was found, and how often a stranger came in there; a port that lets nobody in is found and not entered."""

    words: dict[int, str] = field(default_factory=dict)
    """The command line behind each port that the stranger was shown."""
    pids: dict[int, int] = field(default_factory=dict)
    entered: dict[int, int] = field(default_factory=dict)


@contextmanager
def besieged(stranger: Stranger, reach: str = "127.0.0.1") -> Iterator[Siege]:
    """While the block runs, the stranger talks to every port of this process and its descendants at the address `reach`.

    Ports that are open for an instant are left alone: the JVM opens one for each result that Python fetches, and takes
    one caller there.
    """
    siege, over, process = Siege(), threading.Event(), psutil.Process()

    def look() -> None:
        before: dict[tuple[str, int], int] = {}
        while not over.wait(LOOK_SECONDS):
            now = listening(process)
            for host, port in now.keys() & before.keys():
                if host in (reach, "0.0.0.0", "::") and port not in siege.words:
                    siege.words[port], siege.pids[port] = _words(now[host, port]), now[host, port]
                    stranger.talk_to(reach, port)
            before = now

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield siege
    finally:
        over.set()
        thread.join()
        siege.entered = {port: count for (_, port), count in stranger.end().items()}


def _words(pid: int) -> str:
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return ""
