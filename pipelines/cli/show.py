"""`textmill show`: one run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from pipelines import console
from pipelines.cli import options
from pipelines.joined import joined
from textmill.errors import InputError
from textmill.places import named
from textmill.texts import visible

_LABELS = 10


@click.command("show")
@click.argument("run", default="last")
@click.option("--step", help="The statistics of one step's output instead.")
@options.root
@options.as_json
def command(run: str, step: str | None, root: str | None, as_json: bool) -> None:
    """Show RUN (the start of its id, or `last`): its steps, metrics, error, and where its files are."""
    from pipelines import runs
    from pipelines.progress import line

    record = runs.find(options.runs_root(root), run)
    if step is not None:
        _show_step(record, step, as_json)
        return
    if as_json:
        options.print_json(record)
        return
    console.say(
        f"run {record['name']}/{record['run']}: {record['status']}, date {record['date']}, profile {record['profile']}"
    )
    for step in record["steps"]:
        console.say(line(step))
    for model, scores in record["metrics"].items():
        console.say(
            f"{model}: accuracy {scores['accuracy']:.4f}, macro-F1 {scores['macro_f1']:.4f}, {scores['rows']:,} test rows"
        )
    if record["error"]:
        console.say(f"error  {record['error']}")
    if record["status"] != "done":
        console.say(f"resume {record['command']}")
    console.say(f"log    {record['log']}\nreport {record['report'] or 'none'}")


def _show_step(record: Mapping[str, Any], step: str, as_json: bool) -> None:
    """Raises InputError where the run has no such step, or that has no output; Unreadable for a damaged one."""
    from pipelines.kinds import OUTPUT
    from pipelines.store import MANIFEST

    entry = next((one for one in record["steps"] if one["step"] == step), None)
    if entry is None:
        known = ", ".join(one["step"] for one in record["steps"])
        raise InputError(f"run {record['run']} has no step '{step}'; there are: {known}")
    try:
        manifest = OUTPUT.read(named(entry["output"]) / MANIFEST)
    except OSError as error:
        raise InputError(f"step {step} has no output any more: {error}") from error
    stats = manifest["stats"]
    if as_json:
        options.print_json(stats)
        return
    console.say(f"{step} ({entry['op']}), made {manifest['finished']} in {manifest['seconds']:.1f} s: {entry['output']}")
    for name, value in stats.items():
        if name not in ("parts", "reasons"):
            console.say(console.shown(f"{name}  {value}"))
    for reason, rows in sorted(stats.get("reasons", {}).items(), key=lambda item: -item[1]):
        console.say(f"set aside  {rows:>12,}  {reason}")
    for label, spellings in joined(stats).items():
        written = ", ".join(f"{visible(spelling)} {rows:,}" for spelling, rows in spellings.items())
        console.say(console.shown(f"one label  {label}: {written}"))
    for part, counted in stats.get("parts", {}).items():
        console.say("\n".join(_part(part, counted)))


def _part(name: str, counted: Mapping[str, Any]) -> Iterator[str]:
    """What is known of the rows of a part, a line each."""
    rows, lengths = counted["rows"], counted["lengths"]
    histogram = {int(length): number for length, number in lengths["histogram"].items()}
    yield f"{name}: {rows:,} rows"
    if measured := sum(histogram.values()):
        yield f"    length    mean {lengths['sum'] / measured:.1f}, longest {lengths['max']:,}"
    if "unknown" in counted:
        yield f"    unknown   {counted['unknown'] / max(1, lengths['sum']):.2%} of tokens"
    for kind in ("labels", "writing"):
        found = sorted((counted.get(kind) or {}).items(), key=lambda item: (-item[1], item[0]))
        if found:
            more = f" and {len(found) - _LABELS:,} more" if len(found) > _LABELS else ""
            yield f"    {kind:<10}" + ", ".join(f"{console.shown(name)} {number:,}" for name, number in found[:_LABELS]) + more
    for sample in counted.get("samples") or ():
        why = f"  [{sample['reason']}]" if "reason" in sample else ""
        yield f"    {console.shown(sample.get('label', ''))}\t{console.shown(sample['text'])}{why}"
