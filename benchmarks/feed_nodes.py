"""What benchmarks/feed.py runs in other processes: the rivals' ends of a feed.

`python -m benchmarks.feed_nodes memory JOB` trains on arrays in memory; `… drain SHARDS` takes shards from an inbox and
throws them away. Both speak JSON lines.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from models.engines.base import TrainJob
from models.engines.inbox import Inbox
from models.engines.worker import say, work
from models.tensors import Shard, Tensors
from textmill.places import Place


@dataclass(frozen=True)
class InMemory(Tensors):
    """Tensors of which each shard is read once."""

    kept: dict[str, Shard] = field(default_factory=dict)

    def read(self, file: Place) -> Shard:
        """From memory, but for the first time."""
        if str(file) not in self.kept:
            self.kept[str(file)] = super().read(file)
        return self.kept[str(file)]


@dataclass(frozen=True)
class Rows(Tensors):
    """Tensors whose rows of train come one by one from TensorFlowOnSpark's queue."""

    feed: Any

    def stream(self, files: Sequence[Place], epoch: int) -> Iterator[Shard]:
        """As many rows as the shards hold, in the order they come."""
        for _ in files:
            rows = self.feed.next_batch(self.described["parts"]["train"]["rows_per_shard"])
            ids, label, weight = zip(*rows, strict=True)
            yield Shard(np.array(ids, np.int32), np.array(label, np.int32), np.array(weight, np.float32))


def train_on_rows(given: Mapping[str, str], context: Any) -> None:
    """A rank that TensorFlowOnSpark feeds, training with the same loop as the engine's."""
    import tensorflow as tf

    from models.ranks import of_strategy
    from models.trainer import Trainer

    def join() -> Any:
        ring = tf.distribute.experimental.CommunicationImplementation.RING
        options = tf.distribute.experimental.CommunicationOptions(implementation=ring)
        strategy = tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)
        return of_strategy(strategy, context.executor_id, context.num_workers)

    job, feed = TrainJob.from_json(given["job"]), context.get_data_feed()
    Trainer(job, join, Rows(job.tensors, feed)).train(lambda progress: None)
    feed.terminate()


def drain_rows(given: Mapping[str, str], context: Any) -> None:
    """A rank that takes what TensorFlowOnSpark feeds and does nothing."""
    feed = context.get_data_feed()
    while not feed.should_stop():
        feed.next_batch(1024)


def drain(shards: int) -> dict[str, Any]:
    """Take `shards` shards from an inbox."""
    inbox = Inbox("127.0.0.1")
    say(serves={"address": inbox.address, "token": inbox.token})
    rows = sum(inbox.take((1, place)).num_rows for place in range(shards))
    return {"rows": rows, "ended": time.time()}


def _memory(job: TrainJob) -> dict[str, Any]:
    from models.trainer import Trainer

    tensors = InMemory(job.tensors)
    for part in ("train", "valid"):
        for file in tensors.files(part):
            tensors.read(file)
    return Trainer(job, tensors=tensors).train(lambda progress: None)


if __name__ == "__main__":
    if sys.argv[1] == "memory":
        work(lambda report: _memory(TrainJob.from_json(sys.argv[2])))
    else:
        print(json.dumps({"done": drain(int(sys.argv[2]))}), flush=True)
