"""How many applications a call becomes, and what each holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.submit import request
from scripts.submit.settings import Settings
from scripts.submit.stages import split
from textmill.errors import InputError

DEFINITION = """
name: small
inputs: {chats: {path: chats.jsonl, format: jsonl, label: intent}}
steps:
  clean: {do: text.clean, from: chats}
  split: {do: data.split, from: clean, parts: {train: 0.5, valid: 0.2, test: 0.3}}
  tokens: {do: text.tokenize, from: [split.train, split.valid, split.test], analyzer: standard}
  tensors: {do: tensor.encode, from: tokens, vocabulary: {min_count: 1}, length: 8}
train:
  m: {model: fasttext, from: tensors, engine: ENGINE}
"""
ON_EXECUTORS = "tensorflowonspark"


@pytest.fixture
def definition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "chats.jsonl").write_text('{"text": "a", "intent": "x"}\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "small.yaml"


def applications(
    definition: Path, *words: str, engine: str = ON_EXECUTORS, executors: int | None = 3, cores: int = 1
) -> list[tuple[str | None, int | None, int | None]]:
    """Stage, executors and the most executors of each."""
    definition.write_text(DEFINITION.replace("ENGINE", engine), encoding="utf-8")
    asked = request.parse([*(words or ("run",)), str(definition)])
    found = split(asked, Settings(executors=executors, cores=cores))
    return [(_stage(one.asked.words), one.settings.executors, one.settings.at_most) for one in found]


def _stage(words: tuple[str, ...]) -> str | None:
    return words[words.index("--stage") + 1] if "--stage" in words else None


def test_what_is_prepared_grows_with_the_work_and_a_training_holds_its_executors(definition: Path) -> None:
    assert applications(definition) == [("prepare", None, 3), ("train", 3, None)]


def test_a_training_in_the_driver_stays_in_one_application(definition: Path) -> None:
    assert applications(definition, engine="local") == [(None, 3, None)]
    assert applications(definition, engine="local", executors=None) == [(None, None, None)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("run", "--to", "tensors"), [(None, 3, None)]),
        (("run", "--only", "train.m"), [(None, 3, None)]),
        (("run", "--from", "train.m"), [(None, 3, None)]),
        (("run", "--from", "clean"), [("prepare", None, 3), ("train", 3, None)]),
        (("run", "--stage", "train"), [("train", 3, None)]),
        (("run", "--stage", "prepare"), [("prepare", 3, None)]),
        (("plan",), [(None, 3, None)]),
        (("daily",), [(None, 3, None)]),
    ],
)
def test_two_only_where_both_are_asked_for(
    definition: Path, words: tuple[str, ...], expected: list[tuple[str | None, int | None, int | None]]
) -> None:
    assert applications(definition, *words) == expected


@pytest.mark.parametrize("words", [("run",), ("daily",), ("run", "--only", "train.m")])
def test_a_training_on_no_number_of_executors_is_refused(definition: Path, words: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match=r"train\.m .*--executors N, or profiles\.local\.spark\.executors: N"):
        applications(definition, *words, executors=None)


def test_a_rank_has_all_cores_of_its_executor_and_memory_beside_its_heap(definition: Path) -> None:
    definition.write_text(DEFINITION.replace("ENGINE", ON_EXECUTORS), encoding="utf-8")
    prepare, train = split(request.parse(["run", str(definition)]), Settings(executors=3, cores=8))
    assert ("spark.task.cpus", "8") in train.settings.conf
    assert ("spark.executor.memoryOverhead", "1024m") in train.settings.conf
    large = split(request.parse(["run", str(definition)]), Settings(executors=3, memory="22g"))[1]
    assert ("spark.executor.memoryOverhead", "11264m") in large.settings.conf
    assert "spark.task.cpus" not in dict(prepare.settings.conf)
    given = Settings(executors=3, cores=8, conf=(("spark.task.cpus", "4"),))
    assert dict(split(request.parse(["run", str(definition)]), given)[1].settings.conf)["spark.task.cpus"] == "4"
