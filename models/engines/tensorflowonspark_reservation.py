"""How the nodes of a TensorFlowOnSpark cluster find each other: in the place of the library's tensorflowonspark.reservation.

The library's server and client exchange pickles, and so run the code of anybody who reaches the driver's port or takes
its place. These exchange lines of JSON, over connections whose both ends know the training's token (textmill.doors).
"""

from __future__ import annotations

import ipaddress
import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from models.engines import peers
from textmill.doors import Door, knock, token_for
from textmill.lines import LONGEST, parsed

_POLL_SECONDS = 0.5
_SILENCE_SECONDS = 60.0
_FIELDS: Mapping[str, type] = {
    "executor_id": int, "host": str, "job_name": str, "task_index": int, "port": int, "tb_pid": int, "tb_port": int,
}  # fmt: skip
"""What a node registers with. The library's also give away the key of the queues in it, which textmill ends unused."""
_ADDRESSES = "addresses"
"""All addresses of a node's host, beside these."""

Node = dict[str, Any]


def token_of(training: str) -> str:
    """The token of a training's reservations, made of the training's own."""
    return token_for(training, "reservations")


class Server:
    """What TFCluster.run makes in the driver, as tensorflowonspark.reservation.Server.

    It answers {"node": …} and {} with all nodes so far, and whether they are all.
    """

    def __init__(self, count: int, host: str, token: str) -> None:
        """Listens on `host` for `count` nodes from now on."""
        self.count, self.done = count, False
        self._nodes: list[Node] = []
        self._door = Door(host, token, self._welcome)

    @property
    def address(self) -> tuple[str, int]:
        """Where nodes register."""
        return self._door.address

    def start(self) -> tuple[str, int]:
        """The address, which the library ships to the executors."""
        return self.address

    def await_reservations(self, sc: Any, status: Mapping[str, Any], timeout: float) -> list[Node]:
        """All nodes. Raises TimeoutError after `timeout` seconds; where the job failed, what `sc.cancelAllJobs` does."""
        until = time.monotonic() + timeout
        while len(self._nodes) < self.count:
            if "error" in status:
                sc.cancelAllJobs()
            if time.monotonic() > until:
                raise TimeoutError(f"{len(self._nodes)} of {self.count} nodes have registered within {timeout:.0f} s")
            time.sleep(_POLL_SECONDS)
        return list(self._nodes)

    def stop(self) -> None:
        """Let no more nodes in."""
        self.done = True
        self._door.close()

    def _welcome(self, connection: socket.socket, greeting: Node) -> None:
        threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(_SILENCE_SECONDS)
        try:
            with connection:
                for message in _messages(connection):
                    if message:
                        self._nodes.append(_node(message.get("node")))
                    nodes = list(self._nodes)
                    _send(connection, {"nodes": nodes, "all": len(nodes) >= self.count})
        except (OSError, ValueError) as error:
            logging.getLogger(__name__).warning("the registration of a node broke: %s", error)


class Client:
    """What the library's function asks on an executor, as tensorflowonspark.reservation.Client."""

    def __init__(self, server_addr: tuple[str, int], token: str) -> None:
        self._connection = knock(server_addr, token, {})
        self._connection.settimeout(_SILENCE_SECONDS)
        self._answers = _messages(self._connection)

    def get_reservations(self) -> list[Node]:
        """The nodes that have registered until now."""
        return list(self._ask({})["nodes"])

    def register(self, reservation: Node) -> None:
        """Add this one, but for its address and key of its queues."""
        self._ask({"node": {**{name: reservation[name] for name in _FIELDS}, _ADDRESSES: peers.addresses()}})

    def await_reservations(self) -> list[Node]:
        """All nodes, waited for: how long is the driver's to decide, which ends the task."""
        while not (answer := self._ask({}))["all"]:
            time.sleep(_POLL_SECONDS)
        os.environ[peers.HOSTS] = ",".join(others(answer["nodes"], peers.addresses()))  # for the rank's process
        return list(answer["nodes"])

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _ask(self, message: Node) -> Node:
        _send(self._connection, message)
        for answer in self._answers:
            return answer
        raise ConnectionError("the driver ended the registration of nodes")


@dataclass(frozen=True)
class Registering:
    """The library's function for the task of a node, which there finds this module's Client."""

    function: Callable[[Iterator[int]], None]
    driver: tuple[str, int]
    token: str = field(repr=False)

    def __call__(self, numbers: Iterator[int]) -> None:
        """In the Python worker of an executor."""
        with _replaced(self.driver, self.token):
            self.function(numbers)


@contextmanager
def _replaced(driver: tuple[str, int], token: str) -> Iterator[None]:
    """Inside of the block the library registers by Client, at the address that faces the driver, and logs no keys."""
    from tensorflowonspark import reservation, util

    library, address, logger = reservation.Client, util.get_ip_address, logging.getLogger("tensorflowonspark")
    reservation.Client = partial(Client, token=token)
    # The library's own is the one that faces the internet, where all ranks may be on a machine's loopback interface.
    util.get_ip_address = partial(facing, driver)
    level = logger.level
    logger.setLevel(logging.WARNING)  # at INFO it writes down each node with the key of its queues
    try:
        yield
    finally:
        reservation.Client, util.get_ip_address = library, address
        logger.setLevel(level)


def facing(other: tuple[str, int]) -> str:
    """The address of this host by which it reaches another."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(other)  # nothing is sent: the system only picks the route
        return str(probe.getsockname()[0])


def others(nodes: list[Node], own: list[str]) -> list[str]:
    """The addresses of the nodes' hosts that are not this one's."""
    found = {address for node in nodes for address in (node["host"], *node[_ADDRESSES])}
    return sorted(address for address in found if address not in own and not address.startswith("127."))


def _send(connection: socket.socket, message: Node) -> None:
    connection.sendall(json.dumps(message).encode() + b"\n")


def _messages(connection: socket.socket) -> Iterator[Node]:
    """What the other end says, until it hangs up. Raises ValueError where that is no JSON, or too long or deep."""
    with connection.makefile("rb") as stream:
        while line := stream.readline(LONGEST):
            yield parsed(line)


def _node(given: Any) -> Node:
    if not isinstance(given, dict) or given.keys() != {*_FIELDS, _ADDRESSES}:
        raise ValueError(f"no node: {str(given)[:200]}")
    found = given[_ADDRESSES]
    if any(type(given[name]) is not kind for name, kind in _FIELDS.items()) or not isinstance(found, list):
        raise ValueError(f"no node: {str(given)[:200]}")
    for address in (given["host"], *found):
        ipaddress.IPv4Address(address)  # raises ValueError for another
    return given
