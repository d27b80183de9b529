"""The training engines by name. Each is an adapter that is imported when it is wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from models.engines.base import Engine, Probe
from textmill.errors import EngineUnavailable
from textmill.params import Params

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_ENGINES = {
    "horovod": "models.engines.horovod:Horovod",
    "local": "models.engines.local:Local",
    "tensorflowonspark": "models.engines.tensorflowonspark:TensorFlowOnSpark",
    "bigdl": "models.engines.bigdl:BigDL",
}
NAMES: tuple[str, ...] = tuple(_ENGINES)


def options(name: str) -> type[Params]:
    """What a definition may set for this engine alone; raises KeyError. None of its packages is imported."""
    return _load(name).Options


def starts_warm(name: str) -> bool:
    """Whether this engine can start from the weights of an earlier model; raises KeyError."""
    return _load(name).starts_warm


def on_executors(name: str) -> bool:
    """Whether an engine trains on Spark's executors; raises KeyError."""
    return _load(name).on_executors


def deciding(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Those of an engine's options that decide the result, not where it is computed; raises KeyError."""
    return _load(name).deciding(options)


def unbuildable(name: str, model: str) -> str:
    """Why an engine can't train the model of this name, empty where it can; raises KeyError."""
    return _load(name).unbuildable(model)


def probe(name: str) -> Probe:
    """Whether an engine can be used here, and if not why and what installs it; raises KeyError."""
    return _load(name).probe()


def unready(name: str, options: Mapping[str, Any]) -> str:
    """Why an engine can't train here with these options, and what to do; empty where it can. Raises KeyError."""
    answer = _load(name).ready(options)
    if answer.available:
        return ""
    install = f"; install it with: {answer.install}" if answer.install else ""
    return f"engine {name}: {answer.reason}{install}"


def details(name: str) -> str:
    """What the engine's installation is able to do, where that differs between installations; raises KeyError."""
    return _load(name).details()


def engine(
    name: str, spark: Callable[[], SparkSession] | None = None, options: Mapping[str, Any] | None = None
) -> Engine:
    """The engine called `name`; raises KeyError, or EngineUnavailable where what its `options` need is missing.

    `spark` is called by engines that train on Spark's executors, when they need the session.
    """
    if message := unready(name, options or {}):
        raise EngineUnavailable(message)
    return _load(name, spark)


def _load(name: str, spark: Callable[[], SparkSession] | None = None) -> Engine:
    module, _, attribute = _ENGINES[name].partition(":")
    return getattr(import_module(module), attribute)(spark)  # type: ignore[no-any-return]
