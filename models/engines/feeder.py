"""The driver's side of `feed: spark`: a Spark job for each epoch, whose tasks bring the shards to the ranks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from models.engines.base import TrainJob
from models.engines.inbox import BUFFER, TAKEN, token_of
from models.tensors import COLUMNS, Tensors, in_order
from textmill.doors import knock
from textmill.places import Place, spark_pattern, spark_uri

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_END_SECONDS = 10.0
_SCHEMA = "ids array<int>, label int, weight float"


@dataclass(frozen=True)
class Delivery:
    """One shard's way to its rank."""

    rank: int
    address: tuple[str, int]
    token: str = field(repr=False)
    """Of the rank's inbox."""
    greeting: dict[str, int]


class Feeder:
    """Feeds an epoch as soon as all ranks want it."""

    def __init__(self, job: TrainJob, session: SparkSession, ranks: int, group: str, token: str) -> None:
        """`token`: the training's."""
        self.job, self.session, self.ranks, self.group, self.token = job, session, ranks, f"feed {group}", token
        self.tensors = Tensors(job.tensors)
        self.error = ""
        """What Spark said where a feed broke; a rank that was lost breaks it too."""
        self._serves: dict[int, tuple[str, int]] = {}
        self._wants: dict[int, int] = {}
        self._thread: Any = None

    def heard(self, rank: int, message: dict[str, Any]) -> None:
        """Take in what a rank says of its inbox."""
        if "serves" in message:
            host, port = message["serves"]
            self._serves[rank] = host, port
        elif "wants" in message:
            self._wants[rank] = message["wants"]
            if len(self._wants) == self.ranks:
                epoch = min(self._wants.values())
                self._wants.clear()
                self._start(epoch)

    def stop(self) -> None:
        """End the job that runs."""
        if self._thread is not None:
            self.session.sparkContext.cancelJobGroup(self.group)
            self._thread.join(_END_SECONDS)

    def _start(self, epoch: int) -> None:
        from pyspark import InheritableThread

        self._thread = InheritableThread(target=self._feed, args=(epoch,), daemon=True)
        self._thread.start()

    def _feed(self, epoch: int) -> None:
        self.session.sparkContext.setJobGroup(self.group, f"feed of epoch {epoch}", interruptOnCancel=True)
        way = list(self._way(epoch))
        try:
            deliver(self.session, [file for file, _ in way], [delivery for _, delivery in way])
        except Exception as error:
            self.error = str(error)

    def _way(self, epoch: int) -> Iterator[tuple[Place, Delivery]]:
        """The first shard of every rank, then the second of every rank, and so on."""
        own = [
            in_order(self.tensors.shards("train", rank, self.ranks), self.job.seed, epoch, rank)[0]
            for rank in range(self.ranks)
        ]
        for place, files in enumerate(zip(*own, strict=True)):
            for rank, file in enumerate(files):
                greeting = {"epoch": epoch, "place": place}
                yield file, Delivery(rank, self._serves[rank], token_of(self.token, rank), greeting)


def deliver(session: SparkSession, files: list[Place], deliveries: list[Delivery]) -> int:
    """Bring each shard on its way, one task for each, in this order; the rows brought. Raises what Spark raises."""
    # With the schema given no file is opened here; `coalesce` makes one task of each.
    read = session.read.schema(_SCHEMA)
    frames = [read.parquet(spark_pattern(spark_uri(file))).select(*COLUMNS).coalesce(1) for file in files]
    whole: DataFrame = reduce(lambda first, second: first.union(second), frames)
    return sum(row.rows for row in whole.mapInArrow(_sender(deliveries), "rows long").collect())


def _sender(deliveries: list[Delivery]) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def send(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from pyspark import TaskContext

        task = TaskContext.get()
        assert task is not None
        rows = _send(batches, deliveries[task.partitionId()])
        yield pa.RecordBatch.from_pydict({"rows": pa.array([rows], pa.int64())})

    return send


def _send(batches: Iterator[pa.RecordBatch], to: Delivery) -> int:
    first = next(batches)
    rows = first.num_rows
    with knock(to.address, to.token, to.greeting) as connection:
        with connection.makefile("wb", buffering=BUFFER) as sink, pa.ipc.new_stream(sink, first.schema) as stream:
            stream.write_batch(first)
            for batch in batches:
                stream.write_batch(batch)
                rows += batch.num_rows
        if connection.recv(1) != TAKEN:
            raise ConnectionError(f"rank {to.rank} did not take the shard that was brought to it")
    return rows
