"""Reading for a report: what isn't there is left out, what is damaged becomes a note instead of an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from pipelines.kinds import OBJECT
from textmill.errors import Unreadable
from textmill.places import Place

T = TypeVar("T")
U = TypeVar("U")

# What files of another shape than the expected one raise; pyarrow's errors are among their subclasses.
_DAMAGE = (OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError)

_MOST = 1e15


@dataclass
class Reading:
    """Reads outputs and collects notes on those that can't be read."""

    notes: list[str] = field(default_factory=list)

    def attempt(self, what: str, read: Callable[[], T], otherwise: U) -> T | U:
        """What `read` returns; `otherwise` if it can't, with a note unless a file is merely missing."""
        try:
            return read()
        except FileNotFoundError:
            return otherwise
        except Unreadable as error:
            self.notes.append(f"{what} can't be read: {error}")
            return otherwise
        except _DAMAGE as error:
            self.notes.append(f"{what} can't be read ({type(error).__name__}: {error})")
            return otherwise

    def manifests(self, folder_of: Mapping[str, Place]) -> dict[str, Mapping[str, Any]]:
        """The manifest of every step that has a whole output."""
        found: dict[str, Mapping[str, Any]] = {}
        for step, folder in folder_of.items():
            manifest = self.attempt(f"the manifest of {step}", partial(json_object, folder / "manifest.json"), None)
            if manifest is not None:
                found[step] = manifest
        return found


def json_object(file: Place) -> Mapping[str, Any]:
    """The object in a JSON file. Raises FileNotFoundError, Unreadable."""
    return OBJECT.read(file)


def number(value: Any) -> float | None:
    """A number that something measured; None for null, NaN, what no measurement gives and what is no number."""
    known = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= _MOST
    return float(value) if known else None


def share(value: Any) -> float | None:
    """A number from 0 to 1; None for null and NaN. Raises ValueError for any other."""
    known = number(value)
    if known is not None and not 0 <= known <= 1:
        raise ValueError(f"{known:g} is no share")
    return known


def whole(value: Any) -> int:
    """A count; 0 for null. Raises ValueError for what is none."""
    if value is None:
        return 0
    known = number(value)
    if known is None or known < 0 or known != int(known):
        raise ValueError(f"{str(value)[:20]!r} is no count")
    return int(known)


def words(value: Any) -> str:
    """A text; empty for null."""
    return "" if value is None else str(value)
