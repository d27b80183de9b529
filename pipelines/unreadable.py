"""An input's limit of bad records: how many there were, where the first stands, and what to change."""

from __future__ import annotations

from typing import Any

from pipelines.checks import counts
from pipelines.dated import base
from pipelines.pipeline import Node, Pipeline
from pipelines.store import Manifest
from spark_jobs.base import DROPPED
from textmill.places import Place

_NAMED = 3


def too_many(pipeline: Pipeline, node: Node, manifest: Manifest, folder: Place) -> str | None:
    """What is wrong with the inputs of a step, whose output is in `folder`; None where few enough are unreadable."""
    names = [taken.node for taken in node.takes if taken.node in pipeline.inputs]
    if not names:
        return None
    from spark_jobs.clean import UNREADABLE

    reasons = {name: rows for name, rows in manifest["stats"]["reasons"].items() if name in UNREADABLE}
    bad, total = sum(reasons.values()), sum(counts(manifest).values())
    limit = min(pipeline.definition.inputs[base(name)].max_bad for name in names)
    if bad <= limit * total:
        return None
    worst = sorted(reasons, key=lambda name: -reasons[name])[:_NAMED]
    named = ", ".join(f"{reasons[name]:,} {name}" for name in worst)
    dated = f" --date {pipeline.date}" if base(node.name) != node.name else ""
    return (
        f"{bad:,} of {total:,} records of {', '.join(names)} ({bad / total:.1%}) can't be read, more than max_bad "
        f"{limit:.1%} ({named}), the first {worst[0]} at {_first(manifest, folder, worst[0])}{_advice(reasons)}; look "
        f"at them: textmill peek {pipeline.file} {node.name}{dated} --dropped {worst[0]}"
    )


def _advice(reasons: dict[str, int]) -> str:
    quoted = "; if quotes are text in these files, write quote: null in the input"
    return quoted if "open_quote" in reasons else ""


def _first(manifest: Manifest, folder: Place, reason: str) -> str:
    """Where the first record that was set aside for a reason stands: a file and a line, a record or a byte."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    for name in manifest["parts"][DROPPED]["files"]:
        with (folder / name).open("rb") as stream:
            rows: Any = pq.read_table(stream, columns=["id", "reason"])
        found = rows.filter(pc.equal(rows["reason"], reason))
        if found.num_rows:
            return str(found["id"][0])
    return "an unknown place"
