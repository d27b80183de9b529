"""The server of trials takes errands of its own user alone, and no caller holds up or ends it."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from models.sweep import server
from models.sweep.server import Server

ERRAND = {"job": "{}", "until": None, "log": "/dev/null", "seconds": 1.5, "memory": None}


class Counter(Server):
    """Notes errands where a server forks."""

    def __init__(self, listening: socket.socket, parent: int) -> None:
        super().__init__(listening, parent)
        self.errands: list[dict[str, Any]] = []

    def _fork(self, connection: socket.socket, errand: dict[str, Any]) -> None:
        self.errands.append(errand)
        connection.close()

    def _look(self) -> None:
        """At what trials leave: here that would be the children of all tests."""


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Counter, str]]:
    monkeypatch.setattr(server, "_REQUEST_SECONDS", 0.5)
    monkeypatch.setattr(server.descendants, "adopt", lambda: None)
    name = f"\0textmill-test-{secrets.token_hex(8)}"
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(name)
    listening.listen(64)
    parent, end = os.pipe()
    found = Counter(listening, parent)
    thread = threading.Thread(target=found.serve)
    thread.start()
    yield found, name
    os.close(end)
    thread.join(10)
    assert not thread.is_alive()
    listening.close()


def answers(name: str, said: bytes) -> list[dict[str, Any]]:
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(20)
        caller.connect(name)
        caller.sendall(said)
        with caller.makefile("rb") as lines:
            return [json.loads(line) for line in lines]


def errand() -> bytes:
    return json.dumps(ERRAND).encode() + b"\n"


@pytest.mark.parametrize(
    "said",
    [b"[" * 4000 + b"\n", b"\n", b'{"job": ' + b"[" * 4000 + b"\n", b"{}\n", errand()[:-9], b"",
     json.dumps({**ERRAND, "memory": "much"}).encode() + b"\n"],
)  # fmt: skip
def test_what_is_no_errand_is_refused_with_the_reason(running: tuple[Counter, str], said: bytes) -> None:
    found, name = running
    (answer,) = answers(name, said)
    assert answer["refused"]
    assert answers(name, errand()) == [{"begun": True}]
    assert found.errands == [ERRAND]


def test_callers_that_say_nothing_hold_up_nobody(running: tuple[Counter, str], monkeypatch: pytest.MonkeyPatch) -> None:
    found, name = running
    monkeypatch.setattr(server, "_REQUEST_SECONDS", 600.0)
    silent = [socket.socket(socket.AF_UNIX) for _ in range(9)]
    for each in silent:
        each.connect(name)
        each.sendall(b"{")
    assert answers(name, errand()) == [{"begun": True}]
    assert found.errands == [ERRAND]
    for each in silent:
        each.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
def test_another_user_is_hung_up_on(running: tuple[Counter, str]) -> None:
    found, name = running
    program = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect('\\0' + sys.argv[1]); s.send(sys.stdin.buffer.read()); print(s.recv(99))"
    done = subprocess.run(
        ["/usr/bin/env", "python3", "-c", program, name[1:]], input=errand(), capture_output=True, check=False,
        user=65534, group=65534, extra_groups=[], cwd="/", env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.stdout in (b"b''\n", b"") and found.errands == [], done
