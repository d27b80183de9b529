"""The training engines by name. Each is an adapter that is imported when it is wanted."""

from __future__ import annotations

from importlib import import_module

from models.engines.base import Engine, Probe
from textmill.errors import EngineUnavailable

_ENGINES = {"local": "models.engines.local:Local"}
NAMES: tuple[str, ...] = tuple(_ENGINES)


def probe(name: str) -> Probe:
    """Whether an engine can be used here, and if not why and what installs it; raises KeyError."""
    return _load(name).probe()


def engine(name: str) -> Engine:
    """The engine called `name`; raises KeyError, or EngineUnavailable where its packages are missing."""
    found = _load(name)
    answer = found.probe()
    if not answer.available:
        raise EngineUnavailable(f"engine {name}: {answer.reason}; install it with: {answer.install}")
    return found


def _load(name: str) -> Engine:
    module, _, attribute = _ENGINES[name].partition(":")
    return getattr(import_module(module), attribute)()  # type: ignore[no-any-return]
