"""All models by name: their parameters and their layers."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from models import bigru, bigru_attention, cnn, cnn_lstm, fasttext, lstm
from models.layers import Layer
from textmill.params import Params

_MODELS: Mapping[str, ModuleType] = {
    "cnn": cnn,
    "lstm": lstm,
    "cnn_lstm": cnn_lstm,
    "bigru": bigru,
    "bigru_attention": bigru_attention,
    "fasttext": fasttext,
}
NAMES: tuple[str, ...] = tuple(_MODELS)


def params(name: str) -> type[Params]:
    """The parameters a model takes; raises KeyError for an unknown name."""
    return _MODELS[name].Params  # type: ignore[no-any-return]


def layers(name: str, given: Mapping[str, Any], vocabulary: int, labels: int) -> list[Layer]:
    """The layers of a model with parameters as a definition gives them."""
    module = _MODELS[name]
    return module.layers(module.Params.model_validate(given), vocabulary, labels)  # type: ignore[no-any-return]
