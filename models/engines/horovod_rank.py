"""The process of one rank of engine horovod: python -m models.engines.horovod_rank JOB, a file or the JSON itself.

Its number and where the others are it learns from the environment, as Horovod does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from models.keras_build import tf  # first of all: it chooses the Keras that Horovod finds

# isort: split
import horovod.common.elastic
import horovod.tensorflow as hvd
from horovod.common.elastic import State
from horovod.common.exceptions import HorovodInternalError

from models.engines import cores
from models.engines.base import Progress, TrainJob, unfit
from models.engines.horovod_options import Options
from models.engines.horovod_worker import PEER_LOST
from models.engines.worker import work
from models.export import export
from models.launchers.network import refuse_loopback
from models.ranks import Ranks, of_horovod
from models.steps import Numerics
from models.trainer import Trainer
from textmill.errors import EnvironmentProblem, InputError
from textmill.transfer import filling

Report = Callable[[Progress], None]


def main() -> None:
    """Train this rank's part of the job named on the command line."""
    job = _job(sys.argv[1])
    try:
        refuse_loopback(os.environ)
    except EnvironmentProblem as error:
        sys.exit(str(error))
    hvd.init()
    _pin_gpu()
    try:
        work(lambda report: _elastically(job, report) if os.environ.get("HOROVOD_ELASTIC") else _train(job, report))
    except (HorovodInternalError, tf.errors.OpError) as error:
        if not _by_another(error):
            raise
        print(f"another rank was lost: {str(error).splitlines()[0]}", file=sys.stderr, flush=True)
        os._exit(PEER_LOST)  # Horovod's shutdown would wait for the rank that is gone


def _job(given: str) -> TrainJob:
    return TrainJob.from_json(given) if given.startswith("{") else TrainJob.from_file(Path(given))


def _pin_gpu() -> None:
    """Each rank of a host takes a GPU of its own, and memory as it needs it."""
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    if gpus:
        tf.config.set_visible_devices(gpus[hvd.local_rank() % len(gpus)], "GPU")


def _elastically(job: TrainJob, report: Report) -> dict[str, Any] | None:
    """Train, and again from the last checkpoint with the ranks that are left, as often as some are lost."""

    # It would listen for pickles about hosts that come, behind a key that Horovod's server gives to whoever asks.
    horovod.common.elastic.notification_manager.init = lambda: None

    def train(state: State) -> dict[str, Any] | None:
        try:
            return _train(job, report)
        except tf.errors.OpError as error:
            if _by_another(error):
                raise HorovodInternalError(str(error)) from error
            raise

    return hvd.elastic.run(train)(_Checkpoints())  # type: ignore[no-any-return]


class _Checkpoints(State):  # type: ignore[misc]
    """What survives a lost rank is in the checkpoints, one copy on every host: nothing is kept in memory."""

    def __init__(self) -> None:
        super().__init__(bcast_object=hvd.broadcast_object, get_rank=hvd.rank)

    def save(self) -> None:
        """The trainer has."""

    def restore(self) -> None:
        """The next trainer does."""

    def sync(self) -> None:
        """Rank 0 gives its checkpoint to the others as the next trainer starts."""


def _by_another(error: Exception) -> bool:
    """Whether a rank failed because of another: Horovod's operations end so."""
    return isinstance(error, HorovodInternalError) or "Horovod" in str(error)


def _train(job: TrainJob, report: Report) -> dict[str, Any] | None:
    """What the chief tells of its training, with the steps of all ranks."""
    options = Options(**job.options)
    with filling(job.out) as out:
        fitted = _fitted(job, options, out)
        cores.bind(hvd.local_rank(), hvd.local_size(), fitted.threads or 1)
        trainer = Trainer(fitted, lambda: _joined(job, options), numerics=_numerics(options))
        if trainer.ranks.chief and (problems := unfit(job.tensors, hvd.size())):
            raise InputError("; ".join(problems))
        chief = trainer.ranks.chief
        done = trainer.train(report if chief else lambda progress: None)
        if chief:
            export(out)
    # Elastic training ends all ranks with the first that ends: so all wait here until the files are written.
    steps = hvd.allgather(tf.constant([done["steps"]], tf.int64), name="steps").numpy().tolist()
    return {**done, "steps": steps, "ranks": len(steps)} if chief else None


def _fitted(job: TrainJob, options: Options, out: Path) -> TrainJob:
    """The job as the trainer takes it: rows per step over all ranks, and only what decides the result."""
    threads = options.threads or job.threads or max(1, (os.cpu_count() or 1) // hvd.local_size())
    scale = hvd.size() if options.scale_learning_rate else 1
    return replace(
        job, out=out, threads=threads, batch=job.batch * scale, learning_rate=job.learning_rate * scale,
        # Goyal et al. 2017: the rate of one rank times the ranks, reached in the first epochs.
        warmup=max(job.warmup, min(1.0, options.warmup_epochs / job.epochs)), options=options.deciding(),
    )  # fmt: skip


def _joined(job: TrainJob, options: Options) -> Ranks:
    fp16 = float(job.batch) if options.compression == "fp16" else None
    # A lost host takes its disk along.
    return of_horovod(fp16, options.sparse_as_dense, hvd.local_rank() == 0 if options.min_ranks else None)


def _numerics(options: Options) -> Numerics:
    return Numerics(options.accumulate, options.on_oom == "halve", options.xla, options.mixed_precision)


if __name__ == "__main__":
    main()
