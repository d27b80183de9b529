"""The grid search of scikit-learn's old example and 300 tiny fits: on Spark, by scikit-learn itself, by joblib-spark.

    python -m benchmarks.grid [--quick]

Every engine has two workers and is warm: a small search runs on it before each timed one. Engines take turns; figures
are medians of the rounds. Stops with an error where two engines disagree about a single score.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import joblib
import numpy as np
from joblibspark import register_spark
from pyspark.sql import SparkSession
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV, ParameterGrid
from sklearn.tree import DecisionTreeClassifier

import spark_sklearn

GRID = {
    "max_depth": [3, None],
    "max_features": [1, 3, 10],
    "min_samples_split": [1, 3, 10],  # 1 was legal when the example was written, and is a failed candidate today
    "min_samples_leaf": [1, 3, 10],
    "bootstrap": [True, False],
    "criterion": ["gini", "entropy"],
    "n_estimators": [10, 20, 40, 80],
}
TINY = {"random_state": list(range(60))}
CORES = 2
Grid = Sequence[Mapping[str, list[Any]]]
Engine = Callable[[Any, Any], Any]


def main(arguments: Sequence[str]) -> None:
    """Prints a table, and as its last line the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the grid, one round")
    parser.add_argument("--rounds", type=int, default=3, help="of the grid; the tiny fits have three times as many")
    given = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    with session() as spark:
        rounds = 1 if given.quick else given.rounds
        figures = measured(spark, every(10 if given.quick else 1), rounds)
    print(json.dumps({**figures, "load_1m": round(os.getloadavg()[0], 2)}))


def measured(spark: SparkSession, grid: Grid, rounds: int) -> dict[str, float]:
    """Seconds and ratios (ours over theirs)."""
    ours, own, joblib_spark = engines(spark)
    forest, tree = RandomForestClassifier(random_state=0), DecisionTreeClassifier()
    on_grid = compared(f"{len(grid)} candidates", {"spark_sklearn": ours, "scikit-learn": own}, forest, grid, rounds)
    all_three = {"spark_sklearn": ours, "scikit-learn": own, "joblib-spark": joblib_spark}
    tiny = compared("300 tiny fits", all_three, tree, [TINY], 3 * rounds)
    return {
        "candidates": len(grid),
        "spark_sklearn_s": round(on_grid["spark_sklearn"], 2),
        "sklearn_s": round(on_grid["scikit-learn"], 2),
        "ratio_sklearn": round(on_grid["spark_sklearn"] / on_grid["scikit-learn"], 3),
        "ratio_sklearn_tiny": round(tiny["spark_sklearn"] / tiny["scikit-learn"], 3),
        "ratio_joblibspark": round(tiny["spark_sklearn"] / tiny["joblib-spark"], 3),
    }


def every(step: int) -> Grid:
    """Each `step`-th candidate of the grid, as a grid of its own; the whole grid for 1."""
    return [{name: [value] for name, value in point.items()} for point in list(ParameterGrid(GRID))[::step]]


def engines(spark: SparkSession) -> tuple[Engine, Engine, Engine]:
    """Ours, scikit-learn's own and joblib-spark: functions of estimator and grid that give a search to fit."""
    register_spark()

    def ours(estimator: Any, grid: Any) -> Any:
        return spark_sklearn.GridSearchCV(spark, estimator, grid), nullcontext()

    def own(estimator: Any, grid: Any) -> Any:
        return GridSearchCV(estimator, grid, n_jobs=CORES), nullcontext()

    def joblib_spark(estimator: Any, grid: Any) -> Any:
        return GridSearchCV(estimator, grid), joblib.parallel_config("spark", n_jobs=CORES)

    return ours, own, joblib_spark


def compared(title: str, by_name: Mapping[str, Engine], estimator: Any, grid: Grid, rounds: int) -> dict[str, float]:
    """Median seconds of each engine. Raises RuntimeError where their scores differ."""
    times: dict[str, list[float]] = {name: [] for name in by_name}
    scores: dict[str, Any] = {}
    for _ in range(rounds):
        for name, engine in by_name.items():
            run(engine, DecisionTreeClassifier(), {"max_depth": [1, 2, 3, 4]})
            seconds, scores[name] = run(engine, estimator, grid)
            times[name].append(seconds)
            print(f"{title:16} {name:14} {seconds:8.2f} s   load {os.getloadavg()[0]:.1f}", flush=True)
    first, *others = scores.values()
    if not all(np.array_equal(first, other, equal_nan=True) for other in others):
        raise RuntimeError(f"{title}: {', '.join(scores)} do not agree about the scores")
    print(f"{title:16} {np.isnan(first).sum()} failed candidates, best score {np.nanmax(first):.4f}")
    return {name: statistics.median(values) for name, values in times.items()}


def run(engine: Engine, estimator: Any, grid: Any) -> tuple[float, Any]:
    """Seconds of one search, without the refit, and its mean test scores."""
    search, where = engine(estimator, grid)
    X, y = load_digits(return_X_y=True)
    started = time.perf_counter()
    with where:
        search.set_params(refit=False).fit(X, y)
    return time.perf_counter() - started, search.cv_results_["mean_test_score"]


@contextmanager
def session() -> Iterator[SparkSession]:
    """A quiet local session."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    conf = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.driver.host": "127.0.0.1"}
    started = SparkSession.builder.master(f"local[{CORES}]").config(map=conf).getOrCreate()
    started.sparkContext.setLogLevel("ERROR")
    try:
        yield started
    finally:
        started.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
