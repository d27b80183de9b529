"""engine horovod: synchronous training with Horovod, one rank on each GPU or CPU share of some hosts.

docs/horovod.md tells its options. The ranks are started by horovodrun (Gloo), over ssh where they are on other hosts,
or with `on: spark` in tasks on the session's executors.
"""

from __future__ import annotations

import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from models.engines.base import Engine, Probe, Progress, TrainJob, TrainStats, unfit
from models.engines.base import missing as missing_packages
from models.engines.horovod_follow import Follow
from models.engines.horovod_options import Options
from models.engines.horovod_worker import ALIVE
from models.launchers import needs, ssh
from models.subprocesses import environ, tail
from textmill.errors import TextmillError
from textmill.lines import Lines
from textmill.params import Params

_POLL_SECONDS = 0.2
_GRACE_SECONDS = 1.0
_END_SECONDS = 8.0
_PIECE = 1 << 16
_BUILT = """
import horovod
import horovod.tensorflow as hvd
parts = {"Gloo": hvd.gloo_built(), "MPI": hvd.mpi_built(), "NCCL": hvd.nccl_built()}
print(f"Horovod {horovod.__version__}, " + ", ".join(f"{name} {'yes' if built else 'no'}" for name, built in parts.items()))
"""


class Horovod(Engine):
    """Ranks add up sums of gradients by a ring all-reduce, so all weights stay equal."""

    name = "horovod"
    starts_warm = True
    Options: ClassVar[type[Params]] = Options

    def probe(self) -> Probe:
        """TensorFlow, tf_keras and Horovod must be installed."""
        return missing_packages({name: name for name in ("tensorflow", "tf_keras", "horovod")}, "scripts/setup.sh --horovod")

    def details(self) -> str:
        """What was built in, as Horovod itself says in a process of its own: it loads TensorFlow."""
        asked = [sys.executable, "-c", _BUILT]
        done = subprocess.run(asked, capture_output=True, text=True, env=environ(), check=False, timeout=120)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            return f"does not load here: {last}; build it for this TensorFlow by scripts/setup.sh --horovod"
        return f"available: {done.stdout.strip()}"

    def ready(self, options: Mapping[str, Any]) -> Probe:
        """Under a scheduler nothing of it runs here but what submits; ranks on other hosts need ssh and their names."""
        given = Options(**options)
        if given.scheduler is not None:
            missing = needs.of_scheduler(given.scheduler, str(given.target))
        else:
            probe = self.probe()
            if not probe.available or given.hosts is None:
                return probe
            missing = needs.of_hosts(host for host, _ in ssh.rooms(given.hosts))
        return Probe(not missing, missing)

    def deciding(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Not where the ranks are, nor how gradients are gathered to be sent."""
        return Options(**options).deciding()

    def check(self, job: TrainJob) -> list[str]:
        """Also that every number of ranks that hosts may leave can share the shards, and the session's settings."""
        options = Options(**job.options)
        if options.on == "spark":
            from models.engines import horovod_spark

            return horovod_spark.unfit_for(job, self.spark)
        if options.scheduler is not None:
            return unfit(job.tensors, 1)  # a bundle has as many shards as its ranks need
        found = unfit(job.tensors, options.launch().ranks)
        return found + (_unfit_elastic(job, options) if options.min_ranks else [])

    def train(self, job: TrainJob, on_progress: Callable[[Progress], None]) -> TrainStats:
        """Start all ranks and follow them; rank 0 exports. Raises WorkerLost, or TextmillError where they don't start."""
        job.checkpoints.mkdir(parents=True, exist_ok=True)
        options = Options(**job.options)
        if options.on == "spark":
            from models.engines import horovod_spark

            follow = horovod_spark.run(job, options, self.spark, on_progress)
        elif options.scheduler is not None:
            from models.engines import horovod_scheduled

            assert self.spark is not None
            follow = horovod_scheduled.run(job, options, self.spark, on_progress)
        else:
            follow = _Launched(job, options, on_progress).run()
        done = follow.done
        if done is None:
            raise TextmillError(f"no rank of {job.name} told of an end; {follow.log()} has what the launcher said")
        if not (job.out / "weights.npz").exists():
            raise TextmillError(f"rank 0 on {follow.hosts[0]} has written {job.out} there, where it is not this folder: "
                                "let the hosts share it, or send them a bundle by `textmill export`")  # fmt: skip
        restarts = sum(not each.peer for each in follow.lost)
        return TrainStats(tuple(done["seconds_per_epoch"]), done["records_per_s"], done["resumed_from_epoch"], restarts,
                          tuple(done["steps"]), done["input_wait_share"])  # fmt: skip


def _unfit_elastic(job: TrainJob, options: Options) -> Iterator[str] | list[str]:
    rooms = [room for _, room in ssh.rooms(options.launch().hosts)]
    if len(rooms) < 2:
        return ["min_ranks goes on without a lost host, and there is one host only: name more, or leave min_ranks out"]
    if not job.resume:
        return ["min_ranks goes on from the last checkpoint, and the training says `resume: false`"]
    left = {0}
    for room in rooms:
        left |= {count + room for count in left}
    counts = {min(count, options.launch().ranks) for count in left if count >= (options.min_ranks or 1)}
    return [
        problem for count in sorted(counts) for problem in unfit(job.tensors, count) if "can't share" in problem
    ]


class _Launched:
    """One horovodrun and what its ranks say."""

    def __init__(self, job: TrainJob, options: Options, on_progress: Callable[[Progress], None]) -> None:
        self.job, self.options = job, options
        self.launch = options.launch((f"{ALIVE}=1",))
        named = {slot.rank: slot.host for slot in self.launch.slots}
        here = {rank: socket.gethostname() for rank, host in named.items() if host in ssh.LOOPBACK}
        self.follow = Follow(job, {**named, **here}, on_progress)
        self.lines = {name: Lines(cut=True) for name in ("stdout", "stderr")}

    def run(self) -> Follow:
        """What was heard of a training that ended well; raises WorkerLost or TextmillError."""
        file = self.job.logs / f"train-{self.job.name}.job.json"
        file.write_text(self.job.to_json(), encoding="utf-8")
        command = self.launch.command(ssh.worker(self.options.python, file.absolute()))
        with self.follow.log().open("a", encoding="utf-8") as log:
            log.write(f"{self.options}\n{' '.join(command)}\n")
        with _process(ssh.started(command), self.launch.environ()) as process:
            status = self._until_it_ends(process)
        first = self.follow.first()
        if status and first is not None:
            raise first.error(self.follow.log(first.rank))
        if status:
            said = "\n".join(tail(self.follow.log(), 10))
            raise TextmillError(f"horovodrun ended with exit status {status} and started no training:\n{said}")
        return self.follow

    def _until_it_ends(self, process: subprocess.Popen[bytes]) -> int:
        """The exit status; not 0 as soon as too few ranks are left."""
        selector = selectors.DefaultSelector()
        for name in self.lines:
            selector.register(getattr(process, name), selectors.EVENT_READ, name)
        until = None
        while selector.get_map():
            for key, _ in selector.select(_POLL_SECONDS):
                self._read(key, selector)
            self.follow.lost += self.follow.silent(self.options.silence)
            if until is None and self._too_few():
                until = time.monotonic() + _GRACE_SECONDS  # what follows may tell more of the cause
            if until is not None and time.monotonic() > until:
                return process.poll() or 1
        return process.wait()

    def _too_few(self) -> bool:
        lost = {each.rank for each in self.follow.lost}
        if not self.options.min_ranks:
            return bool(lost)
        hosts = {self.follow.hosts[each.rank] for each in self.follow.lost if not each.peer}
        left = [rank for rank, host in self.follow.hosts.items() if host not in hosts]
        return len(left) < self.options.min_ranks or len(lost) == len(self.follow.hosts)

    def _read(self, key: selectors.SelectorKey, selector: selectors.BaseSelector) -> None:
        piece = os.read(key.fd, _PIECE)
        if not piece:
            selector.unregister(key.fileobj)
        for line in self.lines[key.data].feed(piece):
            self.follow.take(line.decode(errors="replace"))


@contextmanager
def _process(command: list[str], environ: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a folder that all hosts have; it and its ranks are gone when the block is."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    process = subprocess.Popen(command, env=environ, **pipes)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.terminate()  # it then ends the ranks
        try:
            process.communicate(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
