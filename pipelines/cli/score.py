"""`textmill score`: batch scoring on Spark."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines import console
from pipelines.cli import options
from textmill.errors import InputError

if TYPE_CHECKING:
    from spark_jobs.base import InputFiles
    from spark_jobs.score import TextModel
    from textmill.places import Place

_BY_SUFFIX = {".jsonl": "jsonl", ".json": "jsonl", ".csv": "csv", ".parquet": "parquet", ".txt": "text"}
_PACKED = (".gz", ".bz2", ".zst", ".xz")


@click.command("score")
@click.argument("model")
@click.argument("table", metavar="INPUT")
@click.argument("output", metavar="OUTPUT")
@click.option("--train", metavar="NAME", help="The training of a run, where it has several.")
@click.option("--version", type=click.IntRange(1), help="A version of a published model [default: the current one].")
@click.option("--format", "kind", type=click.Choice(["jsonl", "csv", "parquet", "text"]), help="[default: by the name]")
@click.option("--text", default="text", show_default=True, help="Column of the texts.")
@click.option("--id", "identity", default=None, help="Column of the ids [default: a record's file and position].")
@click.option("--delimiter", default=",", show_default=True, help="Between the columns of a csv file.")
@click.option("--as", "written", type=click.Choice(["parquet", "json", "csv"]), default="parquet", show_default=True)
@click.option("--spreadsheet", is_flag=True, help="With --as csv: a ' before cells that a spreadsheet would compute.")
@click.option("--master", default="local[*]", show_default=True, help="Where Spark runs.")
@click.option("--memory", default="2g", show_default=True, help="Heap of the driver (local) or of each executor.")
@click.option("--log", default="score.log", show_default=True, type=click.Path(path_type=Path), help="Spark's log.")
@options.root
@options.as_json
def command(
    model: str, table: str, output: str, train: str | None, version: int | None, kind: str | None, text: str,
    identity: str | None, delimiter: str, written: str, spreadsheet: bool, master: str, memory: str, log: Path, root: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Classify the texts of INPUT (file, folder, pattern) with a published MODEL, or with that of a run (its id).

    OUTPUT is a folder of id, text, predicted, confidence, reason: a row for each record of the input.
    """
    from textmill.places import place

    if spreadsheet and written != "csv":
        raise click.UsageError("--spreadsheet is for --as csv")
    with ExitStack() as stack:
        given = _model(stack, options.runs_root(root), model, version, train)
        source = _source(table, kind, {"text": text, "id": identity, "delimiter": delimiter})
        from spark_jobs import score, session

        spark = session.start(session.SparkSettings(master, memory), log, "textmill score")
        stack.callback(spark.stop)
        counted = score.write(given, source, place(output), written, spark, spreadsheet)
    if as_json:
        options.print_json(counted)
        return
    labels = ", ".join(f"{rows:,} {console.shown(label)}" for label, rows in sorted(counted["predicted"].items()))
    aside = ", ".join(f"{rows:,} {console.shown(reason)}" for reason, rows in sorted(counted["set_aside"].items()))
    console.say(f"{counted['rows']:,} rows to {output}: {labels or 'none predicted'}; set aside: {aside or 'none'}")


def _model(stack: ExitStack, root: Place, model: str, number: int | None, train: str | None) -> TextModel:
    """A published model's version, or what a run trained; house-keeping leaves it until `stack` ends."""
    from pipelines import kinds, lineage, pins, runs, versions
    from spark_jobs.score import TextModel
    from spark_jobs.sentencepieces import FILE

    if model in versions.names(root):
        published = versions.Versions(root, model)
        version = published.get(number) if number else published.current()
        assert version is not None
        stack.enter_context(pins.pinned(root, "score", versions=[(model, version.number)], reads=True))
        if harm := version.damage():
            raise InputError(f"version {version.number} of {model} is damaged: {harm}")
        chain = kinds.OBJECT.read(version.folder / versions.CHAIN)
        return TextModel(chain, version.folder, version.folder, version.folder / FILE)
    try:
        record = runs.find(root, model)
        stack.enter_context(pins.of_run(root, "score", record, reads=True))
        found = lineage.of_run(root, record, train)
    except InputError as error:
        known = ", ".join(versions.names(root)) or "none"
        raise InputError(f"{error} (published models: {known})") from error
    return TextModel(versions.chain(found), found.model.folder, found.tensors.folder, found.tokens.folder / FILE)


def _source(table: str, kind: str | None, columns: dict[str, Any]) -> InputFiles:
    from pipelines import contents, inputs
    from pipelines.model import Input
    from spark_jobs.base import InputFiles

    try:
        files = inputs.find(table)
        suffixes = [suffix for suffix in map(str.lower, files[0].suffixes) if suffix not in _PACKED]
        found = kind or _BY_SUFFIX.get(suffixes[-1] if suffixes else "")
        if found is None:
            raise InputError(f"{files[0]}: what is in it? give --format jsonl, csv, parquet or text")
        given = Input(path=table, format=found, label=None, **columns)  # type: ignore[arg-type]
        header = contents.look(files, given).columns
    except inputs.Unfit as error:
        raise InputError(str(error)) from error
    settings = {**given.reading(), "header": header if found == "csv" else None, "sample": None, "seed": 7}
    return InputFiles("table", "rows", files, settings)
