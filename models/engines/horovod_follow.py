"""What ranks started by Horovod say, and which of them was lost first."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.engines.base import Progress, TrainJob, named
from models.engines.messages import Message, log, output
from models.subprocesses import tail
from textmill.errors import WorkerLost

_SAID = re.compile(r"^\[(\d{1,9})\]<(stdout|stderr)>:(.*)$", re.DOTALL)
_ENDED = re.compile(r"^Process (\d{1,9}) exit with status code (\d{1,9})\.$")
_TAIL = 20


@dataclass
class Lost:
    """A rank that ended without a result."""

    rank: int
    host: str
    status: str
    tail: list[str]
    peer: bool
    """Whether it only lost another one."""

    def error(self, log: Path) -> WorkerLost:
        """What a training fails with."""
        return WorkerLost(self.rank, self.host, self.status, str(log), self.tail)


@dataclass
class Follow:
    """Takes the lines of a launcher that starts each line of a rank with `[rank]<stream>:`."""

    job: TrainJob
    hosts: Mapping[int, str]
    """Where each rank was started."""
    on_progress: Callable[[Progress], None]
    done: dict[str, Any] | None = None
    lost: list[Lost] = field(default_factory=list)
    heard: dict[int, float] = field(default_factory=dict)
    """When each rank last said anything."""

    def take(self, line: str) -> None:
        """One line of the launcher's output; what is no message goes to a log."""
        said = _SAID.match(line.rstrip("\n"))
        if said is None:
            self._launcher(line.rstrip("\n"))
            return
        rank, stream, text = int(said[1]), said[2], said[3]
        self.heard[rank] = time.monotonic()
        for message in (output if stream == "stdout" else log)(text.encode(errors="replace")):
            self._hear(rank, message)

    def _hear(self, rank: int, message: Message) -> None:
        if "progress" in message:
            self.on_progress(Progress(**message["progress"]))
        elif "lost" in message:
            self.lost.append(Lost(**message["lost"]))
        elif "log" in message:
            _append(self.log(rank), message["log"])
        elif "ended" in message:
            del self.heard[rank]
        self.done = message.get("done", self.done)

    def log(self, rank: int | None = None) -> Path:
        """Of a rank, or of the launcher."""
        suffix = "" if rank is None else f"-rank-{rank}"
        return self.job.logs / f"train-{self.job.name}{suffix}.log"

    def silent(self, seconds: float) -> list[Lost]:
        """Ranks that have said nothing for so long, though they had begun and not ended."""
        ended = {each.rank for each in self.lost}
        now = time.monotonic()
        quiet = {rank: now - at for rank, at in self.heard.items() if rank not in ended and now - at > seconds}
        return [self._gone(rank, f"no sign of life for {silence:.0f} s") for rank, silence in quiet.items()]

    def first(self) -> Lost | None:
        """The rank that was lost first: others fail because of it, and some are heard before."""
        return min(self.lost, key=lambda each: each.peer, default=None)

    def _launcher(self, line: str) -> None:
        _append(self.log(), line)
        if (ended := _ENDED.match(line)) and int(ended[1]) not in {each.rank for each in self.lost}:
            # The parent of the rank's process is gone too, or its host.
            code = int(ended[2])
            self.lost.append(self._gone(int(ended[1]), named(128 - code if 128 < code < 160 else code)))

    def _gone(self, rank: int, status: str) -> Lost:
        log = self.log(rank)
        return Lost(rank, self.hosts.get(rank, "an unknown host"), status, tail(log, _TAIL), False)


def _append(file: Path, line: str) -> None:
    with file.open("a", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(line + "\n")
