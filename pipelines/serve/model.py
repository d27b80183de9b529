"""A version loaded into memory: texts in, predictions out."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from models import scoring
from models.tensors import LABELS
from pipelines import pins
from pipelines.serve.chain import Chain
from pipelines.versions import Version, Versions
from textmill.errors import TextmillError
from textmill.transfer import local_copy

CHAIN_SECONDS = 30.0
"""For the analysis of a batch: the largest takes a few seconds of a process that has just begun."""


@dataclass(frozen=True)
class Prediction:
    """What a model says of one text; `label` is None where the text would be set aside for `reason`."""

    label: str | None
    confidence: float | None
    reason: str | None = None


class Loaded:
    """A version ready to predict; raises TextmillError where its files are not as they were published."""

    def __init__(self, version: Version, threads: int = 1, chain_seconds: float = CHAIN_SECONDS) -> None:
        self._held = ExitStack()
        try:
            self._load(version, threads, chain_seconds)
        except BaseException:
            self._held.close()
            raise

    def _load(self, version: Version, threads: int, chain_seconds: float) -> None:
        root, use = version.folder.parent.parent.parent, (version.name, version.number)
        self._held.enter_context(pins.pinned(root, f"serve {version.name}", versions=[use], reads=True))
        folder = local_copy(version.folder)
        if harm := Version(version.name, version.number, folder, version.manifest).damage():
            raise TextmillError(f"version {version.number} of {version.name} is damaged: {harm}")
        self.version = version
        self._labels = LABELS.read(folder / "labels.json")
        self._predict = scoring.load(Path(folder) / "saved_model", threads)
        self._chain = Chain(Path(folder), chain_seconds)
        self._held.callback(self._chain.close)
        self.predict(["ready?"])  # what is made at the first call is not left to a request

    @property
    def problem(self) -> str | None:
        """Why it can't answer now; None where it can."""
        return self._chain.problem

    @property
    def restarts(self) -> int:
        """How often its analysis process was started again."""
        return self._chain.restarts

    def revive(self) -> None:
        """Start its analysis process where that has ended; raises TextmillError where it can't be started."""
        self._chain.revive()

    def predict(self, texts: list[str]) -> list[Prediction]:
        """One prediction for each text; not for several threads at once."""
        ids, reasons = self._chain.encode(texts)
        probabilities = self._predict(ids)
        best = probabilities.argmax(axis=1)
        return [
            Prediction(None, None, reason)
            if reason
            else Prediction(self._labels[label], float(probabilities[row, label]))
            for row, (label, reason) in enumerate(zip(best.tolist(), reasons, strict=True))
        ]

    def close(self) -> None:
        """Free what it holds."""
        self._held.close()


def newest(versions: Versions, threads: int, chain_seconds: float = CHAIN_SECONDS) -> Loaded:
    """The current version, loaded; raises TextmillError where there is none."""
    version = versions.current()
    if version is None:
        raise TextmillError(f"{versions.folder}: no version was published: `textmill promote RUN` publishes one")
    return Loaded(version, threads, chain_seconds)
