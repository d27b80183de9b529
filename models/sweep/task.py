"""What Spark runs for a trial on a slot: it has the executor's server fork it, and puts its end on record."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from pyspark import SparkFiles

from models.engines.base import TrainJob, named
from models.subprocesses import environ, tail
from models.sweep import arrays
from models.sweep.ledger import Ledger
from models.sweep.server import peer
from models.sweep.trial import End, Order
from textmill.errors import TextmillError
from textmill.places import Place, place
from textmill.transfer import upload

_START_SECONDS = 300.0
"""For a server to import TensorFlow: seconds on a free machine, minutes from a cold disk."""
_TAIL = 3


class Superseded(TextmillError):
    """Another attempt at the sweep has taken over while this trial ran."""


def run(text: str) -> str:
    """Carry out an order; the trial's end. Raises TextmillError where it can't be begun, which is no trial's fault."""
    order = Order.from_json(text)
    ledger = Ledger(place(order.ledger))
    before = ledger.end(order.number) or (ledger.rung(order.number, order.rung) if order.until else None)
    if before is not None:  # a task that is tried again, whose first attempt had come to its end
        return before.to_json()
    job = TrainJob.from_json(order.job)
    tensors = arrays.decoded(job.tensors)
    with tempfile.TemporaryDirectory(prefix=f"trial-{order.number}-", dir=SparkFiles.getRootDirectory()) as made:
        folder = Path(made)
        for name in ("out", "checkpoints"):
            (folder / name).mkdir()
        here = replace(job, tensors=tensors.folder, out=folder / "out", checkpoints=folder / "checkpoints", logs=folder)
        _fetch_checkpoint(order, ledger, folder)
        end = _ended(order, _answers(order, here, folder / "log"), folder / "log")
        if not ledger.owned_by(order.owner):
            raise Superseded(f"trial {order.number}: another attempt at the sweep has begun")
        return _put(order, ledger, folder, end).to_json()


def _fetch_checkpoint(order: Order, ledger: Ledger, folder: Path) -> None:
    if order.rung:
        content = ledger.checkpoint(order.number, order.rung - 1).read_bytes()
        (folder / "checkpoints" / "latest.npz").write_bytes(content)


def _answers(order: Order, job: TrainJob, log: Path) -> dict[str, Any]:
    """What the trial and the server said of it, together."""
    limits = order.limits
    errand = {"job": job.to_json(), "until": order.until, "log": str(log), "seconds": limits.seconds,
              "memory": limits.memory}  # fmt: skip
    # A server that nobody has called for a minute may end just as it is called.
    told = _asked(errand) or _asked(errand)
    if "refused" in told:
        raise TextmillError(f"the server of trials on {socket.gethostname()} refused trial {order.number}: {told['refused']}")
    if not told:
        raise TextmillError(
            f"the process that forks trials did not start on {socket.gethostname()}: is TensorFlow installed there, in "
            f"{sys.executable}? Its last words are in the executor's log"
        )
    if "ended" not in told:
        raise TextmillError(f"the server of trials on {socket.gethostname()} ended while trial {order.number} ran")
    return told


def _asked(errand: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    with _connected() as connection, contextlib.suppress(ConnectionError), connection.makefile("rb") as lines:
        connection.sendall(json.dumps(errand).encode() + b"\n")
        for line in lines:
            told |= json.loads(line)
            if "ended" in told:  # whatever else holds the other end open
                break
    return told


def _ended(order: Order, told: dict[str, Any], log: Path) -> End:
    shared = {"trial": order.number, "seconds": round(told["seconds"], 3), "memory": told["memory"],
              "host": socket.gethostname(), "owner": order.owner}  # fmt: skip
    if told["ended"] == 0 and "value" in told:
        kept = ("best_epoch", "valid", "value", "parameters", "records_per_s", "training_seconds")
        figures = {key: told[key] for key in kept}
        return End(
            status="paused" if told["paused"] else "done",
            epochs=tuple(told["epochs"]),
            test=told.get("test"),
            **figures,
            **shared,
        )
    return End(status="failed", error=told["killed"] or told.get("error") or _crash(told["ended"], log), **shared)


def _crash(status: int, log: Path) -> str:
    """Of a process that said nothing."""
    lines = tail(log, _TAIL)
    return f"its process ended with {named(status)}: {' / '.join(lines)}" if lines else named(status)


def _put(order: Order, ledger: Ledger, folder: Path, end: End) -> End:
    """Everything of it, its end last: who finds an end finds all of it."""
    out = folder / "out"
    if end.status == "done":
        weights = out / "weights.npz"
        end = replace(end, bytes=weights.stat().st_size)
        if (found := out / "predictions.npy").exists():
            ledger.write_predictions(order.number, np.load(found, allow_pickle=False))
            found.unlink()
        _upload(out, ledger.model(order.number))
    elif end.status == "paused":
        state = folder / "checkpoints" / "latest.npz"
        ledger.checkpoint(order.number, order.rung).write_bytes(state.read_bytes())
    ledger.write(end, order.rung)
    return end


def _upload(folder: Path, to: Place) -> None:
    to.mkdir(parents=True, exist_ok=True)
    upload(folder, to)


def _connected() -> socket.socket:
    """A connection to this executor's server, which is started where there is none."""
    name = _name(os.getppid())
    deadline = time.monotonic() + _START_SECONDS
    started = False
    while time.monotonic() < deadline:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(f"\0{name}")
            if peer(connection) != os.getuid():
                raise TextmillError(f"the socket {name} belongs to another user")
            return connection
        except ConnectionRefusedError:
            connection.close()
        if not started:
            _start(name)
            started = True
        time.sleep(0.05)
    raise TextmillError(f"the server of trials on {socket.gethostname()} did not start in {_START_SECONDS:.0f} s")


def _name(parent: int) -> str:
    """One for each executor: the parent of its Python workers, and when that was started."""
    with open(f"/proc/{parent}/stat", encoding="ascii", errors="replace") as told:
        started = told.read().rpartition(")")[2].split()[19]
    return f"textmill-trials-{parent}-{started}"


def _start(name: str) -> None:
    # The threads of its own libraries would not survive a fork; a trial has as many as its slot has cores.
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    quiet = {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2")}
    parent = os.pidfd_open(os.getppid())
    try:
        subprocess.Popen(
            [sys.executable, "-m", "models.sweep.server", name, str(parent)],
            env={**environ(), **threads, **quiet}, pass_fds=[parent], stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(),
        )  # fmt: skip
    finally:
        os.close(parent)


def tasks(orders: Iterator[str]) -> Iterator[str]:
    """For mapPartitions."""
    return map(run, orders)
