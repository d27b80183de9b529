"""What `textmill operations` and `textmill models` say is what a definition may say."""

from __future__ import annotations

import json

import pytest
import yaml
from click.testing import CliRunner

from models import catalogue
from pipelines.cli import cli, parameters
from spark_jobs import registry


@pytest.mark.parametrize("name", registry.NAMES)
def test_the_example_of_an_operation_is_valid(name: str) -> None:
    operation = registry.operation(name)
    ((_, step),) = yaml.safe_load(operation.example).items()
    assert step.pop("do") == name and step.pop("from")
    operation.Params.model_validate(step)


@pytest.mark.parametrize("name", registry.NAMES)
def test_every_parameter_of_an_operation_has_a_meaning_and_a_range(name: str) -> None:
    told = json.loads(CliRunner().invoke(cli, ["operations", name, "--json"]).stdout)
    assert told["summary"] and all(param["description"] and param["range"] for param in told["params"])


def test_operations_and_models_are_listed_and_shown() -> None:
    run = CliRunner().invoke
    assert [line.split()[0] for line in run(cli, ["operations"]).stdout.splitlines()] == list(registry.NAMES)
    shown = run(cli, ["operations", "text.dedup"]).stdout.splitlines()
    assert shown[1] == "example:  dedup: {do: text.dedup, from: clean, near: {threshold: 0.8}}"
    assert any(line.split() == ["near.ngram", "3", "integer", "≥", "1", "≤", "20", "Characters", "or", "words", "in", "an", "n-gram."] for line in shown)  # fmt: skip
    assert "  dropout          0.5        number ≥ 0 < 1" in run(cli, ["models", "cnn"]).stdout


def test_an_unknown_operation_is_named_with_a_suggestion() -> None:
    error = CliRunner().invoke(cli, ["operations", "text.claen"]).exception
    assert str(error) == "unknown operation 'text.claen', did you mean 'text.clean'?"


def test_groups_are_told_by_their_parameters() -> None:
    found = {param["name"]: param for param in parameters.described(registry.operation("text.populate").Params)}
    assert found["templates"]["default"] == "required"
    assert found["amount.short"] == {
        "name": "amount.short", "default": "error", "range": "error | all",
        "description": "A label whose capacity is smaller than its amount: an error, or all that it has.",
    }  # fmt: skip


@pytest.mark.parametrize("name", catalogue.NAMES)
def test_every_parameter_of_a_model_has_a_meaning(name: str) -> None:
    assert all(param["description"] for param in parameters.described(catalogue.params(name)))
