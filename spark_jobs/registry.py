"""All operations by the name a definition calls them with `do:`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from spark_jobs.base import Operation

# Imported on first use: an operation's module brings pyspark with it, and most verbs of the command line need one or none.
_MODULES = {
    "text.clean": "spark_jobs.clean:Clean",
    "text.dedup": "spark_jobs.dedup:Dedup",
    "text.near_pairs": "spark_jobs.near:NearPairs",
    "data.split": "spark_jobs.split:Split",
    "text.populate": "spark_jobs.populate:Populate",
    "text.augment": "spark_jobs.augment:Augment",
    "text.tokenize": "spark_jobs.tokenize:Tokenize",
    "tensor.encode": "spark_jobs.encode:Encode",
    "text.embed": "spark_jobs.embed:Embed",
    "model.evaluate": "spark_jobs.evaluate:Evaluate",
    "model.search": "spark_jobs.search:Search",
}
_IMPLIED = ("text.near_pairs", "model.evaluate", "model.search")
NAMES: tuple[str, ...] = tuple(name for name in _MODULES if name not in _IMPLIED)
"""What a step's `do:` may name; the others come by themselves, before a dedup, after every training, from `search:`."""


def operation(name: str) -> Operation:
    """The operation called `name`; raises KeyError."""
    module, _, attribute = _MODULES[name].partition(":")
    return getattr(import_module(module), attribute)()


def all_operations() -> Mapping[str, Operation]:
    """Every operation by name."""
    return {name: operation(name) for name in NAMES}
