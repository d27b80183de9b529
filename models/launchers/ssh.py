"""horovodrun over ssh: its command line, and the environment that it hands to every rank."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from models.subprocesses import environ

_SLOTS = r"[A-Za-z0-9_][A-Za-z0-9_.-]*:[1-9][0-9]*"
HOSTS = rf"^{_SLOTS}(,{_SLOTS})*$"
"""host:ranks, one or more."""
LOOPBACK = ("localhost", "127.0.0.1")
# horovodrun puts the whole environment into the command line of ssh, which everyone on both hosts can read. So the ranks
# get what they need to run, and no credentials: those belong into files of the hosts.
_HANDED_ON = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TZ|LANG|LC_\w+|LD_LIBRARY_PATH|VIRTUAL_ENV|JAVA_HOME|HADOOP_\w+"
    r"|PYTHON\w+|TEXTMILL_\w+|(TF|XLA|CUDA|NVIDIA|NCCL|HOROVOD|GLOO|OMP|MKL|KMP)_\w+"
)


@dataclass(frozen=True)
class Slot:
    """Where one rank is started."""

    rank: int
    host: str


@dataclass(frozen=True)
class Horovodrun:
    """One call of horovodrun; Gloo connects the ranks."""

    hosts: str
    """`host1:8,host2:8`: hosts with the ranks that each has room for."""
    ranks: int
    min_ranks: int | None = None
    """Go on without hosts that are lost, as long as so many ranks are left."""
    ssh_port: int | None = None
    ssh_key: str | None = None
    """File of the private key; None: what ssh takes by itself."""
    interfaces: tuple[str, ...] = ()
    """Network interfaces by which the hosts reach each other; else horovodrun looks for common ones."""
    start_timeout: int = 60
    """Seconds for the hosts to answer."""
    fusion_mb: int | None = None
    cycle_ms: float | None = None
    environment: tuple[str, ...] = ()
    """More of the environment for the ranks, as NAME=VALUE."""

    @cached_property
    def slots(self) -> list[Slot]:
        """The host of every rank, as horovodrun hands ranks out: hosts in their order, each up to its room."""
        named = [host for host, room in rooms(self.hosts) for _ in range(room)]
        return [Slot(rank, host) for rank, host in enumerate(named[: self.ranks])]

    def command(self, program: Sequence[str]) -> list[str]:
        """The arguments, `horovodrun` first."""
        return ["horovodrun", *self._flags(), *program]

    def environ(self) -> dict[str, str]:
        """The environment of horovodrun, which is that of the ranks too."""
        return {**handed_on(environ()), **self._set()}

    def dry_run(self, program: Sequence[str]) -> str:
        """What would be run, as a text for a shell."""
        said = [f"{key}={shlex.quote(value)}" for key, value in self._set().items()]
        return " \\\n    ".join([*said, shlex.join(self.command(program))])

    def _set(self) -> dict[str, str]:
        more = dict(pair.split("=", 1) for pair in self.environment)
        # How long ranks wait for each other; hosts import TensorFlow at different speeds.
        return {"PYTHONUNBUFFERED": "1", "HOROVOD_GLOO_TIMEOUT_SECONDS": str(self.start_timeout), **more}

    def _flags(self) -> list[str]:
        given: dict[str, object] = {
            "-np": self.ranks,
            "--min-np": self.min_ranks,
            "--max-np": self.ranks if self.min_ranks else None,
            "-H": self.hosts,
            "-p": self.ssh_port,
            "-i": self.ssh_key,
            "--network-interfaces": ",".join(self._interfaces()) or None,
            "--start-timeout": self.start_timeout,
            "--elastic-timeout": self.start_timeout if self.min_ranks else None,
            "--fusion-threshold-mb": self.fusion_mb,
            "--cycle-time-ms": self.cycle_ms,
        }
        set_ones = [word for flag, value in given.items() if value is not None for word in (flag, str(value))]
        # Its cache of checks would let a host pass that was there an hour ago.
        return ["--gloo", "--disable-cache", *set_ones]

    def _interfaces(self) -> tuple[str, ...]:
        alone = all(host in LOOPBACK for host, _ in rooms(self.hosts))
        return self.interfaces or (("lo",) if alone and sys.platform == "linux" else ())


def rooms(hosts: str) -> list[tuple[str, int]]:
    """Each host with the number of ranks it has room for."""
    return [(host, int(room)) for host, _, room in (one.partition(":") for one in hosts.split(","))]


def handed_on(given: Mapping[str, str]) -> dict[str, str]:
    """What ranks may know of an environment: no credentials."""
    return {key: value for key, value in given.items() if _HANDED_ON.fullmatch(key)}


def started(command: Sequence[str]) -> list[str]:
    """The arguments that run horovodrun so that it ends when its standard input does."""
    return [sys.executable, "-m", "models.launchers.horovodrun", *command[1:]]


def worker(python: str | None, job: Path) -> list[str]:
    """The program of every rank."""
    return [python or sys.executable, "-m", "models.engines.horovod_worker", str(job)]
