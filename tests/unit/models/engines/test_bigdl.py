"""What engine bigdl refuses before anything starts, and events without TensorFlow."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import ValidationError

from models import catalogue, engines, events
from models.engines.bigdl import Options


@pytest.mark.parametrize(("model", "why"), [("bigru_attention", "AttentionPool"), ("mine:build", "tf_keras alone")])
def test_models_that_bigdl_cannot_build_are_refused_by_name(model: str, why: str) -> None:
    assert why in engines.unbuildable("bigdl", model)
    assert not engines.unbuildable("local", model)


def test_all_others_are_taken() -> None:
    refused = {model for model in catalogue.NAMES if engines.unbuildable("bigdl", model)}
    assert refused == {"bigru_attention"}


def test_its_options_are_validated() -> None:
    with pytest.raises(ValidationError):
        Options(memory="much")
    assert Options(memory="512m").compress == "none"


def test_events_are_what_tensorboard_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard.compat.notf", ModuleType("notf"))  # TensorFlow takes seconds
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator").EventAccumulator
    for step in (1, 2):
        events.write(tmp_path, step, {"loss": 1 / step, "accuracy": step / 4})
    found = loader(str(tmp_path))
    found.Reload()
    assert found.Tags()["scalars"] == ["loss", "accuracy"]
    assert [(event.step, event.value) for event in found.Scalars("loss")] == [(1, 1.0), (2, 0.5)]
