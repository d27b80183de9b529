"""SHA-256 of files, remembered by size and modification time, so that an unchanged file is read once."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from pipelines.kinds import MEMO
from textmill import places
from textmill.errors import Unreadable
from textmill.places import Info, Place
from textmill.stored import sealed


class Digests:
    """Digests of files; `memo` keeps them between processes and may be lost at any time."""

    def __init__(self, memo: Place) -> None:
        self.memo = memo
        try:
            self._known = MEMO.found(memo) or {}
        except Unreadable:
            self._known = {}  # nothing but time is lost: files are read again
        self._changed = False

    def of(self, files: Collection[Place], said: Mapping[Place, Info] | None = None) -> dict[Place, str]:
        """SHA-256 of each file; raises OSError where one can't be read. `said` is what places.infos says of them."""
        said = places.infos(files) if said is None else said
        if gone := next((file for file in files if file not in said), None):
            raise FileNotFoundError(f"{gone} is missing")
        wanted = [file for file in files if self._remembered(file, said.get(file)) is None]
        for file, found in zip(wanted, places.in_threads(places.checksum, wanted), strict=True):
            self.remember(file, said[file], found)
        return {file: str(self._known[_name(file)][2]) for file in files}

    def remember(self, file: Place, said: Info, digest: str) -> None:
        """Keep the digest of a file that has been read anyway."""
        self._known[_name(file)] = [said.size, said.stamp, digest]
        self._changed = True

    def forget(self, files: Iterable[Place]) -> None:
        """Drop what is known of files that turned out to have another content."""
        for file in files:
            self._changed |= self._known.pop(_name(file), None) is not None

    def _remembered(self, file: Place, said: Info | None) -> str | None:
        known = self._known.get(_name(file))
        return str(known[2]) if said and known and known[:2] == [said.size, said.stamp] else None

    def save(self) -> None:
        """Keep what was learnt; written beside and renamed, and of two processes that save the later one wins.

        In a store that is full or can only be read nothing is kept: without the memo files are read again.
        """
        if self._changed:
            with suppress(OSError):
                self.memo.parent.mkdir(parents=True, exist_ok=True)
                places.write_bytes(self.memo, json.dumps(sealed(self._known)).encode())
                self._changed = False


def _name(file: Place) -> str:
    return str(file.resolve()) if isinstance(file, Path) else str(file)
