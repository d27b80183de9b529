"""`sweep:` in a definition: every value is looked at before anything starts."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from pipelines.definition import load
from pipelines.pipeline import Node
from pipelines.schema import schema
from textmill.errors import DefinitionError

HEAD = """name: demo
inputs: {chats: {path: chats.jsonl, format: jsonl, label: intent}}
steps:
  clean: {do: text.clean, from: chats}
  split: {do: data.split, from: clean}
  tokens: {do: text.tokenize, from: [split.train, split.valid, split.test]}
  tensors: {do: tensor.encode, from: tokens, length: 8}
sweep:
  many:
"""
GOOD = """    from: tensors
    trials:
      - {model: cnn, params: {filters: [100, 200], widths: [[3, 4], [1, 2]]}, settings: {learning_rate: [1e-3, 3e-3]}}
      - {model: [lstm, linear]}
    epochs: 4
    time_limit: 10m
    memory_limit: 2g
    asha: {reduction: 2}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "chats.jsonl").write_text('{"text": "hello", "intent": "greeting"}\n', encoding="utf-8")
    return tmp_path / "demo.yaml"


def node(file: Path, sweep: str) -> Node:
    file.write_text(HEAD + sweep, encoding="utf-8")
    return load(file).nodes["sweep.many"]


def problems(file: Path, sweep: str) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        node(file, sweep)
    return [str(problem).removeprefix(f"{file.parent}/") for problem in caught.value.problems]


def test_a_sweep_is_one_step_with_every_trial_in_its_key(file: Path) -> None:
    made = node(file, GOOD)
    assert (made.op, [taken.node for taken in made.takes], made.in_jvm) == ("model.sweep", ["tensors"], False)
    assert len(made.params["trials"]) == 2 * 2 * 2 + 2
    assert made.params["trials"][1] == ["cnn", {"filters": 100, "widths": [3, 4]}, {"learning_rate": 0.003}]
    assert (made.params["time_limit"], made.params["memory_limit"]) == (600, 2 << 30)
    assert json.loads(json.dumps(made.keyed)) == made.keyed
    assert "parallel" not in made.keyed and made.keyed["settings"]["seed"] == 7
    assert node(file, GOOD + "    parallel: 3\n").keyed == made.keyed


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[100, 200]", "[100, -2]", "demo.yaml:12 sweep.many.trials.0.params.filters.1: input should be greater than or"),
        ("[100, 200]", "[x, 200]", "demo.yaml:12 sweep.many.trials.0.params.filters: input should be a valid integer"),
        ("filters:", "filter:", "demo.yaml:12 sweep.many.trials.0.params.filter: unknown key, did you mean 'filters'?"),
        ("[lstm, linear]", "[lstm, liner]", "demo.yaml:13 sweep.many.trials.1.model: unknown model 'liner', did you mean"),
        ("learning_rate:", "learning_rat:", "demo.yaml:12 sweep.many.trials.0.settings.learning_rat: unknown key, did you"),
        ("1e-3, 3e-3", "1e-3, 0", "demo.yaml:12 sweep.many.trials.0.settings.learning_rate.1: input should be greater"),
        ("[1e-3, 3e-3]", "{low: 1, high: 2}", "demo.yaml:11 sweep.many.trials: settings.learning_rate: a range has no end"),
        ("[1e-3, 3e-3]", "{low: 2, high: 1}", "demo.yaml:12 sweep.many.trials.0.settings.learning_rate: goes from 2 to 1"),
        ("{learning_rate: [1e-3, 3e-3]}", "{epochs: [1, 2]}", "demo.yaml:12 sweep.many.trials.0.settings.epochs: asha"),
        ("from: tensors", "from: tensor", "demo.yaml:10 sweep.many.from: 'tensor' is no tensor.encode step, did you mean"),
        ("epochs: 4", "epochs: 4\n    draw: {n: 99}", "demo.yaml:15 sweep.many.draw: 99 draws are wanted and there are 10"),
        ("10m", "10 minutes", "demo.yaml:15 sweep.many.time_limit: input should be a valid number"),
        ("trials:", "trails:", "demo.yaml:11 sweep.many.trails: unknown key, did you mean 'trials'?"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(file: Path, old: str, new: str, told: str) -> None:
    assert old in GOOD
    found = problems(file, GOOD.replace(old, new))
    assert any(problem.startswith(told) for problem in found), found


def test_a_list_parameter_needs_a_list_of_lists(file: Path) -> None:
    found = problems(file, GOOD.replace("[[3, 4], [1, 2]]", "[3, 4]"))
    assert all("params.widths" in problem and "write a list of lists" in problem for problem in found)


def test_random_draws_are_those_of_the_seed(file: Path) -> None:
    drawn = GOOD.replace("[1e-3, 3e-3]", "{low: 1e-4, high: 1e-2, log: true}") + "    draw: {n: 12, seed: 3}\n"
    made = node(file, drawn)
    assert len(made.params["trials"]) == 12
    assert made.params["trials"] == node(file, drawn).params["trials"]
    assert made.params["trials"] != node(file, drawn.replace("seed: 3", "seed: 4")).params["trials"]


def test_a_users_own_model_is_part_of_the_key(file: Path) -> None:
    (file.parent / "mine.py").write_text("def build(vocabulary, labels, units: int = 4):\n    return []\n", "utf-8")
    own = "    from: tensors\n    trials: [{model: mine:build, params: {units: [2, 4]}}]\n"
    made = node(file, own)
    assert made.params["codes"]["mine:build"]["mine.py"].startswith("def build")
    assert [trial[1] for trial in made.params["trials"]] == [{"units": 2}, {"units": 4}]
    assert "units" in problems(file, own.replace("[2, 4]", "[2, x]"))[0]


def test_optunas_sampler_draws_as_it_goes(file: Path) -> None:
    drawn = GOOD + "    draw: {n: 6, by: tpe}\n"
    if importlib.util.find_spec("optuna") is None:
        assert problems(file, drawn) == [
            "demo.yaml:18 sweep.many.draw.by: tpe is Optuna's, which is not installed: pip install 'textmill[sweep]'"
        ]
        return
    made = node(file, drawn)
    assert made.params["trials"] is None and made.params["tpe"] == {"n": 6, "seed": 7}
    assert made.params["entries"][0][1] == {"filters": [100, 200], "widths": [[3, 4], [1, 2]]}


def test_the_schema_knows_sweeps() -> None:
    whole = schema()
    jsonschema.validate(yaml.safe_load(HEAD + GOOD), whole)
    ranged = GOOD.replace("[1e-3, 3e-3]", "{low: 0.1, high: 0.2}")
    jsonschema.validate(yaml.safe_load(HEAD + ranged), whole)
    for wrong in (GOOD.replace("trials:", "trails:"), GOOD.replace("10m", "10 minutes"), ranged.replace("high", "hi")):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(yaml.safe_load(HEAD + wrong), whole)
