"""Searches over grids."""

from __future__ import annotations

from sklearn import model_selection
from sklearn.experimental import enable_halving_search_cv  # noqa: F401  (the import itself is the switch)

from spark_sklearn.base_search import OnSpark, accepts_context


@accepts_context(
    *("estimator", "param_grid", "scoring", "fit_params", "n_jobs", "iid", "refit", "cv", "verbose", "pre_dispatch"),
    *("error_score", "return_train_score"),
)
class GridSearchCV(OnSpark, model_selection.GridSearchCV):
    """`sklearn.model_selection.GridSearchCV`, its fits as Spark tasks."""


@accepts_context("estimator", "param_grid")
class HalvingGridSearchCV(OnSpark, model_selection.HalvingGridSearchCV):
    """`sklearn.model_selection.HalvingGridSearchCV`, the fits of each iteration as Spark tasks."""
