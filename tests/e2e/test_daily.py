"""Dated runs as a scheduler starts them: once for a date, one at a time, and told about when they fail."""

from __future__ import annotations

import datetime as dt
import json
import os
import shlex
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks.daily import simulate
from pipelines import lease
from tests.e2e.conftest import TEXTMILL

DEFINITION = """
name: shop
inputs:
  chats: {path: "days/${run.date}.jsonl", format: jsonl, window: all}
steps:
  clean: {do: text.clean, from: chats}
  dedup: {do: text.dedup, from: clean}
schedule: {metrics: shop.prom}
notify: {command: [tee, -a, told.jsonl]}
profiles:
  local: {spark: {master: "local[2]", memory: 1g}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "days").mkdir()
    (tmp_path / "daily.yaml").write_text(DEFINITION)
    for number in (1, 2):
        put(tmp_path, number, 20)
    return tmp_path


def put(folder: Path, number: int, rows: int) -> None:
    lines = [json.dumps({"text": f"day {number} row {row}", "label": "a"}) for row in range(rows)]
    (folder / f"days/2026-01-{number:02d}.jsonl").write_text("\n".join(lines) + "\n")


def daily(folder: Path, *words: str, verb: str = "daily") -> subprocess.CompletedProcess[str]:
    command = [str(TEXTMILL), verb, "daily.yaml", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def runs(folder: Path) -> list[dict[str, object]]:
    records = [json.loads(file.read_text()) for file in sorted(folder.glob("runs/shop/*/run.json"))]
    return [record for record in records if record["status"] == "done"]


def test_dates_run_once_and_again_only_where_their_input_changed(folder: Path) -> None:
    done = daily(folder, "--since", "2026-01-01", "--until", "2026-01-02", verb="backfill")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [run["date"] for run in runs(folder)] == ["2026-01-01", "2026-01-02"]
    again = daily(folder, "--date", "2026-01-02", "--json")
    assert again.returncode == 0 and json.loads(again.stdout)[0]["action"] == "reused" and len(runs(folder)) == 2
    put(folder, 2, 30)
    changed = daily(folder, "--since", "2026-01-01", "--until", "2026-01-02", verb="backfill")
    assert "2026-01-01: nothing to do" in changed.stdout and len(runs(folder)) == 3
    actions = {step["step"]: step["action"] for step in runs(folder)[-1]["steps"]}  # type: ignore[attr-defined]
    assert actions == {"clean@2026-01-01": "reuse", "clean@2026-01-02": "run", "dedup": "run"}
    assert "50 rows" in changed.stdout, "20 of the first day and 30 of the second: none lost, none twice"
    assert 'textmill_daily_failed{pipeline="shop"} 0' in (folder / "shop.prom").read_text()


def test_a_failure_is_told_with_the_command_that_goes_on(folder: Path) -> None:
    failed = daily(folder, "--date", "2026-01-09")
    assert failed.returncode == 2 and "there is no file days/2026-01-09.jsonl" in failed.stderr
    told = json.loads((folder / "told.jsonl").read_text())
    assert told["pipeline"] == "shop" and told["resume"] == shlex.join([str(TEXTMILL), "daily", "daily.yaml", "--date", "2026-01-09"])
    assert 'textmill_daily_failed{pipeline="shop"} 1' in (folder / "shop.prom").read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system, which needs root")
def test_a_full_disk_is_told_in_a_sentence(folder: Path) -> None:
    (folder / "runs").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(folder / "runs")], check=True)
    try:
        failed = daily(folder, "--date", "2026-01-01")
    finally:
        subprocess.run(["umount", str(folder / "runs")], check=True)
    assert failed.returncode == 1 and "No space left on device" in failed.stderr and "Traceback" not in failed.stderr
    assert f"resume: {shlex.join([str(TEXTMILL), 'daily', 'daily.yaml', '--date', '2026-01-01'])}\n" in failed.stderr
    assert "No space left on device" in json.loads((folder / "told.jsonl").read_text())["error"]


def test_catching_up_passes_over_dates_without_input_and_runs_the_others(folder: Path) -> None:
    today = dt.date.today()
    for back in (0, 2):
        (folder / f"days/{today - dt.timedelta(days=back)}.jsonl").write_text('{"text": "x", "label": "a"}\n')
    done = daily(folder, "--set", "schedule.catchup=3")
    assert done.returncode == 0, done.stdout + done.stderr
    dates = [str(today - dt.timedelta(days=back)) for back in (2, 0)]
    assert [run["date"] for run in runs(folder)] == dates
    assert f"{today - dt.timedelta(days=1)}: passed over: " in done.stdout and not (folder / "told.jsonl").exists()


def test_a_second_one_is_refused_and_a_killed_one_makes_room(folder: Path) -> None:
    first = subprocess.Popen(
        [str(TEXTMILL), "daily", "daily.yaml", "--date", "2026-01-01"], cwd=folder, stdout=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        while not (folder / "runs/shop" / lease.FILE).exists():
            assert first.poll() is None
            time.sleep(0.05)
        second = daily(folder, "--date", "2026-01-02")
        assert second.returncode == 1 and f"held by daily 2026-01-01 (process {first.pid} on" in second.stderr
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    third = daily(folder, "--date", "2026-01-02")
    assert third.returncode == 0, third.stdout + third.stderr
    assert [run["date"] for run in runs(folder)] == ["2026-01-02"]


TRAINED = """
name: shop
inputs:
  chats: {path: "days/${run.date}.jsonl", format: jsonl, window: 2d}
