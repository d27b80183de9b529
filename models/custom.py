"""Models of the user's own, `model: my_module:build`: a function that gives layers or a tf_keras model.

    def build(vocabulary: int, labels: int, units: int = 64):
        return [Embedding(vocabulary, units), MaxMeanPool(), Dense(labels, "softmax")]

Besides `vocabulary` (ids, those of padding and unknown tokens included), `labels` and, if it wants it, `length`, its
parameters are those that `params` may give. A tf_keras model takes int32 [batch, length] and gives logits [batch, labels].
"""

from __future__ import annotations

import ast
import atexit
import importlib
import inspect
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import create_model

from textmill.errors import InputError
from textmill.params import Params

_GIVEN = ("vocabulary", "labels", "length")
_LARGEST = 65_536


@dataclass(frozen=True)
class Custom:
    """A model's function as a definition sees it."""

    params: type[Params]
    code: Mapping[str, str]
    """The module and all that it imports from beside it: text by path."""


def read(folder: Path, name: str) -> Custom:
    """The model `module:function` of a module in `folder`; raises InputError, with file and line where there is one."""
    module, _, function = name.partition(":")
    code = {path: _text(folder / path) for path in _files(folder, module)}
    if not code:
        raise InputError(f"there is no module {folder / module}.py")
    if sum(map(len, code.values())) > _LARGEST:
        raise InputError(f"{', '.join(code)} have more than {_LARGEST:,} characters, too many to send to every worker")
    with _importable(folder):
        made = _function(folder, module, function)
        return Custom(_params(made), code)


def build(code: Mapping[str, str], name: str, given: Mapping[str, Any], **sizes: int) -> Any:
    """What the function returns, called with the parameters of a definition; its files are those of `code`."""
    module, _, function = name.partition(":")
    folder = tempfile.TemporaryDirectory(prefix="textmill-model-")
    atexit.register(folder.cleanup)  # TensorFlow reads the source of what it traces
    for path, text in code.items():
        file = Path(folder.name, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    with _importable(Path(folder.name)):
        made = _function(Path(folder.name), module, function)
        taken = inspect.signature(made).parameters
        found = made(**{key: value for key, value in sizes.items() if key in taken}, **given)
    if not isinstance(found, list) and not hasattr(found, "trainable_variables"):
        raise InputError(f"{_place(made)}: {name} returned {type(found).__name__}, neither layers nor a tf_keras model")
    return found


def _files(folder: Path, module: str) -> list[str]:
    """The module's file and those it imports from `folder`, directly or over others; sorted."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        stem = Path(*waiting.pop().split("."))
        for path in (stem.with_suffix(".py"), stem / "__init__.py"):
            if path.as_posix() not in found and (folder / path).is_file():
                found.add(path.as_posix())
                waiting += _imports(folder / path, stem if path.name == "__init__.py" else stem.parent)
    return sorted(found)


def _imports(file: Path, package: Path) -> Iterator[str]:
    """Names of modules that may be meant by the imports of a file in `package`."""
    try:
        tree = ast.parse(_text(file), str(file))
    except SyntaxError as error:
        raise InputError(f"{file}:{error.lineno}: {error.msg}") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.parts[: len(package.parts) - node.level + 1] if node.level else ()
            base = ".".join([*above, *filter(None, [node.module])])
            names = [base, *(f"{base}.{alias.name}" if base else alias.name for alias in node.names)]
        else:
            continue
        for name in filter(None, names):
            parts = name.split(".")
            yield from (".".join(parts[:depth]) for depth in range(1, len(parts) + 1))


def _function(folder: Path, module: str, name: str) -> Callable[..., Any]:
    try:
        found = getattr(importlib.import_module(module), name, None)
    except Exception as error:
        raise InputError(f"{_line_in(folder, error)}: {type(error).__name__}: {error}") from error
    if not callable(found):
        known = sorted(key for key, value in vars(sys.modules[module]).items() if inspect.isfunction(value))
        raise InputError(f"{folder / module}.py has no function '{name}'; it has: {', '.join(known) or 'none'}")
    return found  # type: ignore[no-any-return]


def _params(function: Callable[..., Any]) -> type[Params]:
    """The parameters as a model that validates them; raises InputError where one can't be given by its name."""
    fields: dict[str, Any] = {}
    taken = inspect.signature(function, eval_str=True).parameters
    for name, parameter in taken.items():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise InputError(f"{_place(function)}: parameter {parameter} can't be given by its name")
        if name not in _GIVEN:
            kind = Any if parameter.annotation is parameter.empty else parameter.annotation
            fields[name] = (kind, ... if parameter.default is parameter.empty else parameter.default)
    if missing := [name for name in _GIVEN[:2] if name not in taken]:
        raise InputError(f"{_place(function)}: {function.__name__} must take {' and '.join(missing)}")
    return create_model("Params", __base__=Params, **fields)


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Modules of `folder` come first; afterwards they are forgotten, so that a module of the same name can be read."""
    sys.path.insert(0, str(folder))
    before, writes = set(sys.modules), sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        sys.dont_write_bytecode = writes
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", None) or "").startswith(f"{folder}/"):
                del sys.modules[name]


def _line_in(folder: Path, error: Exception) -> str:
    """file:line of the innermost frame in `folder`, or of a syntax error."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(str(folder))]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else str(folder)


def _place(function: Callable[..., Any]) -> str:
    code = getattr(function, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else str(function)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: is not UTF-8 text (byte {error.start})") from None
