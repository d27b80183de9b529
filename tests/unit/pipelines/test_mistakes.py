"""Mistakes a new user makes: each named where it is, and nothing that only follows from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import trainings
from pipelines.definition import load
from tests.unit.pipelines.test_definition import GOOD, folder, problems, write  # noqa: F401  # a fixture
from textmill.errors import DefinitionError


def told(folder: Path, text: str) -> list[str]:  # noqa: F811
    """The problems, with paths from the definition's folder."""
    return [line.replace(f"{folder}/", "") for line in problems(folder, text)]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("analyzer: nori,", "analyser: nori,", "demo.yaml:11 steps.tokens.analyser: unknown key, did you mean 'analyzer'?"),
        ("length: 8", "lenght: 8", "demo.yaml:12 steps.tensors.lenght: unknown key, did you mean 'length'?"),
        ("do: text.tokenize", "do: text.tokenise",
         "demo.yaml:11 steps.tokens.do: unknown operation 'text.tokenise', did you mean 'text.tokenize'?"),
        ("do: tensor.encode", "do: tensor.encoded",
         "demo.yaml:12 steps.tensors.do: unknown operation 'tensor.encoded', did you mean 'tensor.encode'?"),
        ("{do: tensor.encode, from: tokens,", "{do: tensor.encode, from: token,",
         "demo.yaml:12 steps.tensors.from: there is no step or input 'token', did you mean 'tokens'?"),
        ("{do: tensor.encode, from: tokens,", "{do: tensor.encode,",
         "demo.yaml:12 steps.tensors.from: is required: what the step takes"),
        ("{do: text.clean, from: chats, min_chars: 2}", "text.clean",
         "demo.yaml:8 steps.clean.do: is required: one of text.clean, text.dedup, data.split, text.populate, text.augment, "
         "text.tokenize, tensor.encode, text.embed"),
        ("[made, split.valid, split.test]", "[made, split.test]",
         "demo.yaml:14 train.small.from: step tokens has no rows of valid (to choose the best epoch by): let it take them"),
        ("[made, split.valid, split.test]", "[made]",
         "demo.yaml:14 train.small.from: step tokens has no rows of valid (to choose the best epoch by) and test "
         "(to evaluate on): let it take them"),
        ("label: intent", "label: intend",
         "demo.yaml:4 inputs.chats.path: chats.jsonl has no column 'intend' for label, did you mean 'intent'?; "
         "its columns: text, intent"),
        ("label: intent", "label: class",
         "demo.yaml:4 inputs.chats.path: chats.jsonl has no column 'class' for label; its columns: text, intent"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_once_and_where_it_is(
    folder: Path, old: str, new: str, message: str  # noqa: F811
) -> None:  # fmt: skip
    text = GOOD + "    sweep:\n      many: {from: tensors, trials: [{model: cnn}]}\n"
    text += "    search:\n      grid: {from: tokens, trials: [{estimator: logistic}]}\n"
    found = told(folder, text.replace(old, new, 1))
    assert message in found
    others = [line for line in found if line != message]
    assert all("step tokens has no" in line for line in others), others


def test_only_the_steps_of_a_circle_are_named(folder: Path) -> None:  # noqa: F811
    text = GOOD.replace("from: chats,", "from: dedup,").replace(
        "from: clean}", "from: clean}\n      dedup: {do: text.dedup, from: split.train}"
    )
    assert told(folder, text) == [
        "demo.yaml:8 steps.clean.from: steps take from each other in a circle: clean → dedup → split → clean"
    ]


@pytest.mark.parametrize(
    ("slot", "message"),
    [
        ("{PRODUCT/개}", "{PRODUCT/개} is no pair of particles: for the entity and then a text write {PRODUCT}개"),
        ("{개/명}", "{개/명} is no pair of particles (을/를 이/가 은/는 과/와 으로/로 아/야 이에요/예요 이었/였 …): "
         "for a choice of texts write (개|명)"),
        ("{을/를/도}", "{을/를/도} is no pair of particles (을/를 이/가 은/는 과/와 으로/로 아/야 이에요/예요 이었/였 …): "
         "for a choice of texts write (을|를|도)"),
    ],
)  # fmt: skip
def test_a_slot_that_is_no_particle(folder: Path, slot: str, message: str) -> None:  # noqa: F811
    (folder / "t.txt").write_text(f"[buy]\n{{PRODUCT}}{{을/를}} (살래요|주세요)\n{{PRODUCT}}{slot} 주세요\n", encoding="utf-8")
    assert told(folder, GOOD) == [f"t.txt:3: {message}"]


def test_a_dictionary_s_problem_does_not_hide_those_of_templates(folder: Path) -> None:  # noqa: F811
    (folder / "p.tsv").write_text("name\tclicks\n연필\t3\n연필\t2\n", encoding="utf-8")
    (folder / "t.txt").write_text("[buy]\n{PRODUCT} 주세요\n{PRODUKT} 있나요\n", encoding="utf-8")
    text = GOOD.replace("PRODUCT: [연필, 지우개]", "PRODUCT: {path: p.tsv, weight: clicks}")
    assert told(folder, text) == [
        "p.tsv:3: '연필' of PRODUCT is given twice",
        "t.txt:3: unknown entity {PRODUKT}, did you mean {PRODUCT}?",
    ]


@pytest.mark.parametrize(
    ("section", "where"),
    [
        ("train:\n      small: {engine: horovod,", "demo.yaml:14 train.small.engine"),
        ("profiles: {gpu: {engine: horovod}}\n    train:\n      small: {", "demo.yaml:13 profiles.gpu.engine"),
    ],
)
def test_an_engine_that_is_not_installed_is_named_before_anything_runs(
    folder: Path, section: str, where: str, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:  # fmt: skip
    from models.engines import horovod
    from models.engines.base import Probe

    monkeypatch.setattr(horovod.Horovod, "probe", lambda self: Probe(False, "horovod not installed", "setup"))
    path = write(folder, GOOD.replace("train:\n      small: {", section))
    pipeline = load(path, profile="gpu" if "gpu" in section else None)
    (found,) = trainings.unready(pipeline, pipeline.nodes)
    assert str(found) == f"{folder}/{where}: engine horovod: horovod not installed; install it with: setup"
    assert trainings.unready(pipeline, ["tensors"]) == []


@pytest.mark.parametrize("section", ["inputs", "steps", "entities", "train"])
@pytest.mark.parametrize("value", ["1", "x", "[a]", "null"])
def test_a_section_that_is_no_mapping_is_a_problem_of_its_own(tmp_path: Path, section: str, value: str) -> None:
    (tmp_path / "d.yaml").write_text(f"name: x\n{section}: {value}\n")
    with pytest.raises(DefinitionError, match=rf"d\.yaml:\d+ {section}"):
        load(tmp_path / "d.yaml")


@pytest.mark.parametrize("path", ["..", '"a\\0b"'])
def test_a_dictionary_that_is_no_file_is_named(tmp_path: Path, path: str) -> None:
    (tmp_path / "d.yaml").write_text(f"name: x\ninputs: {{}}\nsteps: {{}}\nentities:\n  COLOR: {{path: {path}}}\n")
    with pytest.raises(DefinitionError, match=r"d\.yaml:5 entities\.COLOR: .* can't be read: "):
        load(tmp_path / "d.yaml")