steps:
  clean:   {do: text.clean, from: chats}
  split:   {do: data.split, from: clean, parts: {train: 0.6, valid: 0.2, test: 0.2}}
  tokens:  {do: text.tokenize, from: split, analyzer: whitespace}
  tensors: {do: tensor.encode, from: tokens, vocabulary: {min_count: 1}, length: 4, shards: 1}
train:
  m: {model: fasttext, from: tensors, epochs: 1, params: {embedding: 4, buckets: 10}}
promote: {if: "macro_f1 > last"}
profiles:
  local: {spark: {master: "local[2]", memory: 1g}}
"""


def test_a_model_is_published_once_however_often_its_run_ends(folder: Path) -> None:
    (folder / "daily.yaml").write_text(TRAINED)
    done = daily(folder, "--date", "2026-01-01")
    assert done.returncode == 0 and "version 1: the first version" in done.stdout, done.stdout + done.stderr
    (record,) = folder.glob("runs/shop/*/run.json")
    told = json.loads(record.read_text())
    assert told["promotion"]["version"] == 1 and "m.accuracy" in told["drift"]
    # As if it had been killed after it published and before it said so.
    record.write_text(json.dumps({key: value for key, value in told.items() if key not in ("promotion", "checksum")}))
    again = daily(folder, "--date", "2026-01-01", "--json")
    assert again.returncode == 0, again.stderr
    (outcome,) = json.loads(again.stdout)
    assert outcome["action"] == "reused" and outcome["promotion"] == told["promotion"]
    assert [path.name for path in sorted((folder / "runs/models/shop").iterdir())] == ["1", "current.json"]
    assert "2026-01-01" in (folder / "runs/shop/history.html").read_text()
    command = [str(TEXTMILL), "promote", told["run"]]
    tie = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert tie.returncode == 1 and "not promoted: 'macro_f1 > last' does not hold" in tie.stderr


CONTINUED = (
    TRAINED.replace("{min_count: 1}", "{min_count: 1, rule: extend}")
    .replace("buckets: 10}}", "buckets: 10}, start: warm, embedding: {from: embed}}")
    .replace("train:\n", "  embed:   {do: text.embed, from: tensors, rule: extend, size: 4, sample: 0}\ntrain:\n")
    .replace("params: {embedding: 4, ", "params: {")
)


@pytest.mark.slow
def test_a_date_goes_on_from_what_was_promoted_before_it(folder: Path) -> None:
    (folder / "daily.yaml").write_text(CONTINUED)
    with (folder / "days/2026-01-02.jsonl").open("a") as lines:
        lines.writelines(json.dumps({"text": f"new tokens {row}", "label": "b"}) + "\n" for row in range(20))
    for date in ("2026-01-01", "2026-01-02"):
        done = daily(folder, "--date", date, "--set", "promote.if=rows > 0")
        assert done.returncode == 0, done.stdout + done.stderr
    assert "extends the vocabulary of version 1 of 2026-01-01" in done.stdout
    first, second = (json.loads(file.read_text()) for file in sorted(folder.glob("runs/shop/*/run.json")))
    assert first["started_from"] is None and second["started_from"] == {"version": 1, "date": "2026-01-01"}
    outputs = [{step["step"]: Path(folder, step["output"]) for step in run["steps"]} for run in (first, second)]
    before, now = ((found["tensors"] / "vocabulary.tsv").read_text().splitlines() for found in outputs)
    names = [[line.partition("\t")[0] for line in lines] for lines in (before, now)]
    assert names[1][: len(names[0])] == names[0] and "new" in names[1][len(names[0]) :], "ids stay, new ones follow"
    kept = [np.load(found["embed"] / "matrix.npy")[2 : 2 + len(names[0])] for found in outputs]
    assert (kept[0] == kept[1]).all()
    told = json.loads((outputs[1]["train.m"] / "history.json").read_text())["started_from"]
    assert told == {"ids_known": len(names[0]), "ids": len(names[1]), "labels_known": 1}
    published = [path.name for path in sorted((folder / "runs/models/shop").iterdir())]
    for date in ("2026-01-01", "2026-01-02"):
        again = daily(folder, "--date", date, "--set", "promote.if=rows > 0", "--json")
        assert json.loads(again.stdout)[0]["action"] == "reused", again.stdout + again.stderr
    assert [path.name for path in sorted((folder / "runs/models/shop").iterdir())] == published


@pytest.mark.slow
def test_a_fixed_vocabulary_lets_a_date_copy_what_earlier_ones_have(folder: Path) -> None:
    by_date = CONTINUED.replace("parts: {", "exact: false, parts: {").replace("rule: extend", "rule: fixed")
    (folder / "daily.yaml").write_text(by_date)
    for date in ("2026-01-01", "2026-01-02"):
        done = daily(folder, "--date", date, "--set", "promote.if=rows > 0")
        assert done.returncode == 0, done.stdout + done.stderr
    first, second = (json.loads(file.read_text()) for file in sorted(folder.glob("runs/shop/*/run.json")))
    before, now = (
        next(Path(folder, step["output"]) for step in run["steps"] if step["step"] == "tensors")
        for run in (first, second)
    )
    assert [len(json.loads((output / "tensors.json").read_text())["segments"]) for output in (before, now)] == [1, 2]
    old = {file.relative_to(before): file.read_bytes() for file in before.rglob("*.parquet")}
    assert old and all((now / name).read_bytes() == content for name, content in old.items())
    assert len(list((now / "train").iterdir())) == 2 * len(list((before / "train").iterdir()))


def test_days_with_kills_damage_and_late_rows_lose_and_double_nothing(tmp_path: Path) -> None:
    found = simulate(tmp_path, days=3, seed=11)
    assert found["dates"] == 3 and found["lost_or_doubled"] == 0
    assert found["damaged"] == found["started_twice"] == found["late"] == found["dates_with_kills"] == 1
