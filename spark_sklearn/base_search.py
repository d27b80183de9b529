"""What the four search classes share: where they run, and the constructors of the dead package."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pyspark import SparkContext
from pyspark.sql import SparkSession

from spark_sklearn import contexts
from spark_sklearn.backend import fits_on

Search = TypeVar("Search", bound=type)
# Where a search runs and what the dead package took besides: no hyperparameters, so not among get_params().
_OWN = ("sc", "fit_params")


class OnSpark:
    """Mixed in before one of scikit-learn's search classes: `fit` sends the fits of all candidates to Spark.

    Runs on `sc` (a SparkContext or SparkSession); without it on the active Spark session; where there is none, as
    scikit-learn does. On Spark `n_jobs` and `pre_dispatch` have no effect: the cluster's slots decide. The refit runs
    on the driver.
    """

    sc: SparkContext | SparkSession | None
    fit_params: Mapping[str, Any] | None

    def fit(self, X: Any, y: Any = None, **params: Any) -> Any:
        """As scikit-learn's `fit`, with equal results.

        Raises TypeError where `sc` is neither context nor session, StoppedContext where it has been stopped.
        """
        params = {**(self.fit_params or {}), **params}
        context = spark_context(self.sc)
        if context is None:
            return super().fit(X, y, **params)  # type: ignore[misc]
        with fits_on(contexts.ready(context), type(self).__name__):
            return super().fit(X, y, **params)  # type: ignore[misc]

    @classmethod
    def _get_param_names(cls) -> list[str]:
        return [name for name in super()._get_param_names() if name not in _OWN]  # type: ignore[misc]

    def __sklearn_clone__(self) -> Any:
        cloned = super().__sklearn_clone__()  # type: ignore[misc]
        cloned.sc, cloned.fit_params = self.sc, self.fit_params
        return cloned

    def __getstate__(self) -> dict[str, Any]:
        # A context lives in the driver's process alone; a copy elsewhere finds the session there, if any.
        return {**super().__getstate__(), "sc": None}  # type: ignore[dict-item]


def spark_context(given: object) -> SparkContext | None:
    """The context of `given`, or the active session's where it is None. Raises TypeError for any other object."""
    if given is None:
        session = SparkSession.getActiveSession()
        return session.sparkContext if session else None
    if isinstance(given, SparkSession):
        return given.sparkContext
    if isinstance(given, SparkContext):
        return given
    raise TypeError(f"sc must be a SparkContext or a (classic, not Spark Connect) SparkSession, got {given!r}")


def accepts_context(*old: str) -> Callable[[Search], Search]:
    """Class decorator: beside scikit-learn's constructor that of the dead package, `(sc, *old)`."""

    def decorate(search: Search) -> Search:
        parent = search.__init__  # type: ignore[misc]

        @functools.wraps(parent)
        def init(self: Any, *args: Any, sc: Any = None, fit_params: Any = None, **kwargs: Any) -> None:
            if args and isinstance(args[0], (SparkContext, SparkSession)):
                sc, args = args[0], args[1:]
                kwargs, args = _named(search.__name__, old, args, kwargs), ()
                fit_params = kwargs.pop("fit_params", fit_params)
            if "iid" in kwargs:
                _warn_of_iid(kwargs.pop("iid"))
            self.sc, self.fit_params = sc, fit_params
            parent(self, *args, **kwargs)

        init.__signature__ = _with_own(inspect.signature(parent))  # type: ignore[attr-defined]
        search.__init__ = init  # type: ignore[misc]
        return search

    return decorate


def _named(search: str, names: Sequence[str], args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Positional arguments after `sc` by their old names."""
    if len(args) > len(names):
        raise TypeError(f"{search}(sc, …) takes {len(names)} positional arguments after sc, got {len(args)}")
    given = dict(zip(names, args, strict=False))
    twice = sorted(given.keys() & kwargs.keys())
    if twice:
        raise TypeError(f"{search}(sc, …) got more than one value for {', '.join(twice)}")
    return {**given, **kwargs}


def _warn_of_iid(iid: object) -> None:
    if iid:
        message = "iid=True has no effect: since scikit-learn 0.24 a mean score weighs all folds alike"
        warnings.warn(message, FutureWarning, stacklevel=3)


def _with_own(signature: inspect.Signature) -> inspect.Signature:
    own = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in _OWN]
    return signature.replace(parameters=[*signature.parameters.values(), *own])
