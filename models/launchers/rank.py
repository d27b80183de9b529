"""Starts one rank where a scheduler has started this process: python -m models.launchers.rank JOB.json --ranks N.

Horovod's ranks find each other at a rendezvous server. horovodrun starts one and reaches every host by ssh; under a
scheduler there need be no ssh and no MPI: rank 0 serves, and the ranks meet by files in the bundle, which all of them
see. Each line of a rank is printed with `[rank]<stdout>:` before it, as horovodrun does.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, TypeVar

from models.engines.base import TrainJob
from models.launchers.network import addresses, towards
from models.subprocesses import environ
from textmill.errors import EnvironmentProblem, TextmillError
from textmill.places import write_bytes

_NUMBERS = {"OMPI_COMM_WORLD_RANK": "OMPI_COMM_WORLD_LOCAL_RANK", "PMI_RANK": "MPI_LOCALRANKID", "SLURM_PROCID": "SLURM_LOCALID"}
"""Where launchers put a rank's number, and its number among those of its host."""
_JOBS = ("TEXTMILL_MEETING", "SLURM_JOB_ID", "PBS_JOBID", "AZUREML_RUN_ID")
_WAIT_SECONDS = 600
"""For all ranks to be started: schedulers may start them one after the other, and images have to be fetched."""
_GLOO_SECONDS = 300
"""Gloo's own 30 are less than two hosts may differ in the time that importing TensorFlow takes, the first time."""
_END_SECONDS = 30
T = TypeVar("T")


@dataclass(frozen=True)
class Placed:
    """One rank among all. Hosts are filled one after the other, each with as many."""

    rank: int
    ranks: int
    per_host: int

    @property
    def peer(self) -> int | None:
        """A rank on another host, by which the network between them is found; None where there is one host."""
        if self.ranks == self.per_host:
            return None
        return 0 if self.rank >= self.per_host else self.per_host

    def environ(self) -> dict[str, str]:
        """What Horovod wants to know."""
        local, cross = self.rank % self.per_host, self.rank // self.per_host
        given = {
            "RANK": self.rank,
            "SIZE": self.ranks,
            "LOCAL_RANK": local,
            "LOCAL_SIZE": self.per_host,
            "CROSS_RANK": cross,
            "CROSS_SIZE": self.ranks // self.per_host,
            "HOSTNAME": f"{socket.gethostname()}-{cross}",  # of one name each: containers may all be called the same
            "CONTROLLER": "gloo",
            "CPU_OPERATIONS": "gloo",
        }
        return {f"HOROVOD_{name}": str(value) for name, value in given.items()}


class Meeting:
    """A folder in which the ranks of one start of a job leave what the others need. Files appear whole."""

    def __init__(self, folder: Path, placed: Placed) -> None:
        self.folder, self.placed = folder, placed
        folder.mkdir(parents=True, exist_ok=True)

    def tell(self, what: str, value: Any) -> None:
        """Leave something of this rank."""
        write_bytes(self.folder / f"{what}-{self.placed.rank}.json", json.dumps(value).encode())

    def hear(self, what: str, rank: int, seconds: float = _WAIT_SECONDS) -> Any:
        """What a rank has left; raises EnvironmentProblem where nothing comes for too long."""
        file = self.folder / f"{what}-{rank}.json"

        def read() -> Any:
            os.listdir(self.folder)  # network file systems look again for a missing file when its folder is listed
            return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None

        found = _until(read, seconds)
        if found is None:
            raise EnvironmentProblem(
                f"rank {self.placed.rank} waited {seconds:.0f} s in vain for rank {rank} to write {file}: was it started, "
                "and do all hosts see that folder?"
            )
        return found


def _until(read: Callable[[], T | None], seconds: float) -> T | None:
    ends, pause = time.monotonic() + seconds, 0.05
    while (found := read()) is None and time.monotonic() < ends:
        time.sleep(pause)
        pause = min(1.0, pause * 1.5)
    return found


@contextmanager
def connected(meeting: Meeting) -> Iterator[dict[str, str]]:
    """The environment that connects the rank; rank 0 serves the rendezvous until all have ended."""
    placed, own = meeting.placed, addresses()
    meeting.tell("addresses", own)
    name, here = "lo", "127.0.0.1"
    if placed.peer is not None:
        name, here = towards(meeting.hear("addresses", placed.peer), own)
    server = _serve(placed) if placed.rank == 0 else None
    if server is not None:
        meeting.tell("rendezvous", [here, server.port])
    address, port = meeting.hear("rendezvous", 0)
    run = {"GLOO_RENDEZVOUS_ADDR": address, "GLOO_RENDEZVOUS_PORT": port, "GLOO_IFACE": name,
           "GLOO_TIMEOUT_SECONDS": os.environ.get("HOROVOD_GLOO_TIMEOUT_SECONDS", _GLOO_SECONDS)}  # fmt: skip
    try:
        more = {f"HOROVOD_{key}": str(value) for key, value in run.items()}
        yield {**placed.environ(), **more, "NCCL_SOCKET_IFNAME": name}
    finally:
        meeting.tell("ended", True)
        if server is not None and _all_ended(meeting):
            shutil.rmtree(meeting.folder, ignore_errors=True)


