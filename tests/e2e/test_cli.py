"""The whole way from raw text to a report, and what a user reads when the input is bad."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.e2e.conftest import Project, utterances


def lines(number: int = 60) -> list[bytes]:
    return [json.dumps(record, ensure_ascii=False).encode() for record in utterances(number)]


def test_a_run_ends_with_metrics_and_a_report_and_a_second_one_reuses_everything(project: Project) -> None:
    done = project.textmill("run", "small.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    report = Path(project.folder, re.findall(r"report: (\S+)", done.stdout)[0])
    assert "evaluate.bigru" in done.stdout and report.read_text(encoding="utf-8").count("<section") >= 5
    record = json.loads(project.textmill("show", "--json").stdout)
    assert record["status"] == "done" and 0 <= record["metrics"]["bigru"]["accuracy"] <= 1
    stats = json.loads((report.parent / "stats.json").read_text(encoding="utf-8"))
    assert sum(stats["clean"]["parts"]["rows"]["labels"].values()) == 60 and "tensors" in stats
    assert json.loads(project.textmill("show", "--step", "clean", "--json").stdout) == stats["clean"]
    shown = project.textmill("show", "--step", "clean").stdout
    assert "rows: 60 rows" in shown and "writing   hangul 60" in shown and "delivery 20, refund 20, stock 20" in shown
    refused = project.textmill("show", "--step", "cleen")
    assert refused.returncode == 2 and "has no step 'cleen'" in refused.stderr

    again = project.textmill("run", "small.yaml")
    assert again.returncode == 0 and "0 of 8 steps to run" in again.stdout
    assert not list(project.folder.glob("runs/small/*/spark.log"))[1:], "a run that reuses everything starts no JVM"
    planned = project.textmill("plan", "small.yaml").stdout.splitlines()
    assert {line.split()[0] for line in planned} == {"reuse"}

    changed = project.textmill("plan", "small.yaml", "--set", "steps.tensors.length=12", "--set", "root=runs")
    runs = [line.split()[1] for line in changed.stdout.splitlines() if line.startswith("run")]
    assert runs == ["tensors", "train.bigru", "evaluate.bigru"]
    assert "parameter length changed 16 → 12" in changed.stdout


def test_no_held_out_text_is_in_train(project: Project) -> None:
    import pyarrow.dataset as ds

    # A template that makes the very text of seed utterances: the split can't know, so tokenize must find them.
    said = "택배가 언제 오는지 궁금해요 ({}) delivery\n".format("|".join(f"{n}번째" for n in range(20)))
    with (project.folder / "t.txt").open("a", encoding="utf-8") as templates:
        templates.write("[delivery]\n" + said)
    done = project.textmill("run", "small.yaml", "--to", "tokens")
    assert done.returncode == 0, done.stdout + done.stderr
    (folder,) = (project.folder / "runs/store/text.tokenize").glob("[0-9a-f]*[0-9a-f]")
    tokens = {
        part: {tuple(row) for row in ds.dataset(folder / part).to_table()["tokens"].to_pylist()}
        for part in ("train", "valid", "test")
    }
    assert tokens["test"] and not tokens["train"] & tokens["test"] and not tokens["train"] & tokens["valid"]
    peeked = project.textmill("peek", "small.yaml", "tokens", "--dropped", "leak", "-n", "50")
    assert "reason=leak" in peeked.stdout and "택배가 언제 오는지 궁금해요" in peeked.stdout


def test_broken_lines_below_the_limit_are_set_aside_and_counted(project: Project) -> None:
    project.records([*lines(), *[b'{"text": "cut off'] * 3])
    done = project.textmill("run", "small.yaml", "--to", "clean")
    assert done.returncode == 0 and "3 dropped" in done.stdout
    peeked = project.textmill("peek", "small.yaml", "clean", "--dropped", "broken_json")
    assert "reasons: broken_json 3" in peeked.stdout and peeked.stdout.count('text={"text": "cut off') == 3


def test_broken_lines_above_the_limit_stop_the_run_and_say_where_to_look(project: Project) -> None:
    project.records([*lines(), *[b'{"text": "cut off'] * 3])
    done = project.textmill(
        "run", "small.yaml", "--to", "split", "--set", "inputs.chats.max_bad=2%", "--set", "root=runs"
    )
    assert done.returncode == 1
    first, last = done.stderr.strip().splitlines()[0], done.stderr.strip().splitlines()[-1]
    assert "3 of 63 records of chats (4.8%) can't be read, more than max_bad 2.0% (3 broken_json), the first broken_json at chats.jsonl:" in first
    assert "textmill peek small.yaml clean --dropped broken_json" in first
    assert last.startswith("resume: ") and "run small.yaml --to split" in last


def test_a_label_with_one_example(project: Project) -> None:
    project.records([*lines(), json.dumps({"text": "혼자예요", "intent": "lonely"}).encode()])
    done = project.textmill("run", "small.yaml", "--to", "split")
    assert done.returncode == 2
    assert "step split: 1 label with fewer than min_per_label 2 examples: 'lonely' (1)" in done.stderr


def test_invalid_utf8_and_a_huge_line_are_reasons_not_crashes(project: Project) -> None:
    huge = json.dumps({"text": "x" * 10_000_000, "intent": "delivery"}).encode()
    project.records([*lines(), b'{"text": "\xff\xff", "intent": "delivery"}', huge])
    done = project.textmill("run", "small.yaml", "--to", "clean")
    assert done.returncode == 0, done.stderr
    manifest = json.loads(next((project.folder / "runs/store/text.clean").glob("*/manifest.json")).read_text())
    assert manifest["stats"]["reasons"] == {"invalid_utf8": 1, "record_too_long": 1}


def test_a_failing_check_stops_before_the_next_step(project: Project) -> None:
    with project.definition.open("a") as definition:
        definition.write("checks: {dedup: [rows > 1000]}\n")
    done = project.textmill("run", "small.yaml")
    assert done.returncode == 1 and "step dedup: check 'rows > 1000' does not hold: rows is 60" in done.stderr
    assert not (project.folder / "runs/store/data.split").exists()


def test_input_problems_need_no_jvm(project: Project) -> None:
    done = project.textmill(
        "run", "small.yaml", "--set", "steps.clean.min_char=2", "--set", "inputs.chats.label=intend"
    )
    assert done.returncode == 2 and not (project.folder / "runs").exists()
    assert "--set steps.clean.min_char: unknown key, did you mean 'min_chars'?" in done.stderr
    assert "no column 'intend' for label, did you mean 'intent'?" in done.stderr


def test_schema_accepts_the_definitions_of_the_project(project: Project) -> None:
    import jsonschema
    import yaml

    from tests.e2e.conftest import CONF

    schema = json.loads(project.textmill("schema").stdout)
    validator = jsonschema.Draft202012Validator(schema)
    for path in (project.definition, *CONF.glob("*.yaml")):
        assert [
            error.message for error in validator.iter_errors(yaml.safe_load(path.read_text(encoding="utf-8")))
        ] == []
    assert list(
        validator.iter_errors(
            {"name": "x", "inputs": {}, "steps": {"a": {"do": "text.clean", "from": "b", "mask": ["nose"]}}}
        )
    )


def test_interrupting_says_how_to_go_on(project: Project) -> None:
    import os
    import signal

    process = project.start("run", "small.yaml", root="runs")
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("clean"):
            break
    os.kill(process.pid, signal.SIGINT)
    rest = process.communicate(timeout=60)[0]
    assert process.returncode == 130 and "resume" in rest
    assert json.loads(project.textmill("show", "--json").stdout)["status"] == "interrupted"


def test_doctor_finds_nothing_wrong(project: Project) -> None:
    done = project.textmill("doctor")
    assert done.returncode == 0, done.stdout
    assert "engine local" in done.stdout
