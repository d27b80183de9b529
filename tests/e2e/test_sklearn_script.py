"""A plain script that uses spark_sklearn: its context as Spark makes it, and stopped under the search."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys, threading, time
from pyspark.sql import SparkSession
from sklearn.base import BaseEstimator, ClassifierMixin
from spark_sklearn import GridSearchCV

class Slow(ClassifierMixin, BaseEstimator):
    def __init__(self, seconds=0):
        self.seconds = seconds
    def fit(self, X, y):
        time.sleep(self.seconds)
        self.classes_ = [0, 1]
        return self
    def predict(self, X):
        return [0] * len(X)

def search(spark, seconds):
    X, y = [[number] for number in range(20)], [0, 1] * 10
    try:
        GridSearchCV(Slow(), {"seconds": seconds}, cv=2, sc=spark.sparkContext, refit=False).fit(X, y)
    except Exception as error:
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return f"{type(error).__name__}: {error}; cause {cause!r}"
    return "done"

spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
print(search(spark, [0.0, 0.1]), flush=True)
threading.Timer(3, spark.stop).start()
print(search(spark, [30.0, 31.0]), flush=True)
print(search(spark, [0.0]), flush=True)
"""


def test_the_cause_of_a_failed_search_is_what_the_user_sees(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    python = tmp_path / "python3"  # what Spark would take for its workers
    python.symlink_to(os.path.realpath(sys.executable))
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYSPARK_")}
    environ |= {"PATH": f"{tmp_path}:{environ['PATH']}", "SPARK_LOCAL_IP": "127.0.0.1"}
    command = [sys.executable, "script.py"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.stdout.splitlines() == [
        "done",
        "StoppedContext: the SparkContext was stopped while the search ran; cause None",
        "StoppedContext: the SparkContext has been stopped: start another, and give the search that one as `sc`; "
        "cause None",
    ], done.stderr
