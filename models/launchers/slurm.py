"""Slurm: one job of `sbatch`, whose `srun` starts all ranks."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field

from models.launchers.base import RANK, Option, Scheduler, State, Word
from textmill import quoting

_WAITING = ("PENDING", "CONFIGURING", "REQUEUED", "SUSPENDED", "")
_RUNNING = ("RUNNING", "COMPLETING", "STAGE_OUT")


class Slurm(Scheduler):
    """Settings of Slurm."""

    kind: Literal["slurm"] = "slurm"
    partition: Word | None = Field(None, description="Partition; else the cluster's default.")
    account: Word | None = Field(None, description="Account that pays.")
    qos: Word | None = Field(None, description="Quality of service.")
    options: tuple[Option, ...] = Field((), description="More of sbatch's options, such as `--constraint=a100`.")

    def files(self, name: str, folder: str) -> dict[str, str]:
        """launch/slurm.sh."""
        given = {
            "job-name": name,
            "nodes": self.hosts,
            "ntasks": self.ranks,
            "ntasks-per-node": self.on_each,
            "cpus-per-task": self.cores,
            "gres": f"gpu:{self.on_each}" if self.gpus else None,
            "mem": self.memory and self.memory.upper(),
            "time": self.time,
            "partition": self.partition,
            "account": self.account,
            "qos": self.qos,
            "output": "launch/slurm-%j.log",
            "open-mode": "append",
        }
        options = [f"--{key}={value}" for key, value in given.items() if value is not None]
        lines = [
            "#!/usr/bin/env bash",
            *[f"#SBATCH {quoting.directive(option)}" for option in [*options, *self.options]],
            "# Submit it in the bundle's folder, which every host has to see: sbatch launch/slurm.sh",
            "set -euo pipefail",
            'cd "$SLURM_SUBMIT_DIR"',
            f"exec srun --kill-on-bad-exit=1 --unbuffered --distribution=block bash {RANK}",
            "",
        ]
        return {"slurm.sh": "\n".join(lines)}

    def submit(self) -> list[str]:
        """With sbatch."""
        return ["sbatch", "--parsable", "launch/slurm.sh"]

    def submitted(self, said: str) -> str:
        """`id`, or `id;cluster`."""
        return said.strip().partition(";")[0]

    def ask(self, job: str) -> list[str]:
        """With scontrol, which remembers jobs for some minutes after their end and needs no accounting."""
        return ["scontrol", "--oneliner", "show", "job", job]

    def state(self, said: str) -> tuple[State, str]:
        """By JobState, and Reason."""
        state, reason = (_value(said, key) for key in ("JobState", "Reason"))
        told = f"{state} ({reason})" if reason not in ("", "None") else state
        if state == "COMPLETED":
            return State.DONE, told
        if state in _WAITING:
            return State.WAITING, told
        return State.RUNNING if state in _RUNNING else State.FAILED, told

    def cancel(self, job: str) -> list[str]:
        """With scancel."""
        return ["scancel", job]

    def log(self, job: str) -> str:
        """What `--output` says."""
        return f"launch/slurm-{job}.log"


def _value(said: str, key: str) -> str:
    found = re.search(rf"(?:^|\s){key}=(\S*)", said)
    return found[1] if found else ""