@dataclass(frozen=True)
class _Server:
    server: Any
    port: int


def _serve(placed: Placed) -> _Server:
    from horovod.runner.common.util.hosts import SlotInfo
    from horovod.runner.http.http_server import RendezvousServer

    every = [replace(placed, rank=rank).environ() for rank in range(placed.ranks)]
    numbers = ("RANK", "LOCAL_RANK", "CROSS_RANK", "SIZE", "LOCAL_SIZE", "CROSS_SIZE")
    slots = [SlotInfo(one["HOROVOD_HOSTNAME"], *(int(one[f"HOROVOD_{number}"]) for number in numbers)) for one in every]
    server = RendezvousServer()
    port = server.start()
    server.init(slots)
    return _Server(server, port)


def _all_ended(meeting: Meeting) -> bool:
    """Whether the others have, who say goodbye to the server; those that were lost are not waited for long."""
    ends = time.monotonic() + _END_SECONDS
    try:
        for rank in range(1, meeting.placed.ranks):
            meeting.hear("ended", rank, max(0.0, ends - time.monotonic()))
    except EnvironmentProblem:
        return False
    return True


def run(job: str, more: Mapping[str, str], rank: int) -> int:
    """Run the worker of a rank and print its lines; its exit status."""
    command = [sys.executable, "-m", "models.engines.horovod_worker", job]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    process = subprocess.Popen(command, env={**environ(), **more}, **pipes)  # type: ignore[call-overload]
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())  # schedulers say so before they kill
    streams = [("stdout", process.stdout), ("stderr", process.stderr)]
    threads = [threading.Thread(target=_pass_on, args=(stream, f"[{rank}]<{name}>:")) for name, stream in streams]
    for thread in threads:
        thread.start()
    status = process.wait()
    for thread in threads:
        thread.join()
    return 128 - status if status < 0 else status


def _pass_on(stream: IO[bytes], before: str) -> None:
    for line in stream:
        # One write for each line, so that those of several ranks in one file stay whole.
        os.write(1, f"{before}{line.decode(errors='replace')}".encode())


def main() -> None:
    """Find the rank's number, meet the others, train."""
    words = argparse.ArgumentParser(description="Start one rank of a bundle's training.")
    words.add_argument("file", type=Path)
    words.add_argument("--ranks", type=int, required=True)
    words.add_argument("--per-host", type=int, default=1)
    words.add_argument("--threads", type=int, help="cores of the rank; else its share of its host's")
    words.add_argument("--rank", type=int, help="else as the scheduler's environment says")
    words.add_argument("--job", default=_start(), help="a name of this start of the job")
    words.add_argument("--to", type=Path, help="a folder for what is written, in place of the bundle's")
    given = words.parse_args()
    if given.job is None:
        words.error(f"the environment has none of {', '.join(_JOBS)}: name this start by --job")
    placed = Placed(number(os.environ, given.per_host) if given.rank is None else given.rank, given.ranks, given.per_host)
    meeting = Meeting((given.to or given.file.parent).absolute() / "launch" / f"meeting-{given.job}", placed)
    with connected(meeting) as more:
        status = run(_job(given.file, given.to, given.threads), more, placed.rank)
    sys.exit(status)


def number(environ: Mapping[str, str], per_host: int) -> int:
    """The rank's number in an environment; raises EnvironmentProblem where there is none, or hosts aren't filled in order."""
    key = next((name for name in _NUMBERS if name in environ), None)
    if key is None:
        raise EnvironmentProblem(f"the environment has none of {', '.join(_NUMBERS)}: give the rank's number by --rank")
    rank, local = int(environ[key]), environ.get(_NUMBERS[key])
    if local is not None and int(local) != rank % per_host:
        raise EnvironmentProblem(
            f"rank {rank} is number {local} of its host and should be {rank % per_host}: ranks have to be placed host by host, "
            f"{per_host} on each (Slurm: --distribution=block, mpirun: --map-by slot)"
        )
    return rank


def _first(names: Sequence[str]) -> str | None:
    return next((os.environ[name] for name in names if name in os.environ), None)


def _start() -> str | None:
    """A name of this start of the job. Slurm starts a job again, under its number, when a host was lost."""
    again = os.environ.get("SLURM_RESTART_COUNT", "0")
    found = _first(_JOBS)
    return found if found is None or again == "0" else f"{found}-{again}"


def _job(file: Path, to: Path | None, threads: int | None) -> str:
    """The job as the worker takes it, with folders for what it writes."""
    job = replace(TrainJob.from_file(file), threads=threads)
    if to is not None:
        job = replace(job, **{name: to.absolute() / name for name in ("out", "checkpoints", "logs")})
    for folder in (job.out, job.checkpoints, job.logs):
        folder.mkdir(parents=True, exist_ok=True)
    return job.to_json()


if __name__ == "__main__":
    try:
        main()
    except TextmillError as error:
        sys.exit(str(error))
