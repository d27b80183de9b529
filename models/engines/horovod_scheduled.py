"""engine horovod under a scheduler: the tensors leave as a bundle, the scheduler's hosts train it, the model comes back.

Whatever happens to this process, what the hosts have done stays in the bundle: the same training, run again, finds the
job that it had submitted, or goes on from that job's last checkpoint.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models import bundle
from models.engines.base import Progress, TrainJob
from models.engines.horovod_follow import Follow
from models.engines.horovod_options import Options
from models.launchers import schedulers
from models.launchers.base import Scheduler, State
from models.subprocesses import tail
from models.tensors import opened
from textmill import places
from textmill.bundles import Content, send
from textmill.errors import EnvironmentProblem, TextmillError, Unreadable
from textmill.lines import LONGEST
from textmill.places import Place
from textmill.stored import Kind, Name, Sha256
from textmill.targets import Target, target
from textmill.transfer import filling

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_POLL_SECONDS = 2.0
_LAST_LINES_SECONDS = 10.0
_ASKED_IN_VAIN = 5
"""Times in a row: a scheduler that is restarted does not answer for a while."""
_CHECKSUMS: Kind[dict[str, str]] = Kind(dict[Name, Sha256])
_TICKET: Kind[dict[str, Any]] = Kind(dict[str, Any])
_RECORDS, _SUMS, _SUBMITTED = "records", "checksums.json", "submitted.json"


def run(
    job: TrainJob, options: Options, spark: Callable[[], SparkSession], on_progress: Callable[[Progress], None]
) -> Follow:
    """What was heard of a training that ended well, its files in job.out; raises WorkerLost or TextmillError."""
    scheduler, to = options.scheduler, target(f"{options.target}/{job.name}-{_digest(job, options)}")
    assert scheduler is not None
    log = job.logs / f"train-{job.name}.log"
    with tempfile.TemporaryDirectory() as scratch, log.open("a", encoding="utf-8") as told:
        files = _files(job, scheduler, spark, to, Path(scratch))
        sent = send(
            files, {"train": job.name, "model": job.model, "ranks": scheduler.ranks}, to, lambda done, total: None
        )
        told.write(f"{sent.sent_files} of {sent.files} files, {sent.sent_bytes:,} bytes sent to {to}\n")
    follow = Follow(job, {}, on_progress)
    _Submitted(job, scheduler, to, follow).until_it_ends()
    with filling(job.out) as out:
        to.get(f"{scheduler.results}/out", out)
    to.get(f"{scheduler.results}/logs", job.logs)
    return follow


def _digest(job: TrainJob, options: Options) -> str:
    """A name for all that decides the result, so that bundles of different trainings don't meet in one folder."""
    tensors = places.checksum(job.tensors / "tensors.json")
    identity = replace(job, options=options.deciding()).identity()
    return hashlib.sha256(json.dumps([identity, tensors], sort_keys=True).encode()).hexdigest()[:12]


def _files(
    job: TrainJob, scheduler: Scheduler, spark: Callable[[], SparkSession], to: Target, scratch: Path
) -> dict[str, Content]:
    there = replace(job, options={**job.options, "scheduler": None, "target": None})
    launch = schedulers.files([scheduler], job.name, to.name)
    return bundle.contents(there, _records(job, scheduler, spark), launch, scratch)


def _records(job: TrainJob, scheduler: Scheduler, spark: Callable[[], SparkSession]) -> dict[str, Content]:
    """The tensors as TFRecords beside the checkpoints, where another attempt finds them."""
    from spark_jobs import records

    shards = records.shards_for(opened(job.tensors).described["shards"], scheduler.ranks)
    folder = job.checkpoints / f"{_RECORDS}-{shards}"
    found = _known(folder / _SUMS)
    if not found:
        places.remove(folder)
        folder.mkdir(parents=True)
        sums = dict(records.write(spark(), job.tensors, folder, shards).checksums)
        others = [name for name in places.files(folder) if name not in sums and not name.endswith(".crc")]
        sums |= {name: places.checksum(folder / name) for name in others}
        places.write_bytes(folder / _SUMS, json.dumps(sums).encode())
        found = sums
    said = places.infos(folder / name for name in found)
    return {name: Content(folder / name, said[folder / name].size, digest) for name, digest in found.items()}


