"""What a sweep has come to so far: one file for each trial's end, so that whatever is killed, nothing ended is lost."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from typing_extensions import NotRequired, TypedDict

from models.sweep.trial import End, name
from textmill import places
from textmill.errors import Unreadable
from textmill.places import Place
from textmill.stored import OPEN, Count, Figure, Kind, sealed

_FOLDERS = ("ended", "rungs", "asked", "predictions", "models", "checkpoints")


class _End(TypedDict):
    __pydantic_config__ = OPEN
    trial: Count
    status: Literal["done", "failed", "stopped", "paused"]
    error: NotRequired[str | None]
    epochs: NotRequired[list[dict[str, Figure | None]]]
    best_epoch: NotRequired[Count | None]
    valid: NotRequired[dict[str, Figure] | None]
    test: NotRequired[dict[str, Figure] | None]
    value: NotRequired[Figure | None]
    parameters: NotRequired[Count | None]
    records_per_s: NotRequired[Figure | None]
    seconds: NotRequired[Figure]
    training_seconds: NotRequired[Figure]
    bytes: NotRequired[Count | None]
    memory: NotRequired[Count | None]
    host: NotRequired[str]
    owner: NotRequired[str]


_END: Kind[dict[str, Any]] = Kind(_End, "the trial runs again")
_ASKED: Kind[dict[str, float]] = Kind(dict[str, Figure], "the trial runs again")


@dataclass(frozen=True)
class Ledger:
    """A folder of a store that driver and executors reach. A file is there whole or not at all.

    One that was damaged since counts as not there: what it stood for is done again.
    """

    folder: Place

    def open(self, owner: str) -> None:
        """Take the sweep on: executors of an earlier attempt that still run then leave off without a trace."""
        for sub in _FOLDERS:
            (self.folder / sub).mkdir(parents=True, exist_ok=True)
        places.write_bytes(self.folder / "owner", owner.encode())

    def owned_by(self, owner: str) -> bool:
        """Whether this attempt is the last that took the sweep on."""
        return (self.folder / "owner").read_text(encoding="utf-8") == owner

    def ends(self) -> dict[int, End]:
        """All trials that have ended, by number."""
        files = sorted((self.folder / "ended").glob("*.json"))
        return {end.trial: end for end in places.in_threads(_read, files) if end is not None}

    def rungs(self) -> list[tuple[int, End]]:
        """(rung, how far a trial had come there) of all that paused."""
        found = [(int(file.stem.partition("-")[2]), file) for file in (self.folder / "rungs").glob("*.json")]
        ends = ((rung, _read(file)) for rung, file in sorted(found, key=_by_rung))
        return [(rung, end) for rung, end in ends if end is not None]

    def end(self, trial: int) -> End | None:
        """How a trial ended; None where it has not."""
        return _read(self.folder / "ended" / f"{name(trial)}.json")

    def rung(self, trial: int, rung: int) -> End | None:
        """How far a trial had come at a rung; None where it has not got there."""
        return _read(self.folder / "rungs" / f"{name(trial)}-{rung}.json")

    def write(self, end: End, rung: int) -> None:
        """A trial has ended, or paused at a rung. Everything else of it must be there already."""
        paused = end.status == "paused"
        file = f"rungs/{name(end.trial)}-{rung}.json" if paused else f"ended/{name(end.trial)}.json"
        content = json.dumps(sealed(asdict(end)), ensure_ascii=False)
        places.write_bytes(self.folder / file, content.encode())

    def write_predictions(self, trial: int, predicted: np.ndarray) -> None:
        """Predicted label numbers, int32 [test rows]."""
        content = io.BytesIO()
        np.save(content, predicted, allow_pickle=False)
        places.write_bytes(self.folder / "predictions" / f"{name(trial)}.npy", content.getvalue())

    def predictions(self, trial: int) -> np.ndarray:
        """What `write_predictions` wrote."""
        content = (self.folder / "predictions" / f"{name(trial)}.npy").read_bytes()
        return np.load(io.BytesIO(content), allow_pickle=False)  # type: ignore[no-any-return]

    def model(self, trial: int) -> Place:
        """Where the files of a trial's model are."""
        return self.folder / "models" / name(trial)

    def checkpoint(self, trial: int, rung: int) -> Place:
        """Where its state at a rung is."""
        return self.folder / "checkpoints" / f"{name(trial)}-{rung}.npz"

    def ask(self, trial: int, point: Mapping[str, Any]) -> None:
        """Note what a trial is, where that is not known beforehand."""
        places.write_bytes(self.folder / "asked" / f"{name(trial)}.json", json.dumps(sealed(point)).encode())

    def asked(self) -> dict[int, dict[str, float] | None]:
        """What `ask` noted; None of a trial where that is damaged."""
        return {int(file.stem): _asked(file) for file in sorted((self.folder / "asked").glob("*.json"))}

    def forget_failed(self) -> None:
        """So that they run again: none has ended well, so that the reason may lie outside of them."""
        for end in self.ends().values():
            if end.status == "failed":
                (self.folder / "ended" / f"{name(end.trial)}.json").unlink()


def _by_rung(found: tuple[int, Place]) -> tuple[int, str]:
    return found[0], found[1].name


def _read(file: Place) -> End | None:
    """None where there is none, or one that is damaged or another trial's."""
    try:
        found = _END.read(file)
    except (FileNotFoundError, Unreadable):
        return None
    given = {key: value for key, value in found.items() if key in End.__dataclass_fields__}
    if name(given["trial"]) != file.stem.partition("-")[0]:
        return None
    return End(**{**given, "epochs": tuple(given.get("epochs", ()))})


def _asked(file: Place) -> dict[str, float] | None:
    try:
        return _ASKED.found(file)
    except Unreadable:
        return None


def stopped(end: End) -> End:
    """A trial that paused and does not go on."""
    return replace(end, status="stopped", test=None)
