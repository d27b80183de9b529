"""`textmill peek`: sample rows of a step."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

import click

from pipelines import console
from pipelines.cli import options
from spark_jobs.base import KEY
from textmill.errors import InputError
from textmill.places import Place, arrow


@click.command("peek")
@options.definition
@click.argument("step")
@click.option("--part", help="A part: rows, dropped, train, valid, test, predictions [default: the first].")
@click.option("--dropped", metavar="REASON", help="Rows set aside for REASON (`all` for every reason).")
@click.option("-n", "count", default=10, show_default=True, help="How many rows.")
@options.as_json
def command(step: str, part: str | None, dropped: str | None, count: int, as_json: bool, **which: Any) -> None:
    """Show sample rows of STEP's output, the same ones each time. Starts no JVM."""
    pipeline = options.load(**which)
    manifest, folder = _output(pipeline, step)
    parts = manifest["parts"]
    wanted = "dropped" if dropped else part or next((name for name in sorted(parts) if name != "dropped"), "rows")
    if wanted not in parts and not dropped:
        raise InputError(f"step {step} has no part '{wanted}'; there are: {', '.join(parts) or 'none'}")
    files = [folder / name for name in parts.get(wanted, {}).get("files", [])]
    rows = sample(files, count, None if dropped in (None, "all") else dropped)
    if as_json:
        options.print_json(rows)
        return
    reasons = manifest["stats"].get("reasons", {})
    console.say(f"{step}.{wanted}: {len(rows)} of {parts.get(wanted, {}).get('rows', 0):,} rows")
    if dropped and reasons:
        console.say("reasons: " + ", ".join(f"{console.shown(name)} {rows:,}" for name, rows in sorted(reasons.items())))
    for row in rows:
        console.say("  " + "  ".join(f"{console.shown(name)}={console.shown(value)}" for name, value in row.items() if value is not None))


def _output(pipeline: Any, step: str) -> tuple[Mapping[str, Any], Place]:
    from pipelines.plan import Selection

    store, _, plan = options.plan(pipeline, Selection())
    planned = next((one for one in plan if one.step == step), None)
    if planned is None:
        raise InputError(f"there is no step '{step}'; there are: {', '.join(pipeline.nodes)}")
    manifest = store.manifest(planned.op, planned.key)  # damaged rows are shown as far as they can be read
    if manifest is None:
        raise InputError(f"step {step} has no output yet: textmill run {pipeline.file} --to {step}")
    return manifest, store.folder(planned.op, planned.key)


def sample(files: list[Place], count: int, reason: str | None) -> list[dict[str, Any]]:
    """`count` rows of the files, chosen by a fixed seed; only those set aside for `reason` where one is given."""
    chosen: list[dict[str, Any]] = []
    generator = random.Random(7)
    for number, row in enumerate(_rows(files, reason)):
        if number < count:
            chosen.append(row)
        elif (place := generator.randint(0, number)) < count:  # Vitter's algorithm R
            chosen[place] = row
    return chosen


def _rows(files: list[Place], reason: str | None) -> Iterator[dict[str, Any]]:
    import pyarrow.dataset as ds

    where = None if reason is None else ds.field("reason") == reason
    for file in files:
        path, system = arrow(file)
        rows = ds.dataset(path, filesystem=system)
        columns = [name for name in rows.schema.names if name != KEY]
        for batch in rows.to_batches(columns=columns, filter=where, batch_size=4096):
            yield from batch.to_pylist()
