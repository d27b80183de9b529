"""`textmill operations`: what a step can `do`, and every parameter."""

from __future__ import annotations

from typing import Any

import click

from pipelines import console
from pipelines.cli import options, parameters
from pipelines.validation import did_you_mean
from spark_jobs import registry
from textmill.errors import InputError


@click.command("operations")
@click.argument("name", required=False)
@options.as_json
def command(name: str | None, as_json: bool) -> None:
    """List the operations of `do:`; with NAME one operation's parameters: their defaults, ranges and meaning."""
    if name is not None and name not in registry.NAMES:
        raise InputError(f"unknown operation '{name}'{did_you_mean(name, registry.NAMES)}")
    found = [_described(known) for known in ([name] if name else registry.NAMES)]
    if as_json:
        options.print_json(found[0] if name else found)
    elif name:
        _show(found[0])
    else:
        for operation in found:
            console.say(f"{operation['name']:<14} {operation['summary']}")


def _described(name: str) -> dict[str, Any]:
    operation = registry.operation(name)
    summary = (type(operation).__doc__ or "").partition("\n")[0]
    params = parameters.described(operation.Params)
    return {"name": name, "summary": summary, "version": operation.version, "example": operation.example, "params": params}


def _show(operation: dict[str, Any]) -> None:
    console.say(f"{operation['name']}: {operation['summary']}\nexample:  {operation['example']}")
    parameters.show(operation["params"])
