"""What is refused before a training waits for executors, and the line of the profile that each refusal names."""

from __future__ import annotations

import re

import pytest
from pyspark import SparkConf

from models.engines import slots


def conf(**given: str) -> SparkConf:
    """Settings of Spark, `_` for the dots; no JVM."""
    found = SparkConf(loadDefaults=False)
    for key, value in given.items():
        found.set("spark." + key.replace("_", "."), value)
    return found


@pytest.mark.parametrize("master", ["local", "local[2]", "local[*]"])
def test_a_master_without_executors_is_refused(master: str) -> None:
    (said,) = slots.misfits(conf(master=master))
    assert said.startswith(f"spark.master is {master}") and "`master: yarn`" in said and "`engine: local`" in said


def test_dynamic_allocation_is_refused_with_the_lines_to_set() -> None:
    (said,) = slots.misfits(conf(master="yarn", dynamicAllocation_enabled="true"))
    assert re.search(r'`conf: \{spark.dynamicAllocation.enabled: "false", spark.executor.instances: "N"\}`', said)


def test_settings_that_fit_are_left_alone() -> None:
    assert list(slots.misfits(conf(master="yarn", executor_instances="2"))) == []
    assert list(slots.misfits(conf(master="local-cluster[2,1,1536]"))) == []


@pytest.mark.parametrize(
    ("given", "ranks"),
    [
        ({"textmill_train_ranks": "3", "executor_instances": "5"}, 3),
        ({"executor_instances": "5"}, 5),
        ({"master": "local-cluster[2, 1, 1536]"}, 2),
        ({"master": "spark://host:7077", "cores_max": "12", "executor_cores": "4"}, 3),
        ({"master": "yarn"}, 0),
    ],
)
def test_the_ranks_are_those_spark_was_asked_for(given: dict[str, str], ranks: int) -> None:
    assert slots.wanted(conf(**given)) == ranks
