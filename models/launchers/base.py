"""What every scheduler is told: how many ranks, on what, for how long; and how its answers are read.

A scheduler's files stand in the folder launch/ of a bundle (models/bundle.py), which is the working folder of every
command here. All of them end in launch/rank.sh on every rank.
"""

from __future__ import annotations

import shlex
from abc import ABC, abstractmethod
from enum import Enum
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field

from textmill import quoting
from textmill.params import Params

RANK = "launch/rank.sh"
_TIME = r"^[0-9]{1,3}:[0-5][0-9]:[0-5][0-9]$"
Argument = Annotated[str, AfterValidator(quoting.argument)]
"""A word that a program must not take for an option."""
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.@:+,/=-]*$")]
"""A value in a line of a scheduler's script, which has no quotes that all versions read alike."""
Lines = Annotated[str, AfterValidator(quoting.script)]
Option = Annotated[str, AfterValidator(quoting.directive)]
"""A line of the scheduler's own options."""


def _clock(given: Any) -> Any:
    """`24:00:00` without quotes is a number of seconds in YAML 1.1."""
    if isinstance(given, int) and not isinstance(given, bool):
        return f"{given // 3600:02d}:{given // 60 % 60:02d}:{given % 60:02d}"
    return given


class State(Enum):
    """Where a submitted training is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Scheduler(Params, ABC):
    """Settings of a scheduler, and what they make of a bundle."""

    kind: str
    ranks: int = Field(1, ge=1, description="Ranks in all; they share the tensors' shards equally.")
    per_host: int = Field(1, ge=1, description="Ranks on each host, one for each of its GPUs.")
    gpus: bool = Field(True, description="Whether each rank has a GPU of its own.")
    cores: int = Field(4, ge=1, description="Cores of each rank.")
    memory: str | None = Field(None, pattern=r"^[0-9]+g$", description="Of each host, such as 64g.")
    time: Annotated[str, BeforeValidator(_clock)] = Field("24:00:00", pattern=_TIME, description="Longest run, hours:minutes:seconds.")
    python: Argument = Field("python3", description="Python of the environment that hosts/install.sh made on the hosts.")
    setup: tuple[Lines, ...] = Field((), description="Lines of shell before a rank starts, such as `module load cuda`.")

    @property
    def hosts(self) -> int:
        """How many hosts it takes; all have the same number of ranks."""
        return -(-self.ranks // self.per_host)

    @property
    def on_each(self) -> int:
        """Ranks on each host."""
        return min(self.ranks, self.per_host)

    @property
    def seconds(self) -> int:
        """The longest run in seconds."""
        hours, minutes, seconds = map(int, self.time.split(":"))
        return 3600 * hours + 60 * minutes + seconds

    def problems(self) -> list[str]:
        """What does not go together."""
        if self.ranks % self.on_each:
            return [f"{self.ranks} ranks do not fill hosts with {self.per_host} each: make ranks a multiple of per_host"]
        return []

    def rank(self) -> str:
        """The text of launch/rank.sh, which starts one rank on the host it runs on."""
        words = [self.python, "-m", "models.launchers.rank", "job.json", "--ranks", str(self.ranks)]
        words += ["--per-host", str(self.on_each), "--threads", str(self.cores)]
        return "\n".join(
            [
                "#!/usr/bin/env bash",
                "# Starts one rank. Its number is in the environment that the scheduler makes, or among the arguments.",
                "set -euo pipefail",
                'cd "$(dirname "${BASH_SOURCE[0]}")/.."',
                *self.setup,
                "export PYTHONPATH=$PWD/program.zip PYTHONUNBUFFERED=1",
                f'exec {shlex.join(words)} "$@"',
                "",
            ]
        )

    @abstractmethod
    def files(self, name: str, folder: str) -> dict[str, str]:
        """The text of the scheduler's own files, by their names in launch/.

        `name` is a name for the job, `folder` that of the bundle's folder.
        """

    @abstractmethod
    def submit(self) -> list[str]:
        """The command that submits it."""

    @abstractmethod
    def submitted(self, said: str) -> str:
        """The job's id, from what the command said."""

    @abstractmethod
    def ask(self, job: str) -> list[str]:
        """The command that asks where a job is."""

    @abstractmethod
    def state(self, said: str) -> tuple[State, str]:
        """Where it is, by the answer, and the scheduler's own words for it."""

    @abstractmethod
    def cancel(self, job: str) -> list[str]:
        """The command that ends a job."""

    @abstractmethod
    def log(self, job: str) -> str:
        """The file, relative to the bundle, that the lines of all ranks come to."""

    results: ClassVar[str] = "."
    """The folder in the bundle where out/ and logs/ are once `fetch` was run."""

    def fetch(self, job: str) -> list[str] | None:
        """The command that brings what was trained into the bundle; None where it is written there."""
        return None

    def stream(self, job: str) -> list[str]:
        """The command that prints those lines as they come, from the first one on; it goes on until it is ended."""
        # It ends with what has started it: with this process, or with the session of ssh.
        tail = 'exec tail -n +1 --follow=name --retry --pid="$PPID" -- "$0" 2>/dev/null'
        return ["sh", "-c", tail, self.log(job)]
