"""What runs in the Spark task of each rank: it starts the rank's process, watches it, and tells the driver.

A process of its own, because a Python worker of Spark lives on after a training and TensorFlow can join a cluster only
once in a process; and because its parent learns at once, from the operating system, how it ended.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.subprocesses import environ

_BEAT_SECONDS = 1.0
_PIECE = 1 << 16


@dataclass(frozen=True)
class Order:
    """What a rank is to do and whom to tell."""

    job: str
    """A TrainJob as JSON, but for the threads, which are the task's."""
    ranks: int
    driver: tuple[str, int]
    token: str
    """Tells the driver's connections from others."""


def main_fun(given: Mapping[str, Order], context: Any) -> None:
    """The function TFCluster.run calls in each task. `context` is its TFNodeContext."""
    order = given["order"]
    _end_queues(context)
    rank = context.executor_id
    with socket.create_connection(order.driver, timeout=30) as driver:
        driver.settimeout(None)
        _tell(driver, token=order.token, rank=rank, host=socket.gethostname())
        process = _start(order, rank, context.tmp_socket)
        try:
            status = _Watch(driver, process).until_it_ends()
        finally:
            process.kill()
            process.wait()
        if status is not None:
            _tell(driver, ended=status)


def _end_queues(context: Any) -> None:
    """The process with TensorFlowOnSpark's queues would outlive a killed task; nothing is fed through them."""
    from tensorflowonspark import TFSparkNode

    context.mgr.shutdown()
    TFSparkNode.TFSparkNode.mgr = None


def _start(order: Order, rank: int, port: socket.socket) -> subprocess.Popen[bytes]:
    """The rank's process, which gets `port` to hold until TensorFlow listens there: importing it takes seconds."""
    from pyspark import TaskContext

    task = TaskContext.get()
    job = {**json.loads(order.job), "threads": task.cpus() if task else 1}
    command = [sys.executable, "-m", "models.engines.tensorflowonspark_worker", json.dumps(job)]
    with port:
        return subprocess.Popen(
            [*command, str(rank), str(order.ranks), str(port.fileno())],
            env={**environ(), "TF_CONFIG": _roles(os.environ["TF_CONFIG"], job["options"]["num_ps"])},
            pass_fds=[port.fileno()],
            stdin=subprocess.PIPE,  # the worker ends when this does, so it never outlives the task
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )


def _roles(config: str, servers: int) -> str:
    """TF_CONFIG with the last workers made parameter servers.

    The library's own nodes of that kind run in a process that nothing watches, and wait for a queue to be ended.
    """
    given = json.loads(config)
    workers, task = given["cluster"].get("worker", []), given["task"]
    left = len(workers) - servers
    if not servers:
        return config
    if task["type"] == "worker" and task["index"] >= left:
        task = {"type": "ps", "index": task["index"] - left}
    return json.dumps({"cluster": {**given["cluster"], "worker": workers[:left], "ps": workers[left:]}, "task": task})


class _Watch:
    """Passes a process's lines on to the driver until it ends, with a sign of life each second."""

    def __init__(self, driver: socket.socket, process: subprocess.Popen[bytes]) -> None:
        self.driver, self.process = driver, process
        self.rest: dict[str, bytes] = {"stdout": b"", "stderr": b""}
        self.selector = selectors.DefaultSelector()
        for name in self.rest:
            self.selector.register(getattr(process, name), selectors.EVENT_READ, name)
        self.selector.register(driver, selectors.EVENT_READ, "driver")

    def until_it_ends(self) -> int | None:
        """The exit status, negative for a signal; None where the driver wants no more."""
        while len(self.selector.get_map()) > 1:
            ready = self.selector.select(_BEAT_SECONDS)
            if any(key.data == "driver" for key, _ in ready):
                return None  # it says nothing but that: by a byte, or by being gone
            for key, _ in ready:
                self._read(key)
            if not ready:
                _tell(self.driver, alive=True)
        return self.process.wait()

    def _read(self, key: selectors.SelectorKey) -> None:
        piece = os.read(key.fd, _PIECE)
        if not piece:
            self.selector.unregister(key.fileobj)
        *lines, self.rest[key.data] = (self.rest[key.data] + piece).split(b"\n")
        if not piece and self.rest[key.data]:
            lines.append(self.rest[key.data])
        for line in lines:
            _tell(self.driver, **_message(line, key.data))


def _message(line: bytes, stream: str) -> Mapping[str, Any]:
    if stream == "stdout" and line.startswith(b"{"):
        return json.loads(line)  # type: ignore[no-any-return]
    return {"log": line.decode(errors="replace")}


def _tell(driver: socket.socket, **message: Any) -> None:
    driver.sendall(json.dumps(message).encode() + b"\n")
