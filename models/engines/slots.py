"""Whether Spark has the executors that a training wants, found out before it starts."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spark_jobs.session import is_local
from textmill.errors import EnvironmentProblem

if TYPE_CHECKING:
    from pyspark import SparkConf, SparkContext

_LOCAL_CLUSTER = re.compile(r"local-cluster\[\s*(\d+)\s*,")


@dataclass(frozen=True)
class Executor:
    """One executor that is there."""

    name: str
    host: str
    tasks: int
    """Tasks it runs side by side."""
    cores: int


def misfits(conf: SparkConf) -> Iterator[str]:
    """Settings under which a training can't hold its executors, each with the line to change."""
    master = conf.get("spark.master", "") or ""
    if is_local(master):
        yield (
            f"spark.master is {master}, which has no executors to train on: give the profile `master: yarn`, "
            "spark://… or local-cluster[2,1,1536], or train with `engine: local`"
        )
    if conf.get("spark.dynamicAllocation.enabled", "false") == "true":
        yield (
            "spark.dynamicAllocation.enabled is true, so executors would be taken away during training: set "
            '`conf: {spark.dynamicAllocation.enabled: "false", spark.executor.instances: "N"}` in the profile'
        )


def wanted(conf: SparkConf, spare: int = 0) -> int:
    """The ranks asked for: spark.textmill.train.ranks, else the executors Spark was asked for but for `spare` of them;
    0 where neither is set."""
    if given := conf.get("spark.textmill.train.ranks", None):
        return int(given)
    return max(0, _asked(conf) - spare)


def _asked(conf: SparkConf) -> int:
    if given := conf.get("spark.executor.instances", None):
        return int(given)
    if found := _LOCAL_CLUSTER.match(conf.get("spark.master", "") or ""):
        return int(found[1])
    return int(conf.get("spark.cores.max", "0") or 0) // int(conf.get("spark.executor.cores", "1") or 1)


def held(context: SparkContext) -> list[Executor]:
    """The executors that have registered and are alive, without the driver."""
    found = context._jsc.sc().statusStore().executorList(True)  # noqa: SLF001
    executors = [found.apply(number) for number in range(found.size())]
    return [
        Executor(each.id(), each.hostPort().partition(":")[0], each.maxTasks(), each.totalCores())
        for each in executors
        if each.id() != "driver" and each.isActive()
    ]


def hold(context: SparkContext, ranks: int, seconds: float, spare: int = 0) -> list[Executor]:
    """Wait until `ranks` executors and `spare` more are there.

    Raises EnvironmentProblem when they do not come or can't be used.
    """
    until, need = time.monotonic() + seconds, max(1, ranks) + spare
    while len(there := held(context)) < need and time.monotonic() < until:
        time.sleep(0.2)
    if len(there) < need:
        names = ", ".join(f"{each.name} on {each.host}" for each in there) or "none"
        raise EnvironmentProblem(
            f"{need} executors are wanted and {len(there)} there after {seconds:.0f} s ({names}): free room in "
            f'the queue, set `spark.textmill.train.ranks: "{max(1, len(there) - spare)}"` or fewer `spark.executor.instances` '
            "in the profile's `conf`, or wait longer with `spark.textmill.train.wait`"
        )
    if shared := [each for each in there if each.tasks > 1]:
        raise EnvironmentProblem(
            f"executor {shared[0].name} on {shared[0].host} runs {shared[0].tasks} tasks at once, so two ranks would "
            f'share it: set `conf: {{spark.task.cpus: "{shared[0].cores}"}}` in the profile'
        )
    return there
