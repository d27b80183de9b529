"""What a rank of a training knows of the others: its number, how many there are, and how to sum over all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tensorflow as tf

Tensors = Sequence["tf.Tensor | tf.IndexedSlices"]


def _itself(values: Tensors) -> list[Any]:
    return list(values)


@dataclass(frozen=True)
class Ranks:
    """One rank among `count`. Every rank calls `total` equally often, with tensors of the same types."""

    rank: int = 0
    count: int = 1
    total: Callable[[Tensors], list[Any]] = _itself
    """Sums each tensor over all ranks. All are of one dtype; rows of IndexedSlices are put one after the other."""
    gradients: Callable[[Tensors], list[Any]] | None = None
    """Sums gradients over all ranks in a way of their own, perhaps with fewer bits on the wire; None: like all else."""
    shared: Callable[[bytes], bytes] | None = None
    """Gives every rank what rank 0 has; None: all read the same checkpoints."""
    keeps: bool | None = None
    """Whether this rank writes checkpoints; None: rank 0 alone does."""

    @property
    def chief(self) -> bool:
        """Whether this rank writes the files."""
        return self.rank == 0

    @property
    def writes_checkpoints(self) -> bool:
        """Rank 0 does, and where hosts may be lost with their disks one rank on each."""
        return self.chief if self.keeps is None else self.keeps

    def sums(self, gradients: Tensors, exact: tf.Tensor) -> tuple[list[Any], tf.Tensor]:
        """Gradients and other figures summed over all ranks; only gradients may lose precision on the way."""
        if self.count > 1:
            gradients = [_once(gradient) for gradient in gradients]
        if self.gradients is not None:
            return self.gradients(gradients), self.total([exact])[0]
        *summed, last = self.total([*gradients, exact])
        return summed, last


def _once(gradient: tf.Tensor | tf.IndexedSlices) -> tf.Tensor | tf.IndexedSlices:
    """The same sum with every row once, however often a rank's texts have the word: each of them travels."""
    import tensorflow as tf

    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    indices, places = tf.unique(gradient.indices)
    return tf.IndexedSlices(
        tf.math.unsorted_segment_sum(gradient.values, places, tf.size(indices)), indices, gradient.dense_shape
    )


def alone() -> Ranks:
    """The only rank there is."""
    return Ranks()


def of_strategy(strategy: tf.distribute.MultiWorkerMirroredStrategy, rank: int, count: int) -> Ranks:
    """The ranks of a strategy with one replica in each, whose collective operations it has set up."""
    import tensorflow as tf

    def add(*values: tf.Tensor | tf.IndexedSlices) -> list[Any]:
        context = tf.distribute.get_replica_context()
        # The collectives take their device from their inputs, which have none if made outside the replica's context.
        here = tf.nest.map_structure(tf.identity, list(values), expand_composites=True)
        dense = [value for value in here if not isinstance(value, tf.IndexedSlices)]
        summed = iter(context.all_reduce(tf.distribute.ReduceOp.SUM, dense) if dense else ())
        return [_gathered(value, context) if isinstance(value, tf.IndexedSlices) else next(summed) for value in here]

    def total(values: Tensors) -> list[Any]:
        return list(strategy.run(add, args=tuple(values)))

    return Ranks(rank, count, total)


def _gathered(slices: tf.IndexedSlices, context: tf.distribute.ReplicaContext) -> tf.IndexedSlices:
    """A sum of sparse gradients without the zeros: all rows of a large embedding would not go over the wire.

    The rows' numbers go as one more column, in the same operation.
    """
    import tensorflow as tf

    numbers = tf.bitcast(tf.cast(slices.indices, tf.int32), slices.values.dtype)
    found = context.all_gather(tf.concat([slices.values, numbers[:, tf.newaxis]], 1), axis=0)
    return tf.IndexedSlices(found[:, :-1], tf.bitcast(found[:, -1], tf.int32), slices.dense_shape)


def of_horovod(fp16: float | None = None, dense: bool = False, keeps: bool | None = None) -> Ranks:
    """The ranks that horovod.tensorflow.init() has joined.

    `fp16` makes gradients travel as float16, divided by this number, the rows of a step: the range of float16 holds
    means, not sums. `dense` makes sparse gradients travel as whole tables; else only their rows do, as they are.
    """
    import horovod.tensorflow as hvd
    import tensorflow as tf

    def total(values: Tensors) -> list[Any]:
        # For IndexedSlices this gathers their rows, and their indices.
        return [hvd.allreduce(value, op=hvd.Sum) for value in values]

    def one(gradient: tf.Tensor | tf.IndexedSlices) -> Any:
        if isinstance(gradient, tf.IndexedSlices) and dense:
            rows = tf.cast(gradient.dense_shape[0], gradient.indices.dtype)
            gradient = tf.math.unsorted_segment_sum(gradient.values, gradient.indices, rows)
        if isinstance(gradient, tf.IndexedSlices) or not fp16:
            return hvd.allreduce(gradient, op=hvd.Sum)
        return hvd.allreduce(gradient / fp16, op=hvd.Sum, compression=hvd.Compression.fp16) * fp16

    def gradients(values: Tensors) -> list[Any]:
        return [one(gradient) for gradient in values]

    def shared(content: bytes) -> bytes:
        size = int(hvd.broadcast(tf.constant([len(content)], tf.int64), 0, name="size")[0])
        own = content if hvd.rank() == 0 else bytes(size)
        return hvd.broadcast(tf.io.decode_raw(own, tf.uint8), 0, name="content").numpy().tobytes() if size else b""

    return Ranks(hvd.rank(), hvd.size(), total, gradients if fp16 or dense else None, shared, keeps)
