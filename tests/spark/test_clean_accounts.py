"""text.clean counts what it read, and a day without records is one of no rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spark_jobs.base import InputFiles, Written
from spark_jobs.clean import Clean, _account
from spark_jobs.dedup import Dedup
from spark_jobs.split import Split
from tests.spark.conftest import Bench
from textmill.errors import InputError, StepFailed

READING = {"format": "jsonl", "text": "text", "label": "label", "id": None, "delimiter": ",", "max_record_bytes": 1 << 20,
           "header": None, "sample": None, "seed": 7}  # fmt: skip


def source(file: Path, may_be_empty: bool = False, **reading: Any) -> InputFiles:
    return InputFiles("chats", "rows", (file,), {**READING, **reading}, may_be_empty)


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_an_empty_day_has_no_rows_and_the_steps_after_it_go_on(bench: Bench, tmp_path: Path, content: str) -> None:
    (tmp_path / "in.jsonl").write_text(content)
    with pytest.raises(InputError, match="input chats: no record in .*in.jsonl"):
        bench.run(Clean(), [source(tmp_path / "in.jsonl")])
    quiet = bench.run(Clean(), [source(tmp_path / "in.jsonl", may_be_empty=True)])
    assert quiet.rows() == []
    (tmp_path / "day.jsonl").write_text("".join(f'{{"text": "text {n}", "label": "a"}}\n' for n in range(20)))
    full = bench.run(Clean(), [source(tmp_path / "day.jsonl")])
    first = bench.run(Dedup(), [quiet.source("dropped", "rows")], keep="earliest")
    both = bench.run(Dedup(), [full.source("rows", "rows"), first.source("dropped", "earlier.rows")], keep="earliest")
    assert len(both.rows()) == 20 and first.rows() == []
    assert bench.run(Split(), [first.source("dropped", "rows")], exact=False).rows("train") == []


def test_records_that_are_neither_rows_nor_dropped_are_a_failure(tmp_path: Path) -> None:
    given = source(tmp_path / "in.jsonl")
    _account([given], [3], Written({"rows": {"rows": 2}, "dropped": {"rows": 1}}))
    with pytest.raises(StepFailed, match="chats: 4 records were read and 3 written"):
        _account([given], [4], Written({"rows": {"rows": 2}, "dropped": {"rows": 1}}))


def test_parquet_is_counted_by_its_footers(bench: Bench, tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["a", None, "b"], "label": ["x", "y", None]}), tmp_path / "in.parquet")
    done = bench.run(Clean(), [source(tmp_path / "in.parquet", format="parquet")])
    assert len(done.rows()) == 1 and done.stats["reasons"] == {"missing_text": 1, "missing_label": 1}
