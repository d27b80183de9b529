"""A training's state after an epoch: one .npz file, written beside and renamed; nothing of it is pickled."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from typing_extensions import TypedDict

from textmill import places
from textmill.places import Place
from textmill.stored import OPEN, Kind

_GROUPS = ("weights", "optimizer", "best")


class _Described(TypedDict):
    __pydantic_config__ = OPEN
    identity: dict[str, Any]
    epochs: list[dict[str, Any]]


_DESCRIBED: Kind[dict[str, Any]] = Kind(_Described)


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

    path: Place
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
        with places.replacing(self.path) as stream:
            np.savez(stream, json=np.frombuffer(described, dtype=np.uint8), **arrays)

    def load(self, shared: Callable[[bytes], bytes] | None = None) -> State | None:
        """The state, or None where there is none, it can't be read, or it is another job's.

        `shared` turns the content of this rank's file into that of rank 0's, where ranks see different files.
        """
        try:
            opened = self.path.open("rb") if shared is None else io.BytesIO(shared(self._content()))
            with opened as stream, np.load(stream, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            described = _DESCRIBED.parse(arrays.pop("json").tobytes(), self.path)
        except (OSError, ValueError, EOFError, LookupError, zipfile.BadZipFile):
            return None
        if described["identity"] != json.loads(json.dumps(dict(self.identity))):
            return None
        groups = [[arrays[name] for name in sorted(arrays) if name.startswith(f"{group}.")] for group in _GROUPS]
        return State(*groups, described["epochs"])

    def _content(self) -> bytes:
        try:
            return self.path.read_bytes()
        except OSError:
            return b""
