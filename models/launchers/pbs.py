"""PBS (OpenPBS, PBS Professional): one job of `qsub`, whose script starts all ranks over PBS' own task manager."""

from __future__ import annotations

import json
from typing import Literal

from pydantic import Field

from models.launchers.base import RANK, Option, Scheduler, State, Word
from textmill import quoting

_STATES = {"Q": State.WAITING, "H": State.WAITING, "W": State.WAITING, "T": State.WAITING, "S": State.WAITING,
           "R": State.RUNNING, "E": State.RUNNING, "B": State.RUNNING}  # fmt: skip
_NAME = 15
"""Longer names are refused by older versions."""


class Pbs(Scheduler):
    """Settings of PBS."""

    kind: Literal["pbs"] = "pbs"
    queue: Word | None = Field(None, description="Queue; else the server's default.")
    project: Word | None = Field(None, description="Project or account that pays.")
    options: tuple[Option, ...] = Field((), description="More of qsub's options, such as `-W group_list=nlp`.")

    def files(self, name: str, folder: str) -> dict[str, str]:
        """launch/pbs.sh."""
        chunk = [f"select={self.hosts}", f"ncpus={self.cores * self.on_each}", f"mpiprocs={self.on_each}"]
        chunk += [f"ngpus={self.on_each}"] if self.gpus else []
        chunk += [f"mem={self.memory}b"] if self.memory else []
        options = [f"-N {name[:_NAME]}", f"-l {':'.join(chunk)}", "-l place=scatter", f"-l walltime={self.time}", "-j oe"]
        options += [f"-q {self.queue}"] if self.queue else []
        options += [f"-P {self.project}"] if self.project else []
        lines = [
            "#!/usr/bin/env bash",
            *[f"#PBS {quoting.directive(option)}" for option in [*options, *self.options]],
            "# Submit it in the bundle's folder, which every host has to see: qsub launch/pbs.sh",
            "set -euo pipefail",
            'cd "$PBS_O_WORKDIR"',
            'exec >"launch/pbs-$PBS_JOBID.log" 2>&1  # PBS itself shows a job\'s output at its end',
            'mapfile -t hosts <<<"$(sort -u "$PBS_NODEFILE")"',
            "pids=()",
            'for host in "${hosts[@]}"; do',
            f"    for _ in {{1..{self.on_each}}}; do",
            f'        pbs_tmrsh "$host" bash "$PWD/{RANK}" --rank "${{#pids[@]}}" --job "$PBS_JOBID" &',
            "        pids+=($!)",
            "    done",
            "done",
            "# The first rank that fails ends all. `wait -n` misses those that ended before it.",
            "while ((${#pids[@]})); do",
            '    for i in "${!pids[@]}"; do',
            '        kill -0 "${pids[i]}" 2>/dev/null && continue',
            '        wait "${pids[i]}" || { status=$?; kill "${pids[@]}" 2>/dev/null || true; exit "$status"; }',
            '        unset "pids[i]"',
            "    done",
            "    sleep 1",
            "done",
            "",
        ]
        return {"pbs.sh": "\n".join(lines)}

    def submit(self) -> list[str]:
        """With qsub."""
        return ["qsub", "launch/pbs.sh"]

    def submitted(self, said: str) -> str:
        """`number.server`."""
        return said.strip()

    def ask(self, job: str) -> list[str]:
        """With qstat, finished jobs included."""
        return ["qstat", "-x", "-f", "-F", "json", job]

    def state(self, said: str) -> tuple[State, str]:
        """By job_state, and for finished jobs Exit_status."""
        found = next(iter(json.loads(said)["Jobs"].values()))
        state, status = found["job_state"], found.get("Exit_status")
        if state in ("F", "X"):
            return State.DONE if status == 0 else State.FAILED, f"{state}, exit status {status}"
        return _STATES.get(state, State.WAITING), " ".join(filter(None, (state, found.get("comment"))))

    def cancel(self, job: str) -> list[str]:
        """With qdel."""
        return ["qdel", job]

    def log(self, job: str) -> str:
        """Where the script sends its output."""
        return f"launch/pbs-{job}.log"
