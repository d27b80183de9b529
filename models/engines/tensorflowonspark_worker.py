"""One rank of engine tensorflowonspark: python -m models.engines.tensorflowonspark_worker JOB RANK RANKS DESCRIPTOR.

TF_CONFIG names the addresses of all ranks; DESCRIPTOR is an open socket that holds the port of this one.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from models.engines import cores, inbox, parameter_server, peers
from models.engines.base import Progress, TrainJob
from models.engines.worker import work
from models.export import export
from models.keras_build import tf
from models.ranks import Ranks, of_strategy
from models.trainer import Trainer
from textmill.transfer import filling


def main() -> None:
    """Train this rank's part of the job given as JSON on the command line."""
    rank, ranks, port = (int(given) for given in sys.argv[2:])
    job = TrainJob.from_json(sys.argv[1])
    if job.options["num_ps"] and rank:
        work(lambda report: parameter_server.serve(job, lambda: _free(port)))
    elif job.options["num_ps"]:
        work(lambda report: _train(job, partial(parameter_server.Coordinator, free=lambda: _free(port)), report))
    else:
        host, place, together = _placed()
        tensors = inbox.opened(job.tensors, host) if job.options["feed"] == "spark" else None
        cores.bind(place, together, job.threads or 1)
        trainer = partial(Trainer, join=lambda: _joined(rank, ranks, port), tensors=tensors)
        work(lambda report: _train(job, trainer, report))


def _train(job: TrainJob, make: Callable[[TrainJob], Trainer], report: Callable[[Progress], None]) -> dict[str, Any]:
    with filling(job.out) as out:
        # The tensors stay where they are: a rank reads its own shards, and a copy would be of all.
        trainer = make(replace(job, out=out))
        done = trainer.train(report)
        if trainer.ranks.chief:
            export(out)
    return done


def _placed() -> tuple[str, int, int]:
    """The host under which other executors reach this rank, its place among the ranks there, and how many they are."""
    config = json.loads(os.environ["TF_CONFIG"])
    own: str = config["cluster"][config["task"]["type"]][config["task"]["index"]]
    host = own.rpartition(":")[0]
    here = [one for each in config["cluster"].values() for one in each if one.rpartition(":")[0] == host]
    return host, here.index(own), len(here)


def _free(port: int) -> None:
    """Let TensorFlow listen on the port that this descriptor holds, and nobody but the ranks come in."""
    with socket.socket(fileno=port) as held:
        peers.guard(held.getsockname()[1])


def _joined(rank: int, ranks: int, port: int) -> Ranks:
    ring = tf.distribute.experimental.CommunicationImplementation.RING
    options = tf.distribute.experimental.CommunicationOptions(implementation=ring)
    _free(port)
    return of_strategy(tf.distribute.MultiWorkerMirroredStrategy(communication_options=options), rank, ranks)


if __name__ == "__main__":
    main()
