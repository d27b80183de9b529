"""What several verbs take, and how they turn it into a pipeline and a plan."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pipelines import console
from textmill import names

if TYPE_CHECKING:
    from pipelines.keys import Because
    from pipelines.pins import Pin
    from pipelines.pipeline import Pipeline
    from pipelines.plan import Planned, Selection
    from pipelines.store import Store
    from textmill.places import Place

DAY = click.DateTime(["%Y-%m-%d"])
Command = TypeVar("Command", bound=Callable[..., Any])
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON value on standard output.")
root = click.option("--root", help="Folder of the runs [default: $TEXTMILL_ROOT, else runs].")
root_of_definition = click.option(
    "--root", help="Folder of the runs [default: the definition's, else $TEXTMILL_ROOT, else runs]."
)


class Share(click.ParamType):
    """A share such as `1%` or `0.01`."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The share as a number above 0 and at most 1."""
        match = re.fullmatch(r"([0-9.]+)(%?)", str(value))
        share = float(match.group(1)) / (100 if match.group(2) else 1) if match else 0.0
        if not 0 < share <= 1:
            self.fail(f"{value!r} is not a share such as 1% or 0.01", param, ctx)
        return share


class Name(click.ParamType):
    """The name of a pipeline, which is a folder's: no path."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name itself."""
        if not names.is_fit(value):
            self.fail(f"{value!r} is no name of a pipeline", param, ctx)
        return str(value)


def definition(command: Command) -> Command:
    """The options that say which pipeline: the file, and what is applied to it."""
    options = [
        click.argument("file", metavar="DEFINITION", type=click.Path(path_type=Path)),
        click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Replace a value of the definition: text where the key takes a string, else YAML."),
        root_of_definition,
        click.option("--date", type=DAY, help="The run's date, ${run.date} [default: today]."),
        click.option("--profile", help="Where to run: a profile of the definition [default: local]."),
        click.option("--sample", type=Share(), help="Read only this share of every input, such as 1%."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def selection(command: Command) -> Command:
    """The options that choose steps."""
    options = [
        click.option("--from", "first", metavar="STEP", help="Run this step and all that depend on it."),
        click.option("--to", "last", metavar="STEP", help="Only this step and what it depends on."),
        click.option("--only", multiple=True, metavar="STEP", help="Only this step, from outputs that are there; more than once for more."),
        click.option("--stage", type=click.Choice(["prepare", "train"]), help="What comes before trainings, or the rest."),
        click.option("--force", multiple=True, metavar="STEP", help="Run this step although its output is there."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def load(
    file: Path,
    sets: tuple[str, ...],
    date: dt.datetime | None,
    profile: str | None,
    sample: float | None,
    root: str | None,
) -> Pipeline:
    """The pipeline that the options of `definition` describe."""
    from pipelines.definition import load as load_definition

    day = date.date() if date else None
    return load_definition(file, sets=sets, date=day, profile=profile, sample=sample, root=root)


def plan(
    pipeline: Pipeline, chosen: Selection, pin: Pin | None = None
) -> tuple[Store, dict[str, Because], list[Planned]]:
    """The store of a pipeline, what its keys are made of, and its plan; `pin` keeps the outputs that it goes by."""
    from pipelines import keys, plan, runs
    from pipelines.store import Store
    from spark_jobs.base import digest
    from spark_jobs.installation import jar_path

    store = Store(pipeline.root, pin)
    reasons = keys.because(pipeline, keys.of_jar(jar_path()), store.digests)
    if pin is not None:
        pin.keep([digest(because) for because in reasons.values()])
    before = runs.last_plan(pipeline.root, pipeline.definition.name)

    def damage(op: str, key: str) -> str | None:
        found = store.whole(op, key)
        return plan.ABSENT if found is None else found if isinstance(found, str) else None

    made = cache(lambda: runs.made(pipeline.root, pipeline.definition.name))
    planned = plan.make(pipeline, reasons, damage, before, chosen, made)
    store.digests.save()
    return store, reasons, planned


def runs_root(given: str | None) -> Place:
    """The folder of the runs, for verbs that take no definition."""
    from pipelines import roots
    from textmill.places import place

    return place(roots.chosen(given))


def print_json(value: Any) -> None:
    """One JSON value on standard output."""
    click.echo(console.json_text(json.dumps(value, ensure_ascii=False, indent=1)))
