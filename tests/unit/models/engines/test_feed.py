"""Shards on their way to a rank: the sending end of a task and the rank's inbox, without Spark."""

from __future__ import annotations

import json
import socket
import threading

import pyarrow as pa
import pytest

from models.engines.feeder import Delivery, _send
from models.engines.inbox import Inbox, token_of
from models.engines.tensorflowonspark_node import _roles
from textmill.doors import knock


def batches(*values: int) -> list[pa.RecordBatch]:
    return [pa.RecordBatch.from_pydict({"label": pa.array([value] * 3, pa.int32())}) for value in values]


TOKEN = token_of("of the training", 0)


def way(inbox: Inbox, epoch: int, place: int, token: str = TOKEN) -> Delivery:
    return Delivery(0, inbox.address, token, {"epoch": epoch, "place": place})


def sent(inbox: Inbox, epoch: int, place: int, *values: int) -> threading.Thread:
    sending = threading.Thread(target=_send, args=(iter(batches(*values)), way(inbox, epoch, place)), daemon=True)
    sending.start()
    return sending


def test_a_shard_arrives_whole_and_its_rows_are_counted() -> None:
    inbox = Inbox("127.0.0.1", TOKEN)
    sending = sent(inbox, 0, 0, 1, 2)
    assert inbox.take((0, 0))["label"].to_pylist() == [1, 1, 1, 2, 2, 2]
    sending.join(10)
    assert _send(iter(batches(5, 6)), way(inbox, 0, 1)) == 6


def test_no_more_than_one_shard_is_taken_in_ahead() -> None:
    inbox = Inbox("127.0.0.1", TOKEN)
    sendings = {place: sent(inbox, 1, place, place) for place in (0, 1, 2)}
    assert inbox.take((1, 0))["label"].to_pylist() == [0, 0, 0]
    sendings[1].join(10)
    sendings[2].join(0.2)
    assert not sendings[1].is_alive() and sendings[2].is_alive()
    assert inbox.take((1, 1))["label"].to_pylist() == [1, 1, 1]
    sendings[2].join(10)
    assert not sendings[2].is_alive()


def test_a_shard_that_is_brought_again_is_dropped() -> None:
    inbox = Inbox("127.0.0.1", TOKEN)
    sent(inbox, 1, 0, 7)
    inbox.take((1, 0))
    sent(inbox, 1, 1, 8)
    inbox.take((1, 1))
    assert _send(iter(batches(7)), way(inbox, 1, 0)) == 3
    assert inbox._tables == {}  # noqa: SLF001


@pytest.mark.parametrize("header", [b"GET / HTTP/1.1\n" + bytes(99), b"[" * 4000 + b"\n", pa.ipc.new_stream.__doc__.encode()])
def test_strangers_are_hung_up_on(header: bytes) -> None:
    inbox = Inbox("127.0.0.1", TOKEN)
    with socket.create_connection(inbox.address, 10) as stranger:
        stranger.sendall(header)
        stranger.settimeout(10)
        with pytest.raises(ConnectionError):
            while stranger.recv(1024):
                pass
            raise ConnectionError
    with pytest.raises(OSError):
        _send(iter(batches(1)), way(inbox, 0, 0, token=token_of("of the training", 1)))


def test_a_shard_that_has_no_place_is_hung_up_on() -> None:
    inbox = Inbox("127.0.0.1", TOKEN)
    with knock(inbox.address, TOKEN, {"epoch": "0", "place": None}, 10) as connection:
        connection.settimeout(10)
        assert connection.recv(1) == b""


def test_the_last_workers_become_parameter_servers() -> None:
    def config(kind: str, index: int) -> str:
        cluster = {"chief": ["a:1"], "worker": ["b:2", "c:3", "d:4"]}
        return json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})

    made = [json.loads(_roles(config(*role), 2)) for role in (("chief", 0), ("worker", 0), ("worker", 1), ("worker", 2))]
    assert {json.dumps(one["cluster"], sort_keys=True) for one in made} == {
        '{"chief": ["a:1"], "ps": ["c:3", "d:4"], "worker": ["b:2"]}'
    }
    assert [(one["task"]["type"], one["task"]["index"]) for one in made] == [
        ("chief", 0), ("worker", 0), ("ps", 0), ("ps", 1),
    ]  # fmt: skip
    assert _roles(config("worker", 2), 0) == config("worker", 2)
