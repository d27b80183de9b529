"""`textmill models`: the models of the catalogue and their parameters."""

from __future__ import annotations

from typing import Any

import click

from models import catalogue
from pipelines import console
from pipelines.cli import options, parameters
from pipelines.validation import did_you_mean
from textmill.errors import InputError


@click.command("models")
@click.argument("name", required=False)
@options.as_json
def command(name: str | None, as_json: bool) -> None:
    """List the models; with NAME one model's parameters: their defaults, ranges and meaning."""
    if name is not None and name not in catalogue.NAMES:
        raise InputError(f"unknown model '{name}'{did_you_mean(name, catalogue.NAMES)}")
    found = [_described(known) for known in ([name] if name else catalogue.NAMES)]
    if as_json:
        options.print_json(found[0] if name else found)
    elif name:
        _show(found[0])
    else:
        for model in found:
            console.say(f"{model['name']:<16} {model['summary']}\n{'':<16} {model['paper']}")


def _described(name: str) -> dict[str, Any]:
    params = parameters.described(catalogue.params(name))
    summary, engines = catalogue.summary(name), catalogue.engines(name)
    return {"name": name, "summary": summary, "paper": catalogue.paper(name), "engines": engines, "params": params}


def _show(model: dict[str, Any]) -> None:
    console.say(f"{model['name']}: {model['summary']}\n{model['paper']}")
    if model["engines"]:
        console.say(f"trains in engine {' or '.join(model['engines'])} alone")
    parameters.show(model["params"])
