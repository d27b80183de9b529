"""Where a profile keeps the root and the inputs, put in the place of where the definition does."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.source import Keys, Tree


def applied(tree: Tree, name: str) -> Tree:
    """The tree with the root and inputs' paths that the profile `name` gives; those of `--set` stay as they are.

    What is malformed is left alone, for the validation of the whole to tell.
    """
    data, lines = copy.deepcopy(tree.data), dict(tree.lines)
    for keys, given, origin in _places(tree.data, name):
        *outer, last = keys
        if keys not in tree.overridden:
            _inner(data, outer)[last] = given
            lines[keys] = tree.lines.get(origin, 1)
    return Tree(tree.file, data, lines, tree.overridden)


def _places(data: Mapping[str, Any], name: str) -> Iterator[tuple[Keys, Any, Keys]]:
    """What the profile places: the key of the definition, the value, and the key it comes from."""
    profile = _inner(data, ["profiles", name])
    if "root" in profile:
        yield ("root",), profile["root"], ("profiles", name, "root")
    for given, path in _inner(profile, ["inputs"]).items():
        if isinstance(_inner(data, ["inputs"]).get(given), dict):
            yield ("inputs", given, "path"), path, ("profiles", name, "inputs", given)


def _inner(data: Any, keys: list[Any]) -> dict[str, Any]:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}
