"""What the message about too many bad records names; no Spark."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import unreadable
from pipelines.definition import load
from pipelines.keys import because
from spark_jobs.base import digest

DEFINITION = """
name: m
inputs: {chats: {path: in.tsv, format: csv, delimiter: "\\t", max_bad: 1%}}
steps: {clean: {do: text.clean, from: chats}}
"""


class Zeros(dict[Path, str]):
    def of(self, files: tuple[Path, ...]) -> dict[Path, str]:
        return dict.fromkeys(files, "0")


def definition(folder: Path, content: str = "text\tlabel\na\tb\n") -> Path:
    (folder / "in.tsv").write_text(content)
    (folder / "d.yaml").write_text(DEFINITION)
    return folder / "d.yaml"


def test_an_open_quote_is_named_with_its_line_and_what_to_write(tmp_path: Path) -> None:
    pipeline = load(definition(tmp_path))
    rows = {"id": ["in.tsv:1", "in.tsv:9 (quote opened in line 10)"], "reason": ["too_short", "open_quote"]}
    pq.write_table(pa.table(rows), tmp_path / "0.parquet")
    manifest = {"stats": {"reasons": {"open_quote": 1, "too_short": 1}},
                "parts": {"rows": {"rows": 48, "files": []}, "dropped": {"rows": 2, "files": ["0.parquet"]}}}  # fmt: skip
    message = unreadable.too_many(pipeline, pipeline.nodes["clean"], manifest, tmp_path)
    assert message is not None
    assert "1 of 50 records of chats (2.0%) can't be read, more than max_bad 1.0% (1 open_quote)" in message
    assert "the first open_quote at in.tsv:9 (quote opened in line 10); if quotes are text" in message
    assert "write quote: null in the input" in message and "peek" in message
    manifest["parts"]["rows"]["rows"] = 98
    assert unreadable.too_many(pipeline, pipeline.nodes["clean"], manifest, tmp_path) is None


def test_quotes_are_part_of_the_key_only_where_they_differ_from_the_default(tmp_path: Path) -> None:
    file = definition(tmp_path)
    keys = [
        digest(because(load(file, sets=sets), "jar", Zeros()))  # type: ignore[arg-type]
        for sets in ([], ['inputs.chats.quote="'], ["inputs.chats.quote=null"], ["inputs.chats.quote='"])
    ]
    assert keys[0] == keys[1] and len(set(keys)) == 3
    reading = load(file).inputs["chats"].reading
    assert set(reading) == {"format", "text", "label", "id", "delimiter", "max_record_bytes", "header", "sample", "seed"}


def test_blank_lines_before_the_header(tmp_path: Path) -> None:
    assert load(definition(tmp_path, " \n\ntext\tlabel\na\tb\n")).inputs["chats"].reading["header"] == ["text", "label"]
