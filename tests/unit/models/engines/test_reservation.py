"""Nodes find each other by JSON behind a token; the library's pickles are not read, and its keys are not sent."""

from __future__ import annotations

import json
import os
import pickle
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.engines import peers
from models.engines import tensorflowonspark_reservation as reservation
from models.engines.tensorflowonspark_reservation import Client, Server
from textmill.doors import knock

TOKEN = "t"


def node(number: int) -> dict[str, Any]:
    """As the library's function makes it."""
    return {"executor_id": number, "host": "127.0.0.1", "job_name": "worker", "task_index": number, "port": 2000 + number,
            "tb_pid": 0, "tb_port": 0, "addr": "/tmp/pymp-x/listener-y", "authkey": b"\xff" * 16}  # fmt: skip


@pytest.fixture(autouse=True)
def environ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(peers.HOSTS, "")  # which is set by a Client


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server(2, "127.0.0.1", TOKEN)
    yield found
    found.stop()


class Evil:
    """Leaves a file where it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.file),)


def test_nodes_wait_for_each_other_and_keep_their_keys(server: Server) -> None:
    got: dict[int, list[dict[str, Any]]] = {}

    def register(number: int) -> None:
        client = Client(server.start(), TOKEN)
        assert number in (each["executor_id"] for each in client.get_reservations()) or not got
        client.register(node(number))
        got[number] = client.await_reservations()
        client.close()

    first = threading.Thread(target=register, args=(0,))
    first.start()
    time.sleep(0.1)
    assert not got
    register_second = threading.Thread(target=register, args=(1,))
    register_second.start()
    nodes = server.await_reservations(None, {}, 10)
    for thread in (first, register_second):
        thread.join(10)
    assert sorted(each["executor_id"] for each in nodes) == [0, 1]
    assert sorted(got) == [0, 1] and all(len(each) == 2 for each in got.values())
    assert all(set(each) == (set(node(0)) | {"addresses"}) - {"addr", "authkey"} for each in nodes)
    assert os.environ[peers.HOSTS] == ""  # all on this host


def test_pickles_of_strangers_are_not_read(server: Server, tmp_path: Path) -> None:
    evil = pickle.dumps({"type": "REG", "data": Evil(tmp_path / "ran")})
    for said in (evil, struct.pack(">I", len(evil)) + evil):
        with socket.create_connection(server.address, 10) as stranger:
            stranger.sendall(said + bytes(200))
            stranger.settimeout(10)
            with pytest.raises(ConnectionError):
                while stranger.recv(1024):
                    pass
                raise ConnectionError
    with knock(server.address, TOKEN, {}, 10) as known:
        known.sendall(evil + b"\n")
        assert known.recv(1) == b""
    assert not (tmp_path / "ran").exists()
    pickle.loads(evil)  # so the payload does run where a pickle is read
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("line", [
    b"[" * 4000, b'{"node": ' + b"[" * 4000, b'{"node": {}}', b'{"no": 1}', b"[]", b'{"node": {"executor_id": "0"}}',
    json.dumps({"node": {**{key: value for key, value in node(0).items() if key not in ("addr", "authkey")},
                         "addresses": ["10.0.0"]}}).encode(), b"\xff",
])  # fmt: skip
def test_what_is_no_node_is_hung_up_on(server: Server, line: bytes) -> None:
    with knock(server.address, TOKEN, {}, 10) as known:
        known.sendall(line + b"\n")
        assert known.recv(1) == b""
    Client(server.address, TOKEN).register(node(0))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.binary(min_size=1, max_size=300))
def test_no_bytes_end_the_server(server: Server, said: bytes) -> None:
    with knock(server.address, TOKEN, {}, 10) as known:
        known.sendall(said)
        known.shutdown(socket.SHUT_WR)
    assert Client(server.address, TOKEN).get_reservations() == []


def test_nodes_that_do_not_come_are_counted(server: Server) -> None:
    Client(server.address, TOKEN).register(node(0))
    with pytest.raises(TimeoutError, match="1 of 2 nodes have registered within 0 s"):
        server.await_reservations(None, {}, 0.0)


def test_a_client_whose_driver_is_gone_says_so(server: Server) -> None:
    client = Client(server.address, TOKEN)
    client._connection.shutdown(socket.SHUT_RDWR)  # noqa: SLF001
    with pytest.raises(OSError):
        client.await_reservations()


def test_hosts_of_other_nodes_are_named_by_all_their_addresses() -> None:
    nodes = [{"host": "10.0.0.1", "addresses": ["10.0.0.1", "172.17.0.1"]},
             {"host": "10.0.0.2", "addresses": ["10.0.0.2", "10.1.0.2", "172.17.0.1"]}]  # fmt: skip
    assert reservation.others(nodes, ["10.0.0.1", "172.17.0.1"]) == ["10.0.0.2", "10.1.0.2"]
    assert reservation.others([{"host": "127.0.0.1", "addresses": ["10.0.0.1"]}], ["10.0.0.1"]) == []


def test_the_address_faces_the_driver(server: Server) -> None:
    assert reservation.facing(server.address) == "127.0.0.1"


def test_the_library_finds_the_client_inside_of_the_block_alone(server: Server) -> None:
    pytest.importorskip("tensorflowonspark.reservation")
    from tensorflowonspark import reservation as library
    from tensorflowonspark import util

    before = library.Client, util.get_ip_address
    seen = []

    def function(numbers: Iterator[int]) -> None:
        client = library.Client(server.address)
        seen.append((type(client), util.get_ip_address()))
        client.register(node(*numbers))

    reservation.Registering(function, server.address, TOKEN)(iter([1]))
    assert seen == [(Client, "127.0.0.1")]
    assert (library.Client, util.get_ip_address) == before
    assert TOKEN not in repr(reservation.Registering(function, server.address, TOKEN)).replace("token", "").split("0x")[-1]
