"""SHA-256 of files, remembered by size and modification time, so that an unchanged file is read once."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path


class Digests:
    """Digests of files; `memo` keeps them between processes and may be lost at any time."""

    def __init__(self, memo: Path) -> None:
        self.memo = memo
        try:
            self._known: dict[str, list[object]] = json.loads(memo.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self._known = {}
        self._changed = False

    def of(self, file: Path) -> str:
        """The file's SHA-256; raises OSError where it can't be read."""
        stat, name = file.stat(), str(file.resolve())
        stamp = [stat.st_size, stat.st_mtime_ns, stat.st_ino]
        if (known := self._known.get(name)) and known[:3] == stamp:
            return str(known[3])
        with file.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        self._known[name] = [*stamp, found]
        self._changed = True
        return found

    def save(self) -> None:
        """Keep what was learnt; written beside and renamed, and of two processes that save the later one wins."""
        if self._changed:
            self.memo.parent.mkdir(parents=True, exist_ok=True)
            beside = self.memo.with_name(f"{self.memo.name}.{os.getpid()}")
            beside.write_text(json.dumps(self._known), encoding="utf-8")
            beside.replace(self.memo)
            self._changed = False
