"""`--set` gives a value the type of its key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import overrides, source, variables
from pipelines.definition import load
from pipelines.overrides import override
from pipelines.source import Tree
from textmill.errors import InputError

TEXT = """
name: demo
vars: {label: intent, code: 007, share: 0.90, flag: true, off: off}
inputs:
  chats: {path: chats.csv, format: csv, label: "${label}"}
entities: {COLOR: [red]}
steps:
  clean: {do: text.clean, from: chats}
  made: {do: text.populate, from: split.train, templates: t.txt, amount: {per_intent: 4}}
train:
  small: {model: cnn, from: tensors, options: {}}
profiles:
  gpu: {engine: horovod, options: {}}
notify: {}
"""


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    (tmp_path / "demo.yaml").write_text(TEXT)
    return source.read(tmp_path / "demo.yaml")


def inside(tree: Tree, key: str) -> Any:
    found: Any = tree.data
    for part in key.split("."):
        found = found[part]
    return found


@pytest.mark.parametrize("key", ["vars.label", "inputs.chats.path", "inputs.chats.delimiter", "root", "notify.webhook",
                                 "train.small.model", "steps.clean.do", "promote.if", "profiles.gpu.root",
                                 "profiles.gpu.options.ssh_key", "steps.made.templates", "tracking.experiment",
                                 "train.small.evaluate.gold", "name"])  # fmt: skip
@pytest.mark.parametrize("text", ["on", "007", "상담 #1.csv", "|", "\t", "a: b", "[x", "{x}", "*x", "- x", "!x", "1e3", "~"])
def test_a_string_is_what_was_written(key: str, text: str, tree: Tree) -> None:
    assert inside(override(tree, [f"{key}={text}"]), key) == text


@given(st.text(min_size=1, max_size=12).filter(lambda text: text != "null"))
def test_any_text_is_a_string_where_one_is_wanted(text: str) -> None:
    tree = Tree("x.yaml", {})
    assert override(tree, [f"inputs.chats.label={text}"]).data == {"inputs": {"chats": {"label": text}}}


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("inputs.chats.label", "null", None),
        ("vars.label", "null", "null"),
        ("seed", "12", 12),
        ("train.small.epochs", "3", 3),
        ("train.small.clip", "null", None),
        ("train.small.resume", "false", False),
        ("train.small.params.filters", "64", 64),
        ("profiles.gpu.options.threads", "2", 2),
        ("profiles.gpu.options.interfaces", "[on, 007, eth0]", ["on", "007", "eth0"]),
        ("profiles.gpu.spark.conf", "{spark.x: 1, spark.y: true}", {"spark.x": "1", "spark.y": "true"}),
        ("notify.command", "[mail, 007, ~]", ["mail", "007", "~"]),
        ("entities.COLOR", "[on, 007]", ["on", "007"]),
        ("entities.COLOR", "{path: 007}", {"path": "007"}),
        ("steps.clean.from", "chats", "chats"),
        ("steps.clean.from", "[a, b]", ["a", "b"]),
        ("steps.clean.from", "{train: a}", {"train": "a"}),
        ("steps.clean.min_chars", "2", 2),
        ("steps.made.amount.per_intent", "20", 20),
        ("steps.new", "{do: text.clean, from: [a]}", {"do": "text.clean", "from": ["a"]}),
        ("vars", "{label: on}", {"label": "on"}),
    ],
)
def test_the_type_is_that_of_the_key(key: str, text: str, expected: Any, tree: Tree) -> None:
    assert inside(override(tree, [f"{key}={text}"]), key) == expected


def test_vars_are_put_into_strings_as_they_are_written(tree: Tree) -> None:
    for label in ("on", "007", "true", "0.90"):
        put_in = variables.substitute(override(tree, [f"vars.label={label}"]), "2026-01-01")
        assert put_in.data["inputs"]["chats"]["label"] == label
    tree.data["inputs"]["chats"]["label"] = "${code} ${share} ${flag} ${off}"
    assert variables.substitute(tree, "2026-01-01").data["inputs"]["chats"]["label"] == "007 0.90 true off"


def test_where_yaml_is_wanted_broken_yaml_is_named(tree: Tree) -> None:
    with pytest.raises(InputError, match=r"--set notify.command=\[a: is not valid YAML"):
        override(tree, ["notify.command=[a"])


def test_a_later_set_sees_what_an_earlier_one_chose(tree: Tree) -> None:
    found = override(tree, ["steps.x.do=text.populate", "steps.x.templates=007"])
    assert found.data["steps"]["x"] == {"do": "text.populate", "templates": "007"}


def test_a_file_with_a_hash_is_found_through_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "상담 #1.csv").write_text("text|on\nhello|a\n", encoding="utf-8")
    (tmp_path / "d.yaml").write_text(
        "name: d\nvars: {label: x}\ninputs:\n  c: {path: c.csv, format: csv, label: '${label}'}\n"
        "steps: {clean: {do: text.clean, from: c}}\n"
    )
    monkeypatch.chdir(tmp_path)
    sets = ["inputs.c.path=상담 #1.csv", "inputs.c.delimiter=|", "vars.label=on"]
    given = load(tmp_path / "d.yaml", sets=sets).definition.inputs["c"]
    assert (given.path, given.delimiter, given.label) == ("상담 #1.csv", "|", "on")


def test_every_field_of_a_definition_has_a_schema() -> None:
    assert overrides.schemas(["inputs", "x", "path"], {}) == [str]
    assert set(overrides.schemas(["inputs", "x", "label"], {})) == {str, type(None)}
    assert overrides.schemas(["train", "x", "epochs"], {}) == [int]
    assert overrides.schemas(["nothing", "like", "this"], {}) == [Any]
