"""text.populate: expands templates with entity dictionaries, each utterance computable from its number alone."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs import jvm, templates
from spark_jobs.base import Entity, Operation, Resources, Work, Written, digest
from spark_jobs.dedup import drop_repeated
from spark_jobs.output import write_parts
from textmill import texts
from textmill.errors import DefinitionError, Problem
from textmill.params import Params as BaseParams
from textmill.words import did_you_mean

_ROWS_PER_PARTITION = 100_000


class Amount(BaseParams):
    """How many utterances to make."""

    per_intent: int | None = Field(None, ge=0, description="Utterances for each label of the template file.")
    total: int | None = Field(None, ge=0, description="Utterances in all, divided evenly over the labels.")
    intents: dict[str, int] = Field({}, description="Amounts of single labels, before the others.")
    short: Literal["error", "all"] = Field(
        "error", description="A label whose capacity is smaller than its amount: an error, or all that it has."
    )

    @field_validator("intents")
    @classmethod
    def _labels(cls, given: dict[str, int]) -> dict[str, int]:
        cleaned = {texts.label(name): amount for name, amount in given.items()}
        if len(cleaned) < len(given):
            raise ValueError(f"two of {', '.join(map(texts.visible, given))} are one label")
        return cleaned

    @model_validator(mode="after")
    def _one(self) -> Amount:
        if (self.per_intent is None) == (self.total is None):
            raise ValueError("give one of per_intent and total")
        return self

    def of(self, labels: list[str]) -> dict[str, int]:
        """The amount asked of each label."""
        others = [label for label in labels if label not in self.intents]
        if self.total is None:
            shares = [self.per_intent or 0] * len(others)
        else:
            left = max(0, self.total - sum(self.intents.values()))
            shares = [left // len(others) + (index < left % len(others)) for index in range(len(others))]
        return {**dict(zip(others, shares, strict=True)), **self.intents}


class Params(BaseParams):
    """Templates and amounts."""

    templates: str = Field(description="Template file, relative to the definition.")
    amount: Amount
    keep_source: bool = Field(True, description="The source rows themselves stay in the output.")
    seed: int = Field(7, description="Which combinations are taken; the definition's seed by default.")


class Populate(Operation):
    """Source rows and `amount` generated utterances, no text twice; entity spans are emitted."""

    name = "text.populate"
    version = 1
    Params = Params
    example = "populate: {do: text.populate, from: split.train, templates: t.txt, amount: {per_intent: 2000}}"
    takes = "rows"
    train_only = True
    path_params = ("templates",)

    def outputs(self, params: Params) -> tuple[str, ...]:
        """One part: the rows that were kept and made."""
        return ("rows",)

    def resources(self, params: Params, entities: Mapping[str, Entity]) -> Resources:
        """The expansion plan; raises DefinitionError for bad templates and for amounts above the capacity."""
        parsed = templates.parse(Path(params.templates), entities)
        used = sorted({name for template in parsed for name in template.entities()})
        plan = {
            "seed": params.seed,
            "lists": {name: _list(entities[name]) for name in used},
            "templates": _amounts(parsed, params, entities),
        }
        pieces = [[template.label, template.line, list(template.pieces)] for template in parsed]
        digests = {f"entity {name}": digest(plan["lists"][name]) for name in used}
        notes = templates.joined(Path(params.templates), parsed)
        return Resources(plan, {"templates": digest(pieces), **digests}, notes)

    def _run(self, work: Work) -> Written:
        """Reasons: `duplicate`, and `conflicting_label` where two labels make the same text; sources come first."""
        rows = expand(work, _total(work), self.partitions(work))
        if work.params.keep_source:
            source = work.role("rows").withColumn("origin", F.lit("source"))
            rows = source.unionByName(rows, allowMissingColumns=True)
        made = (F.col("origin") != "source").cast("int")
        written = write_parts(drop_repeated(rows, made, F.col("label"), F.col("id")), work.out, F.length("text"))
        return written.warned(_strange_labels(work))

    def partitions(self, work: Work) -> int:
        """By the number of utterances to make."""
        return max(super().partitions(work), -(-_total(work) // _ROWS_PER_PARTITION))


def _strange_labels(work: Work) -> list[str]:
    """Labels of templates that no source row has, as a misspelt section is: nothing could measure them."""
    made = {template["label"] for template in work.resources.data["templates"] if template["amount"]}
    known = {row["label"] for row in work.role("rows").select("label").distinct().collect()}
    known.discard(None)
    if not known:  # all the labels are the templates'
        return []
    return [
        f"the templates' label '{label}' is on no source row, so it gets no valid or test rows{did_you_mean(label, known)}"
        for label in sorted(made - known)
    ]


def _total(work: Work) -> int:
    return sum(template["amount"] for template in work.resources.data["templates"])


def expand(work: Work, total: int, partitions: int) -> DataFrame:
    """The `total` generated utterances: id, text, label, origin, spans."""
    make = jvm.function(work.spark, "populate", work.resources.data)
    numbers = work.spark.range(0, total, 1, partitions)
    return numbers.withColumn("_made", make(F.col("id"))).select(
        F.concat(F.lit("populate:"), F.col("id").cast("string")).alias("id"),
        F.col("_made.text").alias("text"),
        F.col("_made.label").alias("label"),
        F.concat(F.lit("template:"), F.col("_made.template").cast("string")).alias("origin"),
        F.col("_made.spans").alias("spans"),
    )


def _list(entity: Entity) -> dict[str, Any]:
    return {"values": list(entity.values), "weights": list(entity.weights) if entity.weights else None}


def _amounts(parsed: list[templates.Template], params: Params, entities: Mapping[str, Entity]) -> list[dict[str, Any]]:
    by_label = {
        label: list(group)
        for label, group in itertools.groupby(sorted(parsed, key=lambda t: (t.label, t.line)), lambda t: t.label)
    }
    problems: list[Problem] = []
    compiled: list[dict[str, Any]] = []
    asked = params.amount.of(list(by_label))
    for label, amount in asked.items():
        if label not in by_label:
            problems.append(Problem("", "amount.intents", f"no template of '{label}' in {params.templates}"))
            continue
        capacities = [template.capacity(entities) for template in by_label[label]]
        if amount > sum(capacities) and params.amount.short == "error":
            problems.append(_too_small(label, amount, sum(capacities)))
        shares = templates.allocate(min(amount, sum(capacities)), capacities)
        for template, share in zip(by_label[label], shares, strict=True):
            compiled.append({"label": label, "line": template.line, "amount": share, "pieces": list(template.pieces)})
    if problems:
        raise DefinitionError(problems)
    return compiled


def _too_small(label: str, amount: int, capacity: int) -> Problem:
    return Problem(
        "",
        "amount",
        f"'{label}' can make {capacity:,} different utterances, {amount:,} are asked: ask for less, add templates or "
        "dictionary values, or set short: all",
    )
