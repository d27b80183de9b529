"""All models by name: their parameters, their layers, and what trains them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from models import bigru, bigru_attention, cnn, cnn_lstm, custom, fasttext, linear, lstm
from models.layers import Embedding, Layer
from textmill.params import Params

if TYPE_CHECKING:
    from models.engines.base import Progress, TrainJob

_MODELS: Mapping[str, ModuleType] = {
    "cnn": cnn,
    "lstm": lstm,
    "cnn_lstm": cnn_lstm,
    "bigru": bigru,
    "bigru_attention": bigru_attention,
    "fasttext": fasttext,
    "linear": linear,
}
_TRAINER = "models.trainer:Trainer"
NAMES: tuple[str, ...] = tuple(_MODELS)


class Training(Protocol):
    """What runs in a worker of engine local."""

    def train(self, report: Callable[[Progress], None]) -> dict[str, Any]:
        """Train to the end and write the results; timings are returned."""


def params(name: str) -> type[Params]:
    """The parameters a model takes; raises KeyError for an unknown name."""
    return _MODELS[name].Params  # type: ignore[no-any-return]


def layers(name: str, given: Mapping[str, Any], vocabulary: int, labels: int) -> list[Layer]:
    """The layers of a model with parameters as a definition gives them."""
    module = _MODELS[name]
    return module.layers(module.Params.model_validate(given), vocabulary, labels)  # type: ignore[no-any-return]


def model(name: str, given: Mapping[str, Any], code: Mapping[str, str], **sizes: int) -> Any:
    """What a training trains: layers, or of a user's own model perhaps a tf_keras model.

    `sizes` are length, vocabulary and labels. Raises InputError where a user's function gives neither.
    """
    if is_custom(name):
        return custom.build(code, name, given, **sizes)
    return layers(name, given, sizes["vocabulary"], sizes["labels"])


def frozen(layers: Sequence[Layer]) -> list[Layer]:
    """The same layers with embeddings that stay what they start from."""
    return [replace(layer, trainable=False) if isinstance(layer, Embedding) else layer for layer in layers]


def is_custom(name: str) -> bool:
    """Whether a name means a function of the user's, `module:function`."""
    return ":" in name


def engines(name: str) -> tuple[str, ...] | None:
    """The engines that can train a model; None: all."""
    return None if is_custom(name) else getattr(_MODELS[name], "ENGINES", None)


def paper(name: str) -> str:
    """Where a model was published."""
    return _MODELS[name].PAPER  # type: ignore[no-any-return]


def summary(name: str) -> str:
    """What a model is, in a line."""
    return (_MODELS[name].__doc__ or "").partition(":")[2].strip().splitlines()[0]


def trains_by_steps(name: str) -> bool:
    """Whether a model is trained step by step, so that it can start from weights; False also for an unknown one."""
    return is_custom(name) or name in _MODELS and not hasattr(_MODELS[name], "TRAINER")


def training(job: TrainJob) -> Training:
    """What trains a job in one process."""
    return trainer(job.model)(job)  # type: ignore[no-any-return]


def trainer(name: str) -> Any:
    """The class of what trains a model in one process: made of a job and, if they are not the job's, its `tensors`."""
    path = _TRAINER if is_custom(name) else getattr(_MODELS[name], "TRAINER", _TRAINER)
    module, _, attribute = path.partition(":")
    return getattr(import_module(module), attribute)