def _known(sums: Place) -> dict[str, str]:
    """The checksums that an attempt before this one wrote, where they and the files are there; else nothing."""
    try:
        found = _CHECKSUMS.found(sums) or {}
    except Unreadable:
        return {}
    return found if all((sums.parent / name).exists() for name in found) else {}


@dataclass
class _Submitted:
    """A training that a scheduler has, or gets."""

    job: TrainJob
    scheduler: Scheduler
    to: Target
    follow: Follow

    def until_it_ends(self) -> None:
        """Submit it, unless that was done, and pass on what its ranks say; raises where it does not end well."""
        number = self._number()
        stream = self.to.start(self.scheduler.stream(number))
        thread = threading.Thread(target=self._listen, args=(stream,), daemon=True)
        thread.start()
        try:
            state, told = self._wait(number)
            self._last_lines(state)
        except KeyboardInterrupt:
            with suppress(EnvironmentProblem):
                self.to.run(self.scheduler.cancel(number))
            raise
        finally:
            stream.kill()
            stream.wait()
            thread.join()
        self._file.unlink(missing_ok=True)
        if state is State.FAILED:
            raise self._error(number, told)
        if fetch := self.scheduler.fetch(number):
            self.to.run(fetch)

    def _number(self) -> str:
        """Of the job that an attempt before this one submitted, if it goes on, else of a new one."""
        try:
            number = str(_TICKET.read(self._file)["job"])
            if self._ask(number)[0] in (State.WAITING, State.RUNNING):
                return number
        except (OSError, ValueError, LookupError, EnvironmentProblem):
            pass
        number = self.scheduler.submitted(self.to.run(self.scheduler.submit()))
        places.write_bytes(self._file, json.dumps({"job": number, "kind": self.scheduler.kind}).encode())
        self._say(f"{self.scheduler.kind} job {number} in {self.to}")
        return number

    @property
    def _file(self) -> Place:
        return self.job.checkpoints / _SUBMITTED

    def _say(self, text: str) -> None:
        with self.follow.log().open("a", encoding="utf-8") as log:
            log.write(f"{text}\n")

    def _listen(self, stream: subprocess.Popen[bytes]) -> None:
        assert stream.stdout is not None
        while line := stream.stdout.readline(LONGEST):
            self.follow.take(line.decode(errors="replace"))

    def _wait(self, number: str) -> tuple[State, str]:
        """How it ended; each change of its state goes to the log."""
        before, failed = "", 0
        while True:
            try:
                state, told = self._ask(number)
                failed = 0
            except EnvironmentProblem:
                failed += 1
                if failed >= _ASKED_IN_VAIN:
                    raise
                time.sleep(_POLL_SECONDS)
                continue
            if told != before:
                self._say(f"{self.scheduler.kind} job {number}: {told}")
                before = told
            if state in (State.DONE, State.FAILED):
                return state, told
            time.sleep(_POLL_SECONDS)

    def _ask(self, number: str) -> tuple[State, str]:
        return self.scheduler.state(self.to.run(self.scheduler.ask(number)))

    def _last_lines(self, state: State) -> None:
        """Let the lines arrive that were written last: files of network file systems show them late."""
        ends = time.monotonic() + _LAST_LINES_SECONDS
        while time.monotonic() < ends and not (self.follow.done if state is State.DONE else self.follow.lost):
            time.sleep(0.1)

    def _error(self, number: str, told: str) -> TextmillError:
        first = self.follow.first()
        if first is not None:
            return first.error(self.follow.log(first.rank))
        log = self.follow.log()
        said = "\n".join(f"    {line}" for line in tail(log, 10))
        return TextmillError(f"{self.scheduler.kind} job {number} ended as {told}; {log} ends:\n{said}")
