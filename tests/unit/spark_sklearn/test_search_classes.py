"""Constructors, copies and what happens where there is no Spark."""

from __future__ import annotations

import inspect
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn import model_selection
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier

import spark_sklearn

GRID = {"max_depth": [1, 2, 3]}
CLASSES = [getattr(spark_sklearn, name) for name in spark_sklearn.__all__]


@pytest.mark.parametrize("search", CLASSES)
def test_signature_is_scikit_learns_and_two_more_keywords(search: Any) -> None:
    theirs = inspect.signature(getattr(model_selection, search.__name__))
    ours = inspect.signature(search)
    assert list(ours.parameters) == [*theirs.parameters, "sc", "fit_params"]
    assert all(str(ours.parameters[name]) == str(theirs.parameters[name]) for name in theirs.parameters)


@pytest.mark.parametrize("search", CLASSES)
def test_params_are_scikit_learns(search: Any) -> None:
    theirs = getattr(model_selection, search.__name__)(DecisionTreeClassifier(), GRID)
    ours = search(DecisionTreeClassifier(), GRID)
    assert repr(ours) == repr(theirs)
    assert ours.set_params(verbose=1, estimator__max_depth=2).get_params().keys() == theirs.get_params().keys()


def test_without_spark_it_is_scikit_learns_search() -> None:
    X, y = load_iris(return_X_y=True)
    tree = DecisionTreeClassifier(random_state=0)
    ours = spark_sklearn.GridSearchCV(tree, GRID).fit(X, y)
    theirs = model_selection.GridSearchCV(tree, GRID).fit(X, y)
    np.testing.assert_array_equal(ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"])
    assert pickle.loads(pickle.dumps(ours)).best_params_ == theirs.best_params_


def test_fit_params_of_the_constructor_reach_fit_and_survive_clone() -> None:
    X, y = load_iris(return_X_y=True)
    weights = (y == 0).astype(float)  # the tree learns one class alone
    search = clone(spark_sklearn.GridSearchCV(DecisionTreeClassifier(), GRID, fit_params={"sample_weight": weights}))
    assert set(search.fit(X, y).predict(X)) == {0}


def test_wrong_context_is_named() -> None:
    search = spark_sklearn.GridSearchCV(DecisionTreeClassifier(), GRID, sc="local[2]")
    with pytest.raises(TypeError, match=r"sc must be a SparkContext or a .* got 'local\[2\]'"):
        search.fit([[1.0]], [0])


def test_iid_is_refused_aloud_only_where_it_would_change_scores() -> None:
    with pytest.warns(FutureWarning, match="iid=True has no effect"):
        spark_sklearn.GridSearchCV(DecisionTreeClassifier(), GRID, iid=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        spark_sklearn.GridSearchCV(DecisionTreeClassifier(), GRID, iid=False)
