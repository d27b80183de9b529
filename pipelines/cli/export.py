"""`textmill export`: a training and its tensors for machines outside of Hadoop."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines import console
from pipelines.cli import options

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from models.launchers.base import Scheduler
    from pipelines.export import Export
    from textmill.bundles import Content, Sent
    from textmill.targets import Target


@click.command("export")
@click.argument("run", metavar="RUN|TARGET")
@click.argument("target", required=False)
@click.option("--ranks", type=click.IntRange(1), help="Ranks that share the shards [default: 1, or the profile's].")
@click.option("--train", metavar="NAME", help="The training, where the run has several.")
@click.option("--profile", help="Launch files of this profile of the run's definition: its scheduler and its ranks.")
@click.option("--launch", "sets", multiple=True, metavar="KEY=VALUE", help="Of launch files; `kind=slurm` for those of one.")
@click.option("--dry-run", is_flag=True, help="Send nothing: print the launch files and how they are submitted.")
@click.option("--verify", is_flag=True, help="Send nothing: say whether the bundle at TARGET is whole.")
@click.option("--master", default="local[*]", show_default=True, help="Where Spark runs.")
@click.option("--memory", default="2g", show_default=True, help="Heap of the driver (local) or of each executor.")
@click.option("--log", default="export.log", show_default=True, type=click.Path(path_type=Path), help="Spark's log.")
@options.root
@options.as_json
def command(
    run: str, target: str | None, ranks: int | None, train: str | None, profile: str | None, sets: tuple[str, ...],
    dry_run: bool, verify: bool, master: str, memory: str, log: Path, root: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Send a training of RUN (the start of its id, or `last`) to TARGET, with its tensors as TFRecords.

    TARGET is a folder, a URI (hdfs://, s3://) or host:path, by rsync over ssh. What is there already is not sent
    again. `textmill export --verify TARGET` reads a bundle there and names every file that is not what was sent.
    """
    from textmill.targets import target as named

    if verify:
        if target is not None:
            raise click.UsageError("--verify takes the TARGET alone")
        _verify(named(run), as_json)
        return
    if target is None:
        raise click.UsageError("where to? textmill export RUN TARGET")
    to, place = named(target), options.runs_root(root)
    from pipelines import export, pins, runs

    record = runs.find(place, run)
    given = {**(_of_profile(record, profile) if profile else {}), **_settings(sets)}
    launchers = _launchers({**given, **({"ranks": ranks} if ranks else {})})
    with pins.of_run(place, f"export {record['run']}", record, reads=True) as pin:
        found = export.of_run(place, record, train, launchers[0].ranks)
        if dry_run:
            _dry_run(launchers, found, to)
            return
        with _session(master, memory, log) as spark, tempfile.TemporaryDirectory() as scratch:
            _send(export.staged(place, found, spark, pin), found, launchers, to, Path(scratch), as_json)


def _of_profile(run: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The settings of the scheduler that a profile of the run's definition names."""
    import datetime as dt

    from models import engines
    from pipelines.definition import load

    day = dt.date.fromisoformat(run["date"])
    profile = load(Path(run["definition"]), sets=(), date=day, profile=name, sample=None).profile
    options = engines.options(profile.engine).model_validate(profile.options) if profile.engine else None
    scheduler = getattr(options, "scheduler", None)
    if scheduler is None:
        raise click.UsageError(f"profile {name} has no scheduler in its options (engine: horovod)")
    found: dict[str, Any] = scheduler.model_dump()
    return found


def _launchers(given: dict[str, Any]) -> list[Scheduler]:
    """Of every scheduler with what it takes by itself, or the one that is named with its settings."""
    from pydantic import TypeAdapter, ValidationError

    from models.launchers.schedulers import SCHEDULERS, Launch

    if "kind" not in given:
        if given.keys() - {"ranks"}:
            raise click.UsageError("--launch settings are of one scheduler: name it, --launch kind=slurm")
        return [scheduler.model_validate(given) for scheduler in SCHEDULERS.values()]
    try:
        found: Scheduler = TypeAdapter(Launch).validate_python(given)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, one['loc'][1:])) or 'kind'}: {one['msg']}" for one in error.errors())
        raise click.UsageError(f"--launch {told}") from None
    if problems := found.problems():
        raise click.UsageError("; ".join(problems))
    return [found]


