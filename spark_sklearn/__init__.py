"""scikit-learn's searches, their fits spread over a Spark cluster; continues the package of this name."""

from __future__ import annotations

from spark_sklearn.grid_search import GridSearchCV, HalvingGridSearchCV
from spark_sklearn.random_search import HalvingRandomSearchCV, RandomizedSearchCV

__all__ = ["GridSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV", "RandomizedSearchCV"]
