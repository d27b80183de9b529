"""Warm start: the weights of a published version, carried over to another vocabulary and another set of labels."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from models.engines.base import TrainJob
from models.keras_build import keras, tf
from models.tensors import LABELS, Tensors
from textmill.errors import InputError
from textmill.ids import FIRST_TOKEN
from textmill.places import Place


@dataclass(frozen=True)
class Names:
    """What rows of an embedding and columns of the last layer stand for."""

    folder: Place
    """Tensors, or a published version."""

    @cached_property
    def tokens(self) -> list[str]:
        """In the order of their ids, from 2 on."""
        lines = (self.folder / "vocabulary.tsv").read_text(encoding="utf-8").split("\n")[:-1]
        return [line.rpartition("\t")[0] for line in lines]

    @cached_property
    def ids(self) -> int:
        """All ids: padding, unknown, the tokens and the buckets of unknown tokens."""
        return Tensors(self.folder).vocabulary

    @cached_property
    def labels(self) -> list[str]:
        """In the order of their numbers."""
        return LABELS.read(self.folder / "labels.json")


def start(model: keras.Model, job: TrainJob, tensors: Tensors) -> dict[str, Any]:
    """Put the weights of the version in job.start into `model`; how many ids and labels it knew.

    Of the embedding the rows of tokens that both know are carried over, of the last layer the columns of labels that
    both know; all that is new stays as it was initialised. Raises InputError where other weights differ in shape.
    """
    assert job.start is not None
    with (job.start / "weights.npz").open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
        old = [stored[name] for name in sorted(stored.files)]
    new, before, now = model.get_weights(), Names(job.start), Names(job.tensors)
    if len(old) != len(new):
        raise InputError(f"{job.start} has {len(old)} weights, the model {len(new)}: publish one with start: scratch")
    roles = _roles(model, now)
    stays = {"step"} if job.train_vectors else {"step", "ids"}
    for index in (index for index, role in enumerate(roles) if role not in stays):
        new[index] = _carried(old[index], new[index], roles[index], before, now, job)
    model.set_weights(new)
    labels = len(set(before.labels) & set(now.labels))
    told = {"ids_known": len(_pairs(before.tokens, now.tokens)), "ids": len(now.tokens), "labels_known": labels}
    print(f"starts from {job.start}: {told}", file=sys.stderr, flush=True)
    return told


def _roles(model: keras.Model, now: Names) -> list[str]:
    """For each weight `ids` (rows are ids), `labels` (of the layer that gives the logits), `step`, or nothing."""
    layers = [layer for layer in model.layers if layer.weights]
    numbers = {id(variable): index for index, variable in enumerate(model.weights)}
    roles = [""] * len(numbers)
    for layer in layers:
        for variable in layer.weights:
            roles[numbers[id(variable)]] = _role(layer, variable, layer is layers[-1], now)
    return roles


def _role(layer: keras.layers.Layer, variable: tf.Variable, last: bool, now: Names) -> str:
    if variable.dtype.is_integer:
        return "step"  # the optimizer's, by which layers of noise count: a training's own
    if isinstance(layer, keras.layers.Embedding) and int(variable.shape[0]) >= now.ids:
        return "ids"
    return "labels" if last and int(variable.shape[-1]) == len(now.labels) else ""


def _carried(old: np.ndarray, new: np.ndarray, role: str, before: Names, now: Names, job: TrainJob) -> np.ndarray:
    if role == "ids" and old.shape[1:] == new.shape[1:] and len(old) >= before.ids:
        return _rows(old, new, before, now)
    if role == "labels" and old.shape[:-1] == new.shape[:-1] and old.shape[-1] == len(before.labels):
        pairs = _pairs(before.labels, now.labels)
        new[..., [to for _, to in pairs]] = old[..., [at for at, _ in pairs]]
        return new
    if old.shape != new.shape:
        raise InputError(
            f"the weights of {job.start} don't fit: {old.shape} where the model has {new.shape}; with another "
            "architecture publish one with start: scratch first"
        )
    return old


def _rows(old: np.ndarray, new: np.ndarray, before: Names, now: Names) -> np.ndarray:
    """The embedding [ids, size] with the rows that mean the same in both."""
    new[:FIRST_TOKEN] = old[:FIRST_TOKEN]
    pairs = _pairs(before.tokens, now.tokens)
    new[[FIRST_TOKEN + to for _, to in pairs]] = old[[FIRST_TOKEN + at for at, _ in pairs]]
    for at, to in _shared(old, new, before, now):
        if at.stop - at.start == to.stop - to.start:
            new[to] = old[at]
    return new


def _shared(old: np.ndarray, new: np.ndarray, before: Names, now: Names) -> Iterator[tuple[slice, slice]]:
    """Rows that tokens or n-grams share by their hash."""
    yield tuple(slice(FIRST_TOKEN + len(names.tokens), names.ids) for names in (before, now))  # type: ignore[misc]
    if now.tokens[: len(before.tokens)] == before.tokens:
        # n-grams are hashed from ids, which mean the same tokens only where they stay
        yield slice(before.ids, len(old)), slice(now.ids, len(new))


def _pairs(before: Sequence[str], now: Sequence[str]) -> list[tuple[int, int]]:
    """(place before, place now) of all names that are in both."""
    at = {name: place for place, name in enumerate(before)}
    return [(at[name], to) for to, name in enumerate(now) if name in at]
