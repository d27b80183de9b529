"""`textmill compare`: two trials on the test rows they share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from pipelines import console
from pipelines.cli import options

if TYPE_CHECKING:
    from pipelines.board.compare import Change, Comparison

_SHOWN = 20


@click.command("compare")
@click.argument("first")
@click.argument("second")
@click.option(
    "--in", "pipeline", metavar="DEFINITION|NAME", help="The pipeline they are of [default: the newest run's]."
)
@click.option("-n", "count", default=_SHOWN, show_default=True, help="At most so many utterances of each kind.")
@options.root
@options.as_json
def command(first: str, second: str, pipeline: str | None, count: int, root: str | None, as_json: bool) -> None:
    """Compare FIRST with SECOND: trials as `textmill board` names them, RUN:TRIAL, or RUN, its best on the valid part."""
    from pipelines.board import compare, read
    from pipelines.board.tested import Tests
    from pipelines.store import Store

    where, name = read.chosen(pipeline, root)
    known, _ = read.trials(where, name)
    comparison = compare.make(compare.find(known, first), compare.find(known, second), Tests(Store(where)))
    if as_json:
        options.print_json(comparison.as_dict())
        return
    for line in _told(comparison, count):
        console.say(line)


def _told(comparison: Comparison, count: int) -> Iterator[str]:
    paired, (low, high) = comparison.paired, comparison.interval
    for trial, right in (
        (comparison.first, paired.both + paired.first),
        (comparison.second, paired.both + paired.second),
    ):
        yield f"{trial.ref} ({trial.model}, {trial.engine}): {right / paired.rows:.4f} on {paired.rows:,} shared rows"
    yield f"difference {paired.difference:+.4f}, 95 % bootstrap interval {low:+.4f} to {high:+.4f}"
    verdict = "they differ" if comparison.differs else "a tie: these rows can't tell them apart"
    decided = paired.first + paired.second
    yield f"exact McNemar test on the {decided:,} rows only one had right: p = {paired.p:.4g}: {verdict}"
    yield f"right: both {paired.both:,}, only the first {paired.first:,}, only the second {paired.second:,}, neither {paired.neither:,}"
    yield from _changes("right → wrong", comparison.lost, count)
    yield from _changes("wrong → right", comparison.won, count)


def _changes(title: str, changes: Sequence[Change], count: int) -> Iterator[str]:
    yield f"\n{title}: {len(changes):,}"
    for change in changes[:count]:
        yield f"  {console.shown(change.text)}\n      {console.shown(f'{change.label}: {change.first} → {change.second}')}"
    if len(changes) > count:
        yield f"  and {len(changes) - count:,} more: -n {len(changes)}"
