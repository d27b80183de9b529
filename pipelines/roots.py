"""Which folder the runs are in: one rule for all verbs."""

from __future__ import annotations

import copy
import os
from typing import Any

from pipelines.source import Tree

DEFAULT = "runs"


def chosen(given: str | None, defined: Any = None) -> Any:
    """What `--root` says, else the definition, else the variable TEXTMILL_ROOT, else `runs`.

    `defined` is as the definition has it: validation looks at it later.
    """
    return given or defined or os.environ.get("TEXTMILL_ROOT") or DEFAULT


def placed(tree: Tree, given: str | None) -> Tree:
    """The tree with the root that holds, `given` by `--root` or None; a profile's root is in its place already."""
    data = copy.copy(tree.data)
    data["root"] = chosen(given, data.get("root"))
    overridden = tree.overridden | {("root",)} if given else tree.overridden
    return Tree(tree.file, data, tree.lines, overridden)
