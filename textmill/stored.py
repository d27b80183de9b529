"""Files of JSON that textmill wrote itself: read whole and of the expected shape, or refused by name.

A disk, a copy that was cut short or an editor may have changed any of them since. So all are read here, and what comes
out is either what a writer could have written or the error Unreadable, never a surprise in the code behind.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Generic, TypeVar, cast

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError

from textmill import places
from textmill.errors import Unreadable
from textmill.places import Place

T = TypeVar("T")
OPEN = ConfigDict(extra="allow", strict=True)
"""For the shapes (`__pydantic_config__`): later heads may add keys, and no value is taken for one of another type."""
CHECKSUM = "checksum"
_DEEPEST, _LONGEST = 100, 300
"""Levels of nesting, and digits of a whole number: neither json nor what handles the values is good for any more."""
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_SHORT = 60


def _relative(name: str) -> str:
    """No name leads out of the folder it is relative to, whatever somebody has put into a manifest."""
    if not name or name.startswith("/") or ".." in name.split("/") or "\0" in name:
        raise ValueError("is no name of a file in the folder")
    return name


Name = Annotated[str, AfterValidator(_relative)]
"""Of a file, relative to the folder of its manifest."""
Count = Annotated[int, Field(ge=0, le=10**15)]
Figure = (
    Annotated[int, Field(ge=-(10**15), le=10**15)] | Annotated[float, Field(ge=-1e15, le=1e15, allow_inf_nan=False)]
)
"""A whole one stays whole."""
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


@dataclass(frozen=True)
class Kind(Generic[T]):
    """One kind of file: what it holds, and what its owner can do about a damaged one."""

    shape: Any
    """A type that pydantic validates: of objects, a TypedDict with the configuration OPEN."""
    cure: str = ""

    @cached_property
    def _checked(self) -> TypeAdapter[T]:
        return TypeAdapter(self.shape)

    def read(self, file: Place) -> T:
        """What the file holds. Raises FileNotFoundError where there is none, Unreadable for a damaged one."""
        try:
            content = file.read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise FileNotFoundError(*error.args) from error
        except OSError as error:
            raise Unreadable(file, places.brief(error), self.cure) from error
        return self.parse(content, file)

    def found(self, file: Place) -> T | None:
        """What the file holds; None where there is none. Raises Unreadable."""
        try:
            return self.read(file)
        except FileNotFoundError:
            return None

    def lines(self, file: Place) -> list[T]:
        """What each line of the file holds. Raises FileNotFoundError, Unreadable."""
        try:
            content = file.read_bytes()
        except IsADirectoryError as error:
            raise Unreadable(file, places.brief(error), self.cure) from error
        numbered = enumerate(content.split(b"\n"), 1)
        return [self.parse(line, f"{file}:{number}") for number, line in numbered if line.strip()]

    def parse(self, content: bytes, file: object) -> T:
        """The same of content that has been read; `file` is what errors name. Raises Unreadable."""
        try:
            return self._checked.validate_python(_opened(content), strict=True)
        except ValidationError as error:
            raise Unreadable(file, _first(error), self.cure) from error
        except (ValueError, RecursionError) as error:
            why = "it is nested too deeply" if isinstance(error, RecursionError) else _clip(str(error))
            raise Unreadable(file, why, self.cure) from error


def sealed(value: Mapping[str, Any]) -> dict[str, Any]:
    """The object with a checksum of all else in it, by which reading notices that it was changed."""
    plain = json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
    return {**plain, CHECKSUM: _checksum(plain)}


def _checksum(plain: Mapping[str, Any]) -> str:
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _opened(content: bytes) -> Any:
    """The value, without its checksum if it has one; raises ValueError, RecursionError."""
    if not content.strip():
        raise ValueError("it is empty")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start:,} is not UTF-8") from error
    value = json.loads(text, object_pairs_hook=_object, parse_int=_whole)
    _measure(value)
    if isinstance(value, dict) and isinstance(value.get(CHECKSUM), str):
        given = value.pop(CHECKSUM)
        if given != _checksum(value):
            raise ValueError("it was changed after it was written (its checksum differs)")
    if _SURROGATE.search(content):  # half a character: it can be neither printed nor written
        value = json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {_clip(next(name for name in names if names.count(name) > 1))!r} is there twice")
    return found


def _whole(digits: str) -> int:
    if len(digits) > _LONGEST:
        raise ValueError(f"a number has {len(digits):,} digits")
    return int(digits)


def _measure(value: Any) -> None:
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        inside = (child for one in level for child in _children(one))
        level = [child for child in inside if isinstance(child, dict | list)]
        if not level:
            return
    raise ValueError("it is nested too deeply")


def _children(one: Any) -> Iterable[Any]:
    if isinstance(one, dict):
        return one.values()
    return cast("list[Any]", one) if isinstance(one, list) else ()


def _first(error: ValidationError) -> str:
    """The first thing that does not fit: which key, and what is wrong with its value."""
    found = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(str(key) for key in found["loc"])
    return f"{_clip(where)}: {found['msg']}" if where else found["msg"]


def _clip(text: str) -> str:
    shown = text.encode(errors="replace").decode()
    return shown if len(shown) <= 3 * _SHORT else f"{shown[: 3 * _SHORT]}…"
