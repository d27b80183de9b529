"""What runs in the Spark task of each rank: it starts the rank's process, watches it, and tells the driver.

A process of its own, because a Python worker of Spark lives on after a training and TensorFlow can join a cluster only
once in a process; and because its parent learns at once, from the operating system, how it ended.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from models.engines import inbox
from models.engines.listener import connected, tell
from models.engines.watch import Watch
from models.subprocesses import end, environ, started


@dataclass(frozen=True)
class Order:
    """What a rank is to do and whom to tell."""

    job: str
    """A TrainJob as JSON, but for the threads, which are the task's."""
    ranks: int
    driver: tuple[str, int]
    token: str = field(repr=False)
    """Shows that both ends of a connection are of this training. It travels in Spark's closure."""


def main_fun(given: Mapping[str, Order], context: Any) -> None:
    """The function TFCluster.run calls in each task. `context` is its TFNodeContext."""
    order = given["order"]
    _end_queues(context)
    rank = context.executor_id
    with connected(order.driver, order.token, rank) as driver:
        process = _start(order, rank, context.tmp_socket)
        try:
            status = Watch(process, partial(tell, driver), driver).until_it_ends()
        finally:
            end(process)
        if status is not None:
            tell(driver, ended=status)


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
        return started(  # the worker ends when its standard input does, so it never outlives the task
            [*command, str(rank), str(order.ranks), str(port.fileno())],
            env={
                **environ(),
                "TF_CONFIG": _roles(os.environ["TF_CONFIG"], job["options"]["num_ps"]),
                inbox.TOKEN: inbox.token_of(order.token, rank),  # other users see command lines, and no environment
            },
            pass_fds=[port.fileno()],
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