def _settings(pairs: tuple[str, ...]) -> dict[str, Any]:
    """The values of --launch, each of the type that the scheduler declares."""
    from models.launchers.schedulers import SCHEDULERS
    from pipelines.overrides import under, value

    texts = {key: text for key, equals, text in (pair.partition("=") for pair in pairs) if equals}
    if len(texts) < len(pairs):
        raise click.UsageError(f"--launch {' '.join(pairs)}: KEY=VALUE is wanted, each key once")
    declared = [SCHEDULERS[texts["kind"]]] if texts.get("kind") in SCHEDULERS else []
    return {key: value(key, text, under(declared, key), "--launch") for key, text in texts.items()}


def _dry_run(launchers: list[Scheduler], found: Export, to: Target) -> None:
    import shlex

    from models.launchers import schedulers

    for name, text in schedulers.files(launchers, found.title, to.name).items():
        console.say(f"# --- {to}/launch/{name}\n{text}")
    for launcher in launchers:
        console.say(f"# --- {launcher.kind}, in {to}: {shlex.join(launcher.submit())}")


def _send(
    staged: dict[str, Content], found: Export, launchers: list[Scheduler], to: Target, scratch: Path, as_json: bool
) -> None:
    from models import bundle
    from models.launchers import schedulers
    from textmill.bundles import send

    launch = schedulers.files(launchers, found.title, to.name)
    files = bundle.contents(found.job, staged, launch, scratch)
    with _progress(as_json) as advanced:
        sent = send(files, found.about, to, advanced)
    if as_json:
        options.print_json({**found.about, "target": str(to), **sent.__dict__, "bytes_per_s": round(sent.rate)})
    else:
        console.say(_told(found, files, sent, to))


def _told(found: Export, files: dict[str, Content], sent: Sent, to: Target) -> str:
    rate = f" in {sent.seconds:.1f} s ({sent.rate / 1e6:,.1f} MB/s)" if sent.sent_files else ""
    shards = sum(name.endswith(".tfrecord") for name in files)
    return "\n".join(
        [
            f"training {found.train} of run {found.run['name']}/{found.run['run']}: model {found.job.model}, "
            f"{shards} TFRecord shards, {found.shards} of each part, for {found.ranks} ranks",
            f"sent     {sent.sent_files} files, {sent.sent_bytes / 1e6:,.1f} MB{rate}; "
            f"{sent.files - sent.sent_files} were there already",
            f"whole    {sent.files} files, {sent.bytes / 1e6:,.1f} MB: {to}",
        ]
    )


def _verify(bundle: Target, as_json: bool) -> None:
    from textmill.bundles import verify

    manifest = verify(bundle)
    files, size = len(manifest["files"]), sum(file["bytes"] for file in manifest["files"].values())
    if as_json:
        options.print_json({"target": str(bundle), "files": files, "bytes": size})
        return
    console.say(
        f"whole: {files} files, {size / 1e6:,.1f} MB: training {manifest.get('train')} of run {manifest.get('name')}/"
        f"{manifest.get('run')}, for {manifest.get('ranks')} ranks"
    )


@contextmanager
def _session(master: str, memory: str, log: Path) -> Iterator[Callable[[], SparkSession]]:
    """A session that starts when it is asked for: what is staged already needs no JVM."""
    started: list[Any] = []

    def start() -> SparkSession:
        from spark_jobs import session

        started.append(session.start(session.SparkSettings(master, memory), log, "textmill export"))
        return started[0]  # type: ignore[no-any-return]

    try:
        yield start
    finally:
        for spark in started:
            spark.stop()


@contextmanager
def _progress(as_json: bool) -> Iterator[Callable[[int, int], None]]:
    """Bytes and rate, on a terminal."""
    import sys

    from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

    if as_json or not sys.stdout.isatty():
        yield lambda done, total: None
        return
    with Progress(BarColumn(), DownloadColumn(), TransferSpeedColumn(), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
