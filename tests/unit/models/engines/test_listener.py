"""What ranks say reaches the driver; what is no message ends the rank that said it, and never the listener."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.engines.listener import Listener, connected, tell
from models.engines.messages import log, message, output
from textmill.lines import LONGEST

PROGRESS = {"epoch": 1, "epochs": 2, "step": 3, "steps": 4, "loss": float("inf"), "records_per_s": 9}


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    found = Listener("127.0.0.1", lambda rank: tmp_path / f"{rank}.log", silence=60)
    yield found
    found.close()


def heard(listener: Listener, count: int = 1) -> list[tuple[int, dict[str, Any]]]:
    found: list[tuple[int, dict[str, Any]]] = []
    until = time.monotonic() + 10
    while len(found) < count and time.monotonic() < until:
        found += [(rank.number, said) for rank, said in listener.heard(0.05)]
    return found


def seated(listener: Listener, number: int) -> socket.socket:
    connection = connected(listener.address, listener.token, number)
    until = time.monotonic() + 10
    while number not in listener.ranks and time.monotonic() < until:
        list(listener.heard(0.02))
    return connection


def test_messages_arrive_and_logs_are_written(listener: Listener, tmp_path: Path) -> None:
    with seated(listener, 3) as rank:
        tell(rank, log="[[[ a line \ud800")
        tell(rank, alive=True)
        tell(rank, progress=PROGRESS)
        tell(rank, ended=-9)
        assert heard(listener, 2) == [(3, {"progress": PROGRESS}), (3, {"ended": -9})]
    assert (tmp_path / "3.log").read_text() == "[[[ a line \\ud800\n"
    assert listener.ranks[3].host == socket.gethostname() and listener.ranks[3].ended == -9


def test_the_second_connection_of_a_rank_is_hung_up_on(listener: Listener) -> None:
    with seated(listener, 0), connected(listener.address, listener.token, 0) as second:
        list(listener.heard(0.05))
        list(listener.heard(0.05))
        second.settimeout(10)
        assert second.recv(1) == b""


@pytest.mark.parametrize("said", [b"[" * 4000 + b"\n", b"\n" * 4000, b"x" * 4000 + b"\n", b"\x80\x04" * 99])
def test_strangers_change_nothing(listener: Listener, said: bytes) -> None:
    with seated(listener, 0) as rank, socket.create_connection(listener.address, 10) as stranger:
        stranger.sendall(said)
        tell(rank, wants=1)
        assert heard(listener) == [(0, {"wants": 1})]
    assert set(listener.ranks) == {0}


def test_a_silent_stranger_does_not_hold_up_a_rank_that_comes(listener: Listener) -> None:
    strangers = [socket.create_connection(listener.address, 10) for _ in range(9)]
    begun = time.monotonic()
    with seated(listener, 0):
        assert time.monotonic() - begun < 5 and 0 in listener.ranks
    for each in strangers:
        each.close()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"[" * 4000 + b"\n", "JSON of more than 32 levels"),
        (b'{"done": ' + b'{"a":' * 4000 + b"\n", "JSON of more than 32 levels"),
        (b"x" * (LONGEST + 1), "a line of more than"),
        (b'{"progress": 1}\n', "'progress' is no message of a rank"),
        (b'{"ended": true}\n', "'ended' is no message of a rank"),
        (b'{"log": ["a"]}\n', "'log' is no message of a rank"),
        (b"{}\n", "0 messages in one line"),
    ],
)
def test_a_rank_that_talks_nonsense_is_lost_and_the_others_are_heard(
    listener: Listener, said: bytes, why: str
) -> None:
    with seated(listener, 0) as mad, seated(listener, 1) as sane:
        mad.sendall(said)
        ((rank, lost),) = heard(listener)
        assert rank == 0 and lost["gone"].startswith("a message that nobody understands (") and why in lost["gone"]
        tell(sane, wants=2)
        assert heard(listener) == [(1, {"wants": 2})]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.lists(st.binary(max_size=200), min_size=1, max_size=4))
def test_no_bytes_of_a_rank_end_the_listener(listener: Listener, pieces: list[bytes]) -> None:
    listener.ranks.clear()
    with seated(listener, 0) as rank:
        for piece in pieces:
            rank.sendall(piece)
    assert all("gone" in said for _, said in heard(listener))
    assert listener.ranks[0].ended is None


@pytest.mark.parametrize("greeting", [{}, {"rank": True, "host": "h"}, {"rank": -1, "host": "h"}, {"rank": 0, "host": 1}])
def test_who_is_no_rank_is_not_seated(listener: Listener, greeting: dict[str, object]) -> None:
    from textmill.doors import knock

    with knock(listener.address, listener.token, greeting, 10) as connection:
        connection.settimeout(10)
        assert connection.recv(1) == b""
    list(listener.heard(0.05))
    assert listener.ranks == {}


def test_lines_of_a_model_that_prints_are_its_log() -> None:
    for line in (b"{", b'{"a": 1}', b"[" * 4000, b'{"a":' * 4000, b'{"progress": {}}', b"\xff"):
        (said,) = output(line)
        assert set(said) == {"log"}
    assert output(json.dumps({"progress": PROGRESS}).encode()) == [{"progress": PROGRESS}]
    assert output(b'{"serves": ["h", 1]}') == [{"serves": ["h", 1]}]


def test_an_endless_line_of_a_log_fits_into_messages_that_the_listener_takes() -> None:
    for line in (b"\xff" * (LONGEST + 5), "끝".encode() * 400_000):
        parts = log(line)
        assert len(parts) > 1
        assert all(len(json.dumps(part)) < LONGEST and message(json.dumps(part).encode()) for part in parts)
