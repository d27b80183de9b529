"""House-keeping: old runs, and outputs that neither a run that is kept, a version nor a living process refers to.

Only what is understood is removed. What can't be read keeps all that could belong to it, and is named.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

from pipelines import leftovers, pins, runs
from pipelines.holdings import Unread, holdings
from pipelines.pins import Pinned
from pipelines.store import MANIFEST, discard
from textmill import owners, places
from textmill.places import Place

YOUNG_SECONDS = 3600.0
"""What was made a moment ago may be of a process of an earlier textmill, which does not pin what it uses."""
_OUTPUT = re.compile(r"(?P<key>[0-9a-f]{32})(?:\.checkpoints)?")
_OF_STORE = re.compile(r"digests\.json|lease\.(?:json|guard)")

_LINK = "is a link: nothing is removed through it"


@dataclass(frozen=True)
class Garbage:
    """What nothing refers to under a root, what killed processes left, and what keeps things since it can't be read."""

    root: Place
    runs: tuple[Place, ...] = ()
    outputs: tuple[Place, ...] = ()
    """Of outputs and of checkpoints."""
    left: tuple[Place, ...] = ()
    unread: tuple[Unread, ...] = ()

    def size(self) -> int:
        """Bytes of all files in them."""
        found = [*self.runs, *self.outputs, *self.left]
        return sum(said.size for one in found if not places.is_link(one) for said in places.files(one).values())

    def remove(self) -> None:
        """Remove all of it; nobody ever takes half of one for a whole. Raises OSError."""
        for left in self.left:
            places.remove(left, self.root)
        for folder in (*self.outputs, *self.runs):
            discard(folder, self.root)


def find(root: Place, keep: int, pinned: Pinned | None = None, now: float | None = None) -> Garbage:
    """All but the newest `keep` runs of each pipeline and what those, living processes and versions refer to.

    To be removed it has to be found, with what is `pinned`, while nobody else keeps house: see pins.sweeping.
    """
    moment = time.time() if now is None else now
    held = holdings(root, keep, pins.of(root) if pinned is None else pinned)
    unread, outputs = [*held.unread], list[Place]()
    for folder in _in_store(root, unread):
        if (match := _OUTPUT.fullmatch(folder.name)) is None:
            unread.append(Unread(folder, "is no output and nothing that was left of one"))
        elif places.is_link(folder):
            unread.append(Unread(folder, _LINK))
        elif not held.keeps(match["key"]) and _is_old(folder, moment):
            outputs.append(folder)
    return Garbage(root, held.old, tuple(outputs), (*leftovers.find(root), *held.empty), tuple(unread))


def make_room(root: Place, keep: int) -> None:
    """On a full disk: remove what killed processes left, and one more thing, so that the lease can be written.

    Until then who pins something does not see that house-keeping goes on; but neither can they write a pin. Raises
    OSError.
    """
    found = find(root, keep)
    for left in found.left:
        places.remove(left, root)
    for folder in (*found.outputs, *found.runs)[:1]:
        discard(folder, root)


def _in_store(root: Place, unread: list[Unread]) -> Iterator[Place]:
    """Whatever is in the folders of operations; what processes build is left to them."""
    for op in places.inside(root / runs.STORE):
        if op.name == pins.FOLDER or _OF_STORE.fullmatch(op.name) or owners.is_marked(op.name):
            continue
        if places.is_link(op) or not op.is_dir():
            unread.append(Unread(op, _LINK if places.is_link(op) else "is no folder of an operation's outputs"))
            continue
        yield from (folder for folder in places.inside(op) if not owners.is_marked(folder.name))


def _is_old(folder: Place, now: float) -> bool:
    """By its manifest, for object stores know no time of a folder."""
    file = folder / MANIFEST
    try:
        return now - places.info(file if file.exists() else folder).modified > YOUNG_SECONDS
    except OSError:
        return False
