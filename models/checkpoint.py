"""A training's state after an epoch: one .npz file, written beside and renamed; nothing of it is pickled."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

_GROUPS = ("weights", "optimizer", "best")


@dataclass(frozen=True)
class State:
    """What a checkpoint holds."""

    weights: list[np.ndarray]
    optimizer: list[np.ndarray]
    best: list[np.ndarray]
    epochs: list[dict[str, Any]]


@dataclass(frozen=True)
class Checkpoint:
    """The latest state of the job with this identity."""

    path: Path
    identity: Mapping[str, Any]

    def save(
        self,
        weights: Sequence[np.ndarray],
        optimizer: Sequence[np.ndarray],
        best: Sequence[np.ndarray],
        epochs: list[dict[str, Any]],
    ) -> None:
        """Replace the checkpoint in one rename."""
        arrays = {
            f"{group}.{number:04d}": value
            for group, values in zip(_GROUPS, (weights, optimizer, best), strict=True)
            for number, value in enumerate(values)
        }
        described = json.dumps({"identity": dict(self.identity), "epochs": epochs}).encode()
        beside = self.path.with_name(f"{self.path.stem}.{os.getpid()}.part.npz")
        np.savez(beside, json=np.frombuffer(described, dtype=np.uint8), **arrays)
        beside.replace(self.path)

    def load(self) -> State | None:
        """The state, or None where there is none, it can't be read, or it is another job's."""
        try:
            with np.load(self.path, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
        except (OSError, ValueError, zipfile.BadZipFile):
            return None
        described = json.loads(arrays.pop("json").tobytes())
        if described["identity"] != json.loads(json.dumps(dict(self.identity))):
            return None
        groups = [[arrays[name] for name in sorted(arrays) if name.startswith(f"{group}.")] for group in _GROUPS]
        return State(*groups, described["epochs"])
