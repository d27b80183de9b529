"""`${…}` in a definition: `${name}` of `vars`, `${root}`, `${run.date}`, `${env.NAME:-default}`."""

from __future__ import annotations

import datetime as dt
import difflib
import os
import re
from collections.abc import Mapping
from typing import Any

from pipelines.source import Keys, Tree
from textmill.errors import DefinitionError, Problem

_REFERENCE = re.compile(r"\$\{([^}]*)\}")


def substitute(tree: Tree, date: dt.date | str, environ: Mapping[str, str] = os.environ) -> Tree:
    """The tree with all variables replaced; raises DefinitionError naming every variable that is not known."""
    problems: list[Problem] = []
    known: dict[str, str] = {"run.date": str(date)}
    variables = tree.data.get("vars") or {}
    if isinstance(variables, Mapping):
        for name, value in variables.items():
            known[str(name)] = str(_replace(value, ("vars", str(name)), tree, known, environ, problems))
    known["root"] = str(_replace(tree.data.get("root", "runs"), ("root",), tree, known, environ, problems))
    data = {key: _replace(value, (key,), tree, known, environ, problems) for key, value in tree.data.items()}
    if problems:
        raise DefinitionError(list(dict.fromkeys(problems)))
    return Tree(tree.file, data, tree.lines, tree.overridden)


def _replace(
    value: Any, keys: Keys, tree: Tree, known: Mapping[str, str], environ: Mapping[str, str], problems: list[Problem]
) -> Any:
    if isinstance(value, dict):
        return {k: _replace(v, (*keys, str(k)), tree, known, environ, problems) for k, v in value.items()}
    if isinstance(value, list):
        return [_replace(v, (*keys, i), tree, known, environ, problems) for i, v in enumerate(value)]
    if not isinstance(value, str):
        return value

    def look_up(match: re.Match[str]) -> str:
        try:
            return _look_up(match.group(1), known, environ)
        except KeyError as error:
            problems.append(tree.problem(keys, error.args[0]))
            return match.group(0)

    return _REFERENCE.sub(look_up, value)


def _look_up(reference: str, known: Mapping[str, str], environ: Mapping[str, str]) -> str:
    name, has_default, default = reference.partition(":-")
    if name.startswith("env."):
        variable = name.removeprefix("env.")
        if environ.get(variable):
            return environ[variable]
        if has_default:
            return default
        raise KeyError(f"the environment variable {variable} is not set; set it or write ${{env.{variable}:-default}}")
    if name in known:
        return known[name]
    if has_default:
        return default
    close = difflib.get_close_matches(name, known, 1)
    raise KeyError(f"unknown variable ${{{name}}}" + (f", did you mean '${{{close[0]}}}'?" if close else ""))
