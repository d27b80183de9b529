"""One rank of engine tensorflowonspark: python -m models.engines.tensorflowonspark_worker JOB RANK RANKS.

TF_CONFIG names the addresses of all ranks.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from models.engines.base import Progress, TrainJob
from models.engines.worker import work
from models.export import export
from models.keras_build import tf
from models.ranks import Ranks, of_strategy
from models.trainer import Trainer
from textmill.transfer import filling, local_copy


def main() -> None:
    """Train this rank's part of the job given as JSON on the command line."""
    job, rank, ranks = TrainJob.from_json(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    work(lambda report: _train(job, rank, ranks, report))


def _train(job: TrainJob, rank: int, ranks: int, report: Callable[[Progress], None]) -> dict[str, Any]:
    with filling(job.out) as out:
        here = replace(job, tensors=local_copy(job.tensors), out=out)
        done = Trainer(here, lambda: _joined(rank, ranks)).train(report)
        if rank == 0:
            export(out)
    return done


def _joined(rank: int, ranks: int) -> Ranks:
    ring = tf.distribute.experimental.CommunicationImplementation.RING
    options = tf.distribute.experimental.CommunicationOptions(implementation=ring)
    return of_strategy(tf.distribute.MultiWorkerMirroredStrategy(communication_options=options), rank, ranks)


if __name__ == "__main__":
    main()
