"""`textmill backfill`: the dated runs of a range of dates."""

from __future__ import annotations

import datetime as dt
from typing import Any

import click

from pipelines.cli import options
from pipelines.cli.daily import carry_out_dates


@click.command("backfill")
@options.definition
@click.option("--since", type=options.DAY, required=True, help="First date.")
@click.option("--until", type=options.DAY, help="Last date [default: that of a daily run].")
@options.as_json
def command(
    since: dt.datetime, until: dt.datetime | None, date: dt.datetime | None, as_json: bool, **which: Any
) -> None:
    """Run DEFINITION for every date from --since to --until, the earliest first, as `daily` runs it for one.

    Dates whose input and definition are as they were are done already. A model is published only where the last
    version is not of a later date.
    """
    if date:
        raise click.UsageError("a backfill has --since and --until; one --date is what `textmill daily` runs")
    carry_out_dates(which, None, since, until, as_json)
