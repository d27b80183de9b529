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

    @property
    def chief(self) -> bool:
        """Whether this rank writes the files."""
        return self.rank == 0


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
    """A sum of sparse gradients without the zeros: all rows of a large embedding would not go over the wire."""
    import tensorflow as tf

    values, indices = (context.all_gather(part, axis=0) for part in (slices.values, slices.indices))
    return tf.IndexedSlices(values, indices, slices.dense_shape)
