"""`--set a.b=value`: the value is what the key's schema takes.

A key of strings takes the text as it stands, whatever it looks like. A key of numbers, booleans, lists or mappings takes
YAML, in which what the schema has strings for stays as written, too. One that takes strings and lists takes YAML where
that is a list or a mapping, else the text; where a string may be missing, `null` stands for none.
"""

from __future__ import annotations

import copy
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import yaml
from pydantic import BaseModel

from pipelines import yamltext
from pipelines.source import FROM_COMMAND_LINE, Tree
from textmill.errors import DefinitionError, InputError

_WHOLE = (list, tuple, dict, set, frozenset)
_STRING, _NULL = "tag:yaml.org,2002:str", "tag:yaml.org,2002:null"


def override(tree: Tree, assignments: Sequence[str]) -> Tree:
    """The tree with every `a.b=value` of `assignments` applied, one after another.

    Raises InputError for an assignment without `=`, with a value that is not valid YAML where the key takes that, or
    through something that is not a mapping.
    """
    data = copy.deepcopy(tree.data)
    overridden = set(tree.overridden)
    for assignment in assignments:
        dotted, equals, text = assignment.partition("=")
        if not equals or not dotted:
            raise InputError(f"--set {assignment}: write KEY=VALUE, for example --set train.bigru.epochs=3")
        keys = tuple(dotted.split("."))
        if len(keys) > yamltext.DEEPEST:
            raise InputError(f"--set {keys[0]}.{keys[1]}…: more than {yamltext.DEEPEST} levels inside each other")
        _assign(data, keys, value(dotted, text, schemas(keys, data)))
        overridden.add(keys)
    return Tree(tree.file, data, tree.lines, overridden)


def value(key: str, text: str, wanted: Sequence[Any], option: str = FROM_COMMAND_LINE) -> Any:
    """The value of a text for a key whose schemas are `wanted`; raises InputError where it is not valid YAML."""
    if _only_strings(wanted):
        return None if text == "null" and types.NoneType in wanted else text
    try:
        found = yamltext.parse(option, text, lambda node: _settle(node, wanted))[0]
    except DefinitionError as error:
        if str in wanted:
            return text
        raise InputError(f"{option} {key}={text}: {'; '.join(one.message for one in error.problems)}") from error
    if str not in wanted or isinstance(found, list | dict) or type(found) in wanted:
        return found
    return None if text == "null" and types.NoneType in wanted else text


def schemas(keys: Sequence[str], data: Mapping[str, Any]) -> list[Any]:
    """The types that a definition's key may have: those of a union side by side; Any where nothing declares it."""
    from pipelines.model import Definition

    found: list[Any] = [Definition]
    for depth, key in enumerate(keys):
        declared = _chosen(keys[: depth + 1], data)
        found = _flat(declared) if declared is not None else under(found, key)
    return found


def _chosen(keys: Sequence[str], data: Mapping[str, Any]) -> list[Any] | None:
    """What another key chooses the schema of: `do` that of a step, `model` and `engine` that of params and options."""
    from pipelines.model import EntityFile

    match tuple(keys):
        case ("vars", _):
            return [str]
        case ("steps", _, "do"):
            return [str]
        case ("steps", _, "from"):
            return [str, list[str], dict[str, Any]]
        case ("entities", _):
            return [EntityFile, list[str]]
        case ("steps", step):
            return _named("operation", _inside(data, "steps", step, "do"))
        case ("train", train, "params"):
            return _named("model", _inside(data, "train", train, "model"))
        case ("train", train, "options"):
            return _named("engine", _inside(data, "train", train, "engine") or "local")
        case ("profiles", profile, "options"):
            return _named("engine", _inside(data, "profiles", profile, "engine"))
    return None


def _named(kind: Literal["operation", "model", "engine"], name: Any) -> list[Any]:
    from models import catalogue, engines
    from spark_jobs import registry

    known = {"operation": registry.NAMES, "model": catalogue.NAMES, "engine": engines.NAMES}
    if name not in known[kind]:
        return [Any]
    if kind == "operation":
        return [registry.operation(name).Params]
    return [catalogue.params(name) if kind == "model" else engines.options(name)]


def _inside(data: Any, *keys: str) -> Any:
    for key in keys:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data if isinstance(data, str) else None


def under(found: Iterable[Any], key: str) -> list[Any]:
    """The types of a key, or of the items (key `*`), in any of these types."""
    under: list[Any] = []
    for one in found:
        origin, args = typing.get_origin(one), typing.get_args(one)
        if isinstance(one, type) and issubclass(one, BaseModel):
            fields = {field.alias or name: field.annotation for name, field in one.model_fields.items()}
            under += _flat([fields[key]]) if key in fields else []
        elif origin in _WHOLE and args:
            under += _flat([args[1] if origin is dict else args[0]])
    return under or [Any]


def _flat(found: Iterable[Any]) -> list[Any]:
    """Unions taken apart, without what is annotated; literals as the types of their values."""
    flat: list[Any] = []
    for one in found:
        origin, args = typing.get_origin(one), typing.get_args(one)
        if origin is typing.Annotated:
            flat += _flat([args[0]])
        elif origin in (typing.Union, types.UnionType):
            flat += _flat(args)
        elif origin is Literal:
            flat += [type(each) for each in args]
        else:
            flat.append(one)
    return flat


def _only_strings(wanted: Sequence[Any]) -> bool:
    return str in wanted and set(wanted) <= {str, types.NoneType}


def _settle(node: yaml.Node, wanted: Sequence[Any]) -> None:
    """Scalars that only a string can be are strings."""
    if isinstance(node, yaml.ScalarNode):
        is_null = node.tag == _NULL and types.NoneType in wanted
        node.tag = _STRING if _only_strings(wanted) and not is_null else node.tag
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _settle(item, under(wanted, "*"))
    elif isinstance(node, yaml.MappingNode):
        for key, inner in node.value:
            _settle(inner, under(wanted, str(key.value)))


def _assign(data: dict[str, Any], keys: tuple[str, ...], value: Any) -> None:
    place: Any = data
    for depth, key in enumerate(keys[:-1]):
        place = place.setdefault(key, {})
        if not isinstance(place, dict):
            raise InputError(f"--set {'.'.join(keys)}: {'.'.join(keys[: depth + 1])} is not a mapping")
    place[keys[-1]] = value
