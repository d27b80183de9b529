"""A pytest plugin: scikit-learn's own tests find our classes where they import theirs, and a local cluster beneath."""

from __future__ import annotations

import os
import sys

import pytest
import sklearn.model_selection
from pyspark.sql import SparkSession

import spark_sklearn


def pytest_configure(config: pytest.Config) -> None:
    """Before any test module is imported."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    conf = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.driver.host": "127.0.0.1"}
    builder = SparkSession.builder.master("local[2]").config(map=conf)
    builder.getOrCreate().sparkContext.setLogLevel("OFF")
    for name in spark_sklearn.__all__:
        setattr(sklearn.model_selection, name, getattr(spark_sklearn, name))


def pytest_unconfigure(config: pytest.Config) -> None:
    """After the last test."""
    session = SparkSession.getActiveSession()
    if session is not None:
        print(f"\n{len(session.sparkContext.statusTracker().getJobIdsForGroup())} Spark jobs")
        session.stop()
