"""A TensorFlowOnSpark cluster for one attempt at a training: its start, its end, and what became of its tasks."""

from __future__ import annotations

import logging
import re
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, Any

from models.engines import tensorflowonspark_reservation as reservation
from models.engines.tensorflowonspark_node import Order, main_fun
from models.engines.tensorflowonspark_reservation import Registering
from textmill.errors import TextmillError

if TYPE_CHECKING:
    from pyspark import RDD, SparkContext

_END_SECONDS = 10.0
_FATE_SECONDS = 6.0  # YARN tells of an ended container within 3 s
_TASKS = 1000
_EXIT_CODE = re.compile(r"(?:exit code|code|status):? (\d+)")


class Cluster:
    """One TFCluster.run, for which this stands in for the SparkContext.

    On an error the library would stop the session and exit the interpreter; here only its own Spark job ends.
    """

    def __init__(self, context: SparkContext, group: str) -> None:
        self.context, self.group, self.token = context, group, ""
        self.ended, self.error = Event(), ""
        self._server: reservation.Server | None = None
        self._jsc = context._jsc  # noqa: SLF001  # the library asks it for Hadoop's default filesystem

    def start(self, order: Order, seconds: float) -> None:
        """Start a node in each of `order.ranks` tasks. Raises TextmillError where they don't all start in time."""
        library = _library()
        library.tf_status.clear()
        self.token = reservation.token_of(order.token)
        with self._listening(library.reservation):
            try:
                library.run(self, main_fun, {"order": order}, order.ranks, 0, master_node="chief",
                            reservation_timeout=seconds, release_port=False)  # fmt: skip
            except TextmillError:
                raise
            except Exception as error:
                said = next((headline(message) for message in self._errors()), "") or str(error)
                raise TextmillError(f"TensorFlowOnSpark did not start on {order.ranks} executors: {said}") from error

    def stop(self) -> None:
        """End the job and the server that nodes register at."""
        if not self.ended.is_set():
            self.context.cancelJobGroup(self.group)
            self.ended.wait(_END_SECONDS)
        if self._server is not None:
            self._server.stop()

    def fate(self, rank: int) -> str:
        """What Spark says of a rank's task that failed; empty where it says nothing for some seconds."""
        until = time.monotonic() + _FATE_SECONDS
        while time.monotonic() < until:
            for message in self._errors(rank):
                return headline(message)
            time.sleep(0.1)
        return ""

    def parallelize(self, numbers: range, slices: int) -> _Nodes:
        """The tasks of the nodes."""
        return _Nodes(self, self.context.parallelize(numbers, slices))

    def cancelAllJobs(self) -> None:  # noqa: N802
        """Called by the library where the job has failed before all nodes registered."""
        raise TextmillError(f"TensorFlowOnSpark did not start: {headline(self.error)}")

    def _errors(self, rank: int | None = None) -> Iterator[str]:
        tracker, store = self.context.statusTracker(), self.context._jsc.sc().statusStore()  # noqa: SLF001
        for job in tracker.getJobIdsForGroup(self.group):
            info = tracker.getJobInfo(job)
            for stage in info.stageIds if info else ():
                tasks = store.taskList(stage, 0, _TASKS)
                for task in (tasks.apply(number) for number in range(tasks.size())):
                    if rank in (None, task.index()) and task.errorMessage().isDefined():
                        yield task.errorMessage().get()

    @contextmanager
    def _listening(self, library: Any) -> Iterator[None]:
        """The library makes its server by name; of ours `stop` needs to know."""
        theirs = library.Server

        def made(count: int) -> reservation.Server:
            self._server = reservation.Server(count, driver_host(self.context), self.token)
            return self._server

        library.Server = made
        try:
            yield
        finally:
            library.Server = theirs


class _Nodes:
    """Runs the library's function in the cluster's job group, and remembers how that ended."""

    def __init__(self, cluster: Cluster, tasks: RDD[int]) -> None:
        self.cluster, self.tasks = cluster, tasks

    def foreachPartition(self, function: Callable[[Iterator[int]], None]) -> None:  # noqa: N802
        """Called by the library in a thread of its own, for which the group counts."""
        cluster = self.cluster
        cluster.context.setJobGroup(cluster.group, "training", interruptOnCancel=True)
        try:
            assert cluster._server is not None  # the library makes it before it calls this
            self.tasks.foreachPartition(Registering(function, cluster._server.address, cluster.token))
        except Exception as error:
            cluster.error = str(error)
            raise
        finally:
            cluster.ended.set()


def driver_host(context: SparkContext) -> str:
    """The address executors reach the driver at."""
    return str(context.getConf().get("spark.driver.host"))  # Spark sets it where nobody did


def _library() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pkg_resources warns on import
        from tensorflowonspark import TFCluster
    # It logs what is raised here too.
    logging.getLogger("tensorflowonspark").setLevel(logging.CRITICAL)
    logging.getLogger("py4j").setLevel(logging.WARNING)  # as it was before the library set up logging on its import
    return TFCluster


def headline(message: str) -> str:
    """The telling line of Spark's message, with the signal's name where it holds the exit code of a killed process."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    last = next((line for line in reversed(lines) if re.match(r"[\w.]*(Error|Exception)\b", line)), "")
    said = last or (lines[0] if lines else "no message")
    code = _EXIT_CODE.search(said)
    number = int(code[1]) - 128 if code else 0
    return f"signal {signal.Signals(number).name} ({said})" if number in set(signal.Signals) else said
