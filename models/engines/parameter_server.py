"""Training with parameter servers: the weights are on servers, and workers apply gradients without waiting for each other.

The coordinator (rank 0) reads the shards and hands out batches; it validates, stops and writes as any trainer. TF_CONFIG
says who is who: one chief, workers, and ps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import numpy as np

from models.engines.base import TrainJob
from models.keras_build import tf
from models.ranks import Ranks, alone
from models.trainer import Trainer

_AHEAD = 4
"""Batches handed out for each worker before the first of them is done: no more of an epoch is held in memory."""
_BETWEEN = 4
"""Threads between operations, at least: an operation that waits for another process holds one, and with a single one a
step waits for itself for ever."""


def _resolver() -> tf.distribute.cluster_resolver.ClusterResolver:
    return tf.distribute.cluster_resolver.TFConfigClusterResolver(rpc_layer="grpc")


def serve(job: TrainJob, free: Callable[[], None]) -> dict[str, Any]:
    """Be a worker or a parameter server until this process is ended; `free` lets go of the port it is to listen on."""
    resolver, threads = _resolver(), job.threads or 1
    config = tf.compat.v1.ConfigProto(
        inter_op_parallelism_threads=max(_BETWEEN, threads), intra_op_parallelism_threads=threads
    )
    free()
    server = tf.distribute.Server(
        resolver.cluster_spec(), resolver.task_type, resolver.task_id, protocol="grpc", config=config
    )
    server.join()
    return {}


class Coordinator(Trainer):
    """Rank 0: the trainer whose steps are taken elsewhere. Every step has a whole batch, on one of the workers."""

    def __init__(self, job: TrainJob, free: Callable[[], None]) -> None:
        """`free` lets go of the port that TF_CONFIG gives this process."""
        with ExitStack() as scope:

            def join() -> Ranks:
                free()
                self.strategy = tf.distribute.ParameterServerStrategy(_resolver())
                scope.enter_context(self.strategy.scope())
                return alone()

            super().__init__(replace(job, threads=max(_BETWEEN, job.threads or 1)), join)
        workers = len(_resolver().cluster_spec().job_tasks("worker"))
        self.coordinator = tf.distribute.coordinator.ClusterCoordinator(self.strategy)
        self.most = _AHEAD * workers
        own = self.steps.at_once  # its gradients are applied in the replica's context, not in a graph of their own

        @tf.function(input_signature=self.steps.signature)
        def step(ids: tf.Tensor, label: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
            return self.strategy.run(own, args=(ids, label, weight))

        self.remote = step

    def _each_step(self, epoch: int) -> Iterator[np.ndarray]:
        waiting = deque[Any]()
        for batch in self._batches(epoch):
            if len(waiting) == self.most:
                yield waiting.popleft().fetch()
            waiting.append(self.coordinator.schedule(self.remote, args=(batch.ids, batch.label, batch.weight)))
        while waiting:
            yield waiting.popleft().fetch()
