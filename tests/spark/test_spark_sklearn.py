"""Searches on a local cluster: equal to scikit-learn's own, whatever the fits do."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession
from scipy import sparse
from sklearn import model_selection
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline

import spark_sklearn
from spark_sklearn import shared

X, Y = load_digits(return_X_y=True)
GRID = {"max_depth": [3, None], "min_samples_split": [1, 3], "n_estimators": [5, 8]}


def assert_equal_results(ours: Any, theirs: Any) -> None:
    assert ours.cv_results_.keys() == theirs.cv_results_.keys()
    for name, expected in theirs.cv_results_.items():
        if "time" not in name:
            np.testing.assert_array_equal(ours.cv_results_[name], expected, err_msg=name)
    assert ours.best_params_ == theirs.best_params_


def test_the_old_call_gives_scikit_learns_results_and_failed_candidates(spark: SparkSession) -> None:
    forest = RandomForestClassifier(random_state=0)
    with pytest.warns(FitFailedWarning) as said:
        ours = spark_sklearn.GridSearchCV(spark.sparkContext, forest, GRID, cv=3).fit(X, Y)
    with pytest.warns(FitFailedWarning):
        theirs = model_selection.GridSearchCV(forest, GRID, cv=3).fit(X, Y)
    (failed,) = [str(warned.message) for warned in said if warned.category is FitFailedWarning]
    assert "12 fits failed out of a total of 24" in failed
    assert "The 'min_samples_split' parameter of RandomForestClassifier must be an int in the range [2, inf)" in failed
    assert_equal_results(ours, theirs)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


def test_old_positional_arguments_mean_what_they_meant(spark: SparkSession) -> None:
    weights = np.random.default_rng(0).random(len(Y))
    given = (
        LogisticRegression(max_iter=20),
        {"C": [0.1, 1]},
        "f1_macro",
        {"sample_weight": weights},
        1,
        False,
        True,
        3,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = spark_sklearn.GridSearchCV(spark, *given).fit(X, Y)
        theirs = model_selection.GridSearchCV(given[0], given[1], scoring="f1_macro", cv=3)
        theirs.fit(X, Y, sample_weight=weights)
    assert_equal_results(ours, theirs)


@pytest.mark.parametrize("kind", ["text", "frame", "sparse", "fortran"])
def test_any_kind_of_data(spark: SparkSession, kind: str) -> None:
    data: Any = {
        "text": [" ".join(f"w{int(value)}" for value in row) for row in X],
        "frame": pd.DataFrame(X).add_prefix("pixel"),
        "sparse": sparse.csr_matrix(X),
        "fortran": np.asfortranarray(X),
    }[kind]
    model = SGDClassifier(random_state=0, max_iter=5, tol=None)
    estimator = make_pipeline(TfidfVectorizer(), model) if kind == "text" else make_pipeline(model)
    draws = {"sgdclassifier__alpha": [1e-4, 1e-3, 1e-2, 1e-1]}
    common = {"n_iter": 2, "random_state": 1, "cv": 3, "return_train_score": True}
    ours = spark_sklearn.RandomizedSearchCV(estimator, draws, **common).fit(data, Y)
    assert_equal_results(ours, model_selection.RandomizedSearchCV(estimator, draws, **common).fit(data, Y))


def test_halving(spark: SparkSession) -> None:
    grid, tree = {"min_samples_leaf": [1, 2, 4, 8, 16, 32]}, RandomForestClassifier(n_estimators=4, random_state=0)
    ours = spark_sklearn.HalvingGridSearchCV(spark, tree, grid, cv=3, random_state=0).fit(X, Y)
    assert_equal_results(ours, model_selection.HalvingGridSearchCV(tree, grid, cv=3, random_state=0).fit(X, Y))


class Odd(ClassifierMixin, BaseEstimator):
    """Does to its process what it is told."""

    def __init__(self, deed: str = "") -> None:
        self.deed = deed

    def fit(self, X: Any, y: Any) -> Odd:
        if self.deed == "die":
            os._exit(9)
        if self.deed == "exit":
            sys.exit(3)
        if self.deed == "interrupt":
            raise KeyboardInterrupt
        if self.deed == "raise":
            raise LookupError("no such thing")
        if self.deed == "warn":
            warnings.warn("beware of it", RuntimeWarning, stacklevel=1)
        print(f"did {self.deed}")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        return np.full(len(X), self.classes_[0])


def search(spark: SparkSession, *deeds: str, **settings: Any) -> Any:
    return spark_sklearn.GridSearchCV(spark, Odd(), {"deed": list(deeds)}, cv=2, refit=False, **settings)


def test_a_fit_that_kills_its_worker_is_a_failed_candidate(spark: SparkSession) -> None:
    with pytest.warns(
        FitFailedWarning, match="2 fits failed out of a total of 6(?s:.*)ended the Python worker it ran in"
    ):
        done = search(spark, "a", "die", "b").fit(X, Y)
    np.testing.assert_array_equal(np.isnan(done.cv_results_["mean_test_score"]), [False, True, False])


@pytest.mark.parametrize(("deed", "said"), [("exit", "SystemExit: 3"), ("interrupt", "KeyboardInterrupt")])
def test_a_fit_that_would_end_the_program_is_a_failed_candidate(spark: SparkSession, deed: str, said: str) -> None:
    with pytest.warns(FitFailedWarning, match=f"2 fits failed(?s:.*)estimator raised {said} in .*test_spark_sklearn.py"):
        done = search(spark, "a", deed).fit(X, Y)
    np.testing.assert_array_equal(np.isnan(done.cv_results_["mean_test_score"]), [False, True])
    with pytest.raises(RuntimeError, match=f"the estimator raised {said}"):
        search(spark, "a", deed, error_score="raise").fit(X, Y)


def test_workers_run_this_interpreter_unless_another_was_chosen(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = os.path.realpath(sys.executable)  # of the same version, without this environment's packages
    monkeypatch.delenv("PYSPARK_PYTHON")
    monkeypatch.setattr(spark.sparkContext, "pythonExec", bare)
    search(spark, "a").fit(X, Y)
    monkeypatch.setenv("PYSPARK_PYTHON", bare)
    monkeypatch.setattr(spark.sparkContext, "pythonExec", bare)
    with pytest.raises(RuntimeError, match=f"no module '(?s:.*)PYSPARK_PYTHON={sys.executable}") as raised:
        search(spark, "a").fit(X, Y)
    assert raised.value.__suppress_context__, "nothing of Spark's comes first"


def test_errors_are_raised_as_they_were_and_say_where_they_come_from(spark: SparkSession) -> None:
    with pytest.raises(LookupError, match="no such thing") as raised:
        search(spark, "a", "raise", error_score="raise").fit(X, Y)
    assert "test_spark_sklearn.py" in str(raised.value.__cause__)


def test_output_and_warnings_of_the_fits_reach_the_user(spark: SparkSession, capsys: Any) -> None:
    with pytest.warns(RuntimeWarning, match="beware of it"):
        search(spark, "warn").fit(X, Y)
    assert capsys.readouterr().out.count("did warn") == 2


def test_arrays_in_the_workers_are_views_of_one_file_that_goes_afterwards(spark: SparkSession) -> None:
    table = shared.broadcast(spark.sparkContext, [np.arange(100_000.0), "text"])

    def look(_: Any) -> Any:
        array, text = shared.load(table)
        yield array.sum(), text, array.flags.owndata or array.flags.writeable, array.ctypes.data % 64

    assert spark.sparkContext.parallelize([0], 1).mapPartitions(look).collect() == [(4999950000.0, "text", False, 0)]
    path = table._path
    os.chmod(path, 0o666)
    with pytest.raises(PermissionError, match="another user owns it or may write to it"):
        shared.load(table)
    table.destroy()
    assert not os.path.exists(path)


def test_the_refit_stays_with_the_driver(spark: SparkSession) -> None:
    """A forest with n_jobs asks joblib itself: the cluster must not get those calls."""
    forest = RandomForestClassifier(n_estimators=4, random_state=0, n_jobs=2)
    before = len(spark.sparkContext.statusTracker().getJobIdsForGroup())
    done = spark_sklearn.GridSearchCV(forest, {"max_depth": [2]}, cv=2).fit(X, Y)
    between = len(spark.sparkContext.statusTracker().getJobIdsForGroup())
    done.predict(X)
    assert between > before
    assert len(spark.sparkContext.statusTracker().getJobIdsForGroup()) == between
