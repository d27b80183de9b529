"""Tensors as plain arrays on this machine's disk: decoded once, memory-mapped by every trial, shared by all of them."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.tensors import COLUMNS, Shard, Tensors
from textmill import owners, places, transfer
from textmill.places import Place

_FILES = ("tensors.json", "labels.json")


@dataclass(frozen=True)
class Arrays(Tensors):
    """A folder that `decoded` made: tensors.json, labels.json, and PART/NNNNN.COLUMN.npy for each shard and column."""

    def files(self, part: str) -> list[Place]:
        """The first file of each shard of a part, in order."""
        return sorted((self.folder / part).glob(f"*.{COLUMNS[0]}.npy"))

    def read(self, file: Place) -> Shard:
        """The rows of one shard, mapped: pages of it are in memory once, whoever looks at them."""
        stem = file.name.partition(".")[0]
        paths = [file.with_name(f"{stem}.{column}.npy") for column in COLUMNS]
        return Shard(*[np.load(path, mmap_mode="r", allow_pickle=False) for path in paths])  # type: ignore[arg-type]


def decoded(tensors: Place) -> Arrays:
    """The tensors of a tensor.encode output as arrays, made by the first process of this machine that asks.

    Those not used for a week are removed. Raises OSError and InputError as reading the output does.
    """
    local = transfer.local_copy(tensors)
    folder = transfer.cache() / "arrays" / _key(local)
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with (folder.parent / f"{folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.is_dir():
                transfer.forget(folder.parent, "*")
                _decode(Tensors(local), folder)
    transfer.used(folder)
    return Arrays(folder)


def _key(local: Path) -> str:
    """Of where the files are and what they are: another content has other sizes or times."""
    told = [[name, said.size, said.stamp] for name, said in places.files(local).items()]
    return hashlib.sha256(json.dumps([str(local), told]).encode()).hexdigest()[:32]


def _decode(tensors: Tensors, to: Path) -> None:
    beside = owners.beside(to)
    try:
        for part in tensors.described["parts"]:
            (beside / part).mkdir(parents=True)
            for file in tensors.files(part):
                shard = tensors.read(file)
                for column in COLUMNS:
                    np.save(beside / part / f"{file.name.partition('.')[0]}.{column}.npy", getattr(shard, column))
        for name in _FILES:
            (beside / name).write_bytes((tensors.folder / name).read_bytes())
        beside.rename(to)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
