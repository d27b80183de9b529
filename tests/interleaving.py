"""Something else happens at a moment of what a block does: before any of its looks into a folder and changes of it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_EVENTS = frozenset({"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.listdir", "os.scandir", "shutil.rmtree"})
_active: list[Moments] = []


@dataclass
class Moments:
    """Counts what is done with files under `root`, and calls `do` before the one with the number `at`, or all of them."""

    root: str
    do: Callable[[], None]
    at: int | None
    count: int = 0
    busy: threading.Lock = field(default_factory=threading.Lock)

    def event(self, name: str, args: tuple[Any, ...]) -> None:
        """One call of the interpreter's audit hook; what `do` does itself is no moment."""
        if name not in _EVENTS or not str(args[0]).startswith(self.root) or not self.busy.acquire(blocking=False):
            return
        try:
            if self.at in (None, self.count):
                self.do()
            self.count += 1
        finally:
            self.busy.release()


def _hook(name: str, args: tuple[Any, ...]) -> None:
    for moments in _active:
        moments.event(name, args)


@contextmanager
def meanwhile(root: Path, do: Callable[[], None], at: int | None = None) -> Iterator[Moments]:
    """Do it before the moment `at` of the block, or before each; counts the moments, which are few and always the same."""
    if not _installed:
        sys.addaudithook(_hook)  # there is no way to take one out again
        _installed.append(True)
    moments = Moments(str(root), do, at)
    _active.append(moments)
    try:
        yield moments
    finally:
        _active.remove(moments)


_installed: list[bool] = []
