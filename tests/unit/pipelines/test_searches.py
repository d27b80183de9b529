"""`search:` in a definition: estimators by a list of names, every value looked at before anything starts."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml

from pipelines.definition import load
from pipelines.pipeline import Node
from pipelines.schema import schema
from tests.unit.pipelines.test_sweeps import HEAD
from textmill.errors import DefinitionError

GOOD = """search:
  fast:
    from: tokens
    trials:
      - {estimator: [logistic, svm], params: {c: [0.1, 1], ngrams: [1, 2]}}
      - {estimator: naive_bayes, params: {complement: [true, false]}}
    metric: accuracy
"""
START = HEAD.replace("sweep:\n  many:\n", "").replace("length: 8}", "length: 8, seed: 5}")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "chats.jsonl").write_text('{"text": "hello", "intent": "greeting"}\n', encoding="utf-8")
    return tmp_path / "demo.yaml"


def node(file: Path, search: str) -> Node:
    file.write_text(START + search, encoding="utf-8")
    return load(file).nodes["search.fast"]


def test_a_search_is_one_step_that_takes_the_three_parts_of_the_tokens(file: Path) -> None:
    made = node(file, GOOD)
    assert [(taken.node, taken.parts, taken.role) for taken in made.takes] == [
        ("tokens", (part,), part) for part in ("train", "valid", "test")
    ]
    assert len(made.params.trials) == 10
    assert made.params.trials[0] == ("logistic", {"c": 0.1, "ngrams": 1})
    assert (made.params.metric, made.params.seed, made.params.order) == ("accuracy", 7, 5)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("svm]", "svn]", "demo.yaml:12 search.fast.trials.0.estimator: unknown estimator 'svn', did you mean 'svm'?"),
        ("c: [0.1, 1]", "c: [0.1, -1]", "demo.yaml:12 search.fast.trials.0.params.c.1: input should be greater than 0"),
        (
            "complement:",
            "complements:",
            "demo.yaml:13 search.fast.trials.1.params.complements: unknown key, did you mean",
        ),
        ("from: tokens", "from: tensors", "demo.yaml:10 search.fast.from: 'tensors' is no text.tokenize step"),
        ("metric: accuracy", "metric: loss", "demo.yaml:14 search.fast.metric: 'loss' is not one of"),
        (
            "metric: accuracy",
            "draw: {n: 3, by: tpe}",
            "demo.yaml:14 search.fast.draw.by: a search draws at random alone",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(file: Path, old: str, new: str, told: str) -> None:
    assert old in GOOD
    with pytest.raises(DefinitionError) as caught:
        node(file, GOOD.replace(old, new))
    found = [str(problem).removeprefix(f"{file.parent}/") for problem in caught.value.problems]
    assert any(problem.startswith(told) for problem in found), found


def test_a_search_needs_all_parts(file: Path) -> None:
    with pytest.raises(DefinitionError, match="step tokens has no valid part: a search needs train, valid and test"):
        text = (START + GOOD).replace("split.valid, ", "")
        file.write_text(text, encoding="utf-8")
        load(file)


def test_the_schema_knows_searches() -> None:
    jsonschema.validate(yaml.safe_load(START + GOOD), schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(START + GOOD.replace("trials:", "trails:")), schema())
