"""Searches over random draws."""

from __future__ import annotations

from sklearn import model_selection
from sklearn.experimental import enable_halving_search_cv  # noqa: F401  (the import itself is the switch)

from spark_sklearn.base_search import OnSpark, accepts_context


@accepts_context(
    *("estimator", "param_distributions", "n_iter", "scoring", "fit_params", "n_jobs", "iid", "refit", "cv", "verbose"),
    *("pre_dispatch", "random_state", "error_score"),
)
class RandomizedSearchCV(OnSpark, model_selection.RandomizedSearchCV):
    """`sklearn.model_selection.RandomizedSearchCV`, its fits as Spark tasks."""


@accepts_context("estimator", "param_distributions")
class HalvingRandomSearchCV(OnSpark, model_selection.HalvingRandomSearchCV):
    """`sklearn.model_selection.HalvingRandomSearchCV`, the fits of each iteration as Spark tasks."""
