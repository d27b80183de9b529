"""What a date's run starts from: the version promoted last before it, in the keys and in the plan."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines import keys, starting
from pipelines.definition import load
from pipelines.digests import Digests
from pipelines.pipeline import Pipeline
from pipelines.plan import Planned
from pipelines.versions import Versions
from spark_jobs.base import digest
from textmill import places
from textmill.errors import DefinitionError, InputError

DEFINITION = """
name: m
inputs:
  chats: {path: "${run.date}.jsonl", format: jsonl}
steps:
  clean:   {do: text.clean, from: chats}
  split:   {do: data.split, from: clean}
  tokens:  {do: text.tokenize, from: split}
  tensors: {do: tensor.encode, from: tokens, vocabulary: {rule: extend}}
  embed:   {do: text.embed, from: tensors, rule: extend}
train:
  a: {model: bigru, from: tensors, start: warm, embedding: {from: embed}}
promote: {if: macro_f1 > last}
"""
MODEL = {"model": "bigru", "params": {}}
Publish = Callable[..., None]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d.yaml").write_text(DEFINITION)
    for number in range(1, 7):
        (tmp_path / f"2026-01-{number:02d}.jsonl").write_text('{"text": "x", "label": "a"}\n')
    return tmp_path


@pytest.fixture
def publish(folder: Path) -> Publish:
    """Puts a version there as if a run of a date had been promoted."""

    def put(
        number: int, date: str, content: str = "x", without: str = "", params: dict[str, Any] | None = None
    ) -> None:
        versions = Versions(folder / "runs", "m")
        place = versions.folder / str(number)
        place.mkdir(parents=True)
        names = [name for name in ("vocabulary.tsv", "weights.npz", "matrix.npy") if name != without]
        for name in names:
            (place / name).write_text(f"{name} {content}")
        files = {name: {"sha256": places.checksum(place / name)} for name in names}
        given = load(folder / "d.yaml", date=dt.date(2026, 1, 1)).nodes["train.a"].params["params"]
        (place / "model.json").write_text(json.dumps({**MODEL, "params": params or given}))
        (place / "manifest.json").write_text(json.dumps({"date": date, "run": f"run-{number}", "files": files}))
        versions._point(number, [*versions.pointer().get("history", []), number])

    return put


def loaded(folder: Path, number: int) -> Pipeline:
    return load(folder / "d.yaml", date=dt.date(2026, 1, number))


def of_steps(folder: Path, number: int) -> dict[str, str]:
    because = keys.because(loaded(folder, number), "jar", Digests(folder / "digests.json"))
    return {step: digest(reason) for step, reason in because.items()}


def test_the_first_date_starts_from_scratch_and_the_plan_says_so(folder: Path) -> None:
    nodes = loaded(folder, 1).nodes
    assert nodes["tensors"].starts == "no version of a date before 2026-01-01: from scratch"
    assert not nodes["tensors"].resources.data and not nodes["clean"].starts


def test_a_version_promoted_before_the_date_is_part_of_the_keys(folder: Path, publish: Publish) -> None:
    before = of_steps(folder, 3)
    publish(1, "2026-01-02")
    after, nodes = of_steps(folder, 3), loaded(folder, 3).nodes
    assert {step for step in after if after[step] != before[step]} == {"tensors", "embed", "train.a", "evaluate.a"}
    assert nodes["tensors"].starts == "extends the vocabulary of version 1 of 2026-01-02"
    assert nodes["train.a"].starts == "starts from the weights of version 1 of 2026-01-02"
    assert nodes["train.a"].resources.data["last"] == str(folder / "runs/models/m/1")


def test_a_date_that_was_promoted_itself_is_still_done(folder: Path, publish: Publish) -> None:
    publish(1, "2026-01-02")
    before = of_steps(folder, 3)
    publish(2, "2026-01-03", "y")
    publish(3, "2026-01-04", "z")
    assert of_steps(folder, 3) == before and loaded(folder, 5).last.number == 3  # type: ignore[union-attr]
    Versions(folder / "runs", "m").forget(1)
    assert of_steps(folder, 3) == before, "also where its folder was removed"


def test_what_was_rolled_back_is_no_start(folder: Path, publish: Publish) -> None:
    publish(1, "2026-01-02")
    before = of_steps(folder, 5)
    publish(2, "2026-01-04", "y")
    assert of_steps(folder, 5) != before
    Versions(folder / "runs", "m").rollback()
    assert of_steps(folder, 5) == before


def test_equal_content_gives_an_equal_key(folder: Path, publish: Publish) -> None:
    publish(1, "2026-01-02")
    before = of_steps(folder, 5)
    publish(2, "2026-01-04")
    assert of_steps(folder, 5) == before


def test_a_removed_version_is_missed_only_where_a_step_runs(folder: Path, publish: Publish) -> None:
    publish(1, "2026-01-02")
    publish(2, "2026-01-03")
    Versions(folder / "runs", "m").forget(1)
    pipeline = loaded(folder, 3)
    reused = [Planned(step, "op", "key", "reuse", "") for step in pipeline.nodes]
    starting.need(pipeline.nodes, reused, pipeline.last)
    with pytest.raises(InputError, match=r"version 1 of 2026-01-02, which train.a would start from, was removed"):
        starting.need(pipeline.nodes, [Planned("train.a", "op", "key", "run", "")], pipeline.last)
    later = loaded(folder, 4)
    with pytest.raises(
        InputError, match=r"version 2 of 2026-01-03, which train.a .* is damaged: weights.npz has changed"
    ):
        (folder / "runs/models/m/2/weights.npz").write_bytes(b"other")
        starting.need(later.nodes, [Planned("train.a", "op", "key", "run", "")], later.last)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("analyzer", "analyzer", None),
        ("from: split}", "from: split, analyzer: sentencepiece}", "the pieces of sentencepiece are fitted anew"),
        ("from: tensors, rule: extend", "from: tensors", "warm needs vectors that stay comparable: give step embed"),
        ("{model: bigru, from: tensors, start: warm, embedding: {from: embed}}",
         "{model: linear, from: tensors, start: warm}", "model linear is solved at once"),
        ("promote:", "  b: {model: cnn, from: tensors}\npromote:", "promote.train does not say which"),
        ("{if: macro_f1 > last}\n", "{if: macro_f1 > last, train: b}\n", "the model that is promoted, and that is train.b"),
    ],
)  # fmt: skip
def test_what_can_not_be_started_from_is_told(folder: Path, old: str, new: str, message: str | None) -> None:
    text = DEFINITION.replace(old, new)
    if "train: b" in new:
        text = text.replace("promote:", "  b: {model: cnn, from: tensors}\npromote:")
    (folder / "d.yaml").write_text(text)
    if message is None:
        loaded(folder, 1)
        return
    with pytest.raises(DefinitionError, match=message):
        loaded(folder, 1)


def test_another_architecture_is_refused_before_anything_runs(folder: Path, publish: Publish) -> None:
    publish(1, "2026-01-02", params={"units": 3})
    with pytest.raises(DefinitionError, match=r"train.a.start: version 1 of 2026-01-02 has params {'units': 3}, not"):
        loaded(folder, 3)
    assert loaded(folder, 2).last is None


def test_a_version_without_vectors_is_no_start_for_vectors(folder: Path, publish: Publish) -> None:
    publish(1, "2026-01-02", without="matrix.npy")
    with pytest.raises(DefinitionError, match=r"steps.embed.rule: version 1 of 2026-01-02 has no matrix.npy"):
        loaded(folder, 3)
