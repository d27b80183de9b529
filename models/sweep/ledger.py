"""What a sweep has come to so far: one file for each trial's end, so that whatever is killed, nothing ended is lost."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from models.sweep.trial import End, name
from textmill import places
from textmill.places import Place

_FOLDERS = ("ended", "rungs", "asked", "predictions", "models", "checkpoints")


@dataclass(frozen=True)
class Ledger:
    """A folder of a store that driver and executors reach. A file is there whole or not at all."""

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
        return {end.trial: end for end in self._all("ended")}

    def rungs(self) -> list[tuple[int, End]]:
        """(rung, how far a trial had come there) of all that paused."""
        found = [(int(file.stem.partition("-")[2]), file) for file in (self.folder / "rungs").glob("*.json")]
        return [(rung, End.from_json(file.read_text(encoding="utf-8"))) for rung, file in sorted(found, key=_by_rung)]

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
        places.write_bytes(self.folder / file, end.to_json().encode())

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
        places.write_bytes(self.folder / "asked" / f"{name(trial)}.json", json.dumps(dict(point)).encode())

    def asked(self) -> dict[int, dict[str, Any]]:
        """What `ask` noted."""
        files = sorted((self.folder / "asked").glob("*.json"))
        return {int(file.stem): json.loads(file.read_text(encoding="utf-8")) for file in files}

    def forget_failed(self) -> None:
        """So that they run again: none has ended well, so that the reason may lie outside of them."""
        for end in self.ends().values():
            if end.status == "failed":
                (self.folder / "ended" / f"{name(end.trial)}.json").unlink()

    def _all(self, sub: str) -> list[End]:
        files = sorted((self.folder / sub).glob("*.json"))
        return [End.from_json(text) for text in places.in_threads(lambda file: file.read_text("utf-8"), files)]


def _by_rung(found: tuple[int, Place]) -> tuple[int, str]:
    return found[0], found[1].name


def _read(file: Place) -> End | None:
    try:
        return End.from_json(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def stopped(end: End) -> End:
    """A trial that paused and does not go on."""
    return replace(end, status="stopped", test=None)
