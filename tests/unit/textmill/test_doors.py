"""Nobody comes in without the token, nothing of theirs is parsed, and nobody holds up those who know it."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from textmill import doors
from textmill.doors import Door, knock, token_for

TOKEN = "of this training"
PATIENCE = 0.5


class Hall:
    """A door and those who came in."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.came: queue.Queue[tuple[socket.socket, dict[str, Any]]] = queue.Queue()
        self.read: list[bytes] = []
        reader = doors.parsed

        def parsed(text: bytes) -> dict[str, Any]:
            self.read.append(text)
            return reader(text)

        monkeypatch.setattr(doors, "parsed", parsed)
        self.door = Door("127.0.0.1", TOKEN, lambda connection, greeting: self.came.put((connection, greeting)), PATIENCE)

    def stranger(self) -> socket.socket:
        return socket.create_connection(self.door.address, 10)

    def works(self) -> bool:
        with knock(self.door.address, TOKEN, {"rank": 1}, 10) as connection:
            other, greeting = self.came.get(timeout=10)
            with other:
                other.sendall(b"in")
                return greeting == {"rank": 1} and connection.recv(2) == b"in"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "_AGAIN_SECONDS", 0.01)


@pytest.fixture
def hall(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hall]:
    found = Hall(monkeypatch)
    yield found
    found.door.close()


def ended(connection: socket.socket) -> bool:
    """Whether the door hangs up, whatever it says before."""
    connection.settimeout(10)
    try:
        while connection.recv(1024):
            pass
    except ConnectionError:
        pass
    return True


def test_who_knows_the_token_comes_in_with_a_greeting(hall: Hall) -> None:
    assert hall.works() and hall.read == [b'{"rank": 1}']


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.binary(min_size=68, max_size=400))
def test_no_bytes_of_a_stranger_are_parsed(hall: Hall, said: bytes) -> None:
    with hall.stranger() as stranger:
        stranger.sendall(said)
        if said[64:68] <= (4096).to_bytes(4, "big"):
            stranger.shutdown(socket.SHUT_WR)  # else it waits for a greeting that long
        assert ended(stranger)
    assert hall.read == [] and hall.came.empty()


@pytest.mark.parametrize("said", [b"", b"[" * 4000 + b"\n", bytes(64) + b"\0\0\x10\0" + bytes(4000), bytes(64) + b"\xff" * 4])
def test_cut_and_endless_answers_are_hung_up_on(hall: Hall, said: bytes) -> None:
    with hall.stranger() as stranger:
        stranger.sendall(said)
        assert ended(stranger)
    assert hall.read == [] and hall.works()


def test_a_byte_now_and_then_holds_nobody_up(hall: Hall) -> None:
    with hall.stranger() as stranger:
        begun = time.monotonic()
        with pytest.raises(ConnectionError):
            while time.monotonic() - begun < 30:
                stranger.sendall(b"x")
                time.sleep(0.05)
                assert hall.came.empty()
    assert hall.works()


def test_a_crowd_of_strangers_is_let_go_before_those_who_know_the_token(hall: Hall) -> None:
    hall.door._patience = 600  # noqa: SLF001
    crowd = [hall.stranger() for _ in range(doors._WAITING + 40)]  # noqa: SLF001
    assert hall.works()
    assert len(hall.door._callers) <= doors._WAITING  # noqa: SLF001
    for each in crowd:
        each.close()


def test_another_token_is_refused(hall: Hall) -> None:
    for other in ("", "another", token_for(TOKEN, "inbox 0")):
        with pytest.raises(ConnectionError):
            knock(hall.door.address, other, {"rank": 1}, 10)
    assert hall.read == [] and hall.came.empty()


def heard_of_one_who_comes_in(door: Door) -> bytes:
    """What somebody who listens to the network has of a rank's greeting."""
    sent: list[bytes] = []

    class Wire(socket.socket):
        def sendall(self, data: bytes, flags: int = 0) -> None:  # type: ignore[override]
            sent.append(data)
            super().sendall(data, flags)

    with pytest.MonkeyPatch.context() as patch:
        def create(address: tuple[str, int], timeout: float) -> socket.socket:
            wire = Wire()
            wire.connect(address)
            return wire

        patch.setattr(socket, "create_connection", create)
        knock(door.address, TOKEN, {"rank": 1}, 10).close()
    return b"".join(sent)


def test_what_was_said_once_does_not_open_again(hall: Hall) -> None:
    said = heard_of_one_who_comes_in(hall.door)
    hall.came.get(timeout=10)
    assert TOKEN.encode() not in said
    with hall.stranger() as stranger:
        stranger.sendall(said)
        assert ended(stranger)
    assert hall.came.empty() and len(hall.read) == 1


@pytest.mark.parametrize("at", [0, 40, 67, 70])
def test_a_changed_answer_does_not_open(hall: Hall, at: int) -> None:
    with hall.stranger() as stranger:
        challenge = stranger.recv(32)
        greeting = b'{"rank": 1}'
        mac = doors._mac(TOKEN, b"comes", challenge, bytes(32), greeting)  # noqa: SLF001
        answer = bytearray(bytes(32) + mac + len(greeting).to_bytes(4, "big") + greeting)
        answer[at] ^= 1
        stranger.sendall(answer)
        assert ended(stranger)
    assert hall.came.empty()


def test_who_listens_in_the_place_of_the_driver_is_found_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as false:
        false.settimeout(10)

        def answer() -> None:
            for _ in range(doors._TRIES):  # noqa: SLF001
                connection, _ = false.accept()
                connection.sendall(bytes(32))
                connection.recv(1024)
                connection.sendall(bytes(32))

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ConnectionError, match="does not know the token"):
            knock(false.getsockname()[:2], TOKEN, {}, 10)
        thread.join()


def test_one_who_never_answers_is_waited_for_in_vain_only_so_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TimeoutError):
        knock(silent.getsockname()[:2], TOKEN, {}, 0.3)


def test_a_greeting_that_is_not_wanted_is_hung_up_on_and_the_door_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(connection: socket.socket, greeting: dict[str, Any]) -> None:
        raise RuntimeError("whatever")

    door = Door("127.0.0.1", TOKEN, refuse)
    for greeting in ({}, {"rank": [[]] * 9}):
        with knock(door.address, TOKEN, greeting, 10) as connection:
            assert ended(connection)
    door.close()
    with pytest.raises(OSError):
        socket.create_connection(door.address, 1)
