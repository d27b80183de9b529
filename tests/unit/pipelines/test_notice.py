"""What others are told of daily runs."""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from pipelines import notice
from pipelines.model import Notify
from pipelines.report.history import write_history

TOLD = {"pipeline": "m", "date": "2026-01-01", "error": "가", "resume": "textmill daily m.yaml"}
RECORD: dict[str, Any] = {
    "run": "20260102-030000-abcd", "date": "2026-01-02", "status": "done", "seconds": 61.5, "report": "r.html",
    "finished": "2026-01-02T03:01:01+00:00", "metrics": {"bigru": {"rows": 10, "accuracy": 0.9, "macro_f1": 0.8, "gold.rows": 4, "gold.accuracy": 0.75}},
    "steps": [{"op": "text.clean", "rows": {"rows": 1200, "dropped": 3}}], "drift": {"class_balance_change": 0.25},
    "promotion": {"promoted": True, "version": 7, "why": "better"},
}  # fmt: skip


def test_a_webhook_and_a_command_get_what_happened(tmp_path: Path) -> None:
    got: list[Any] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: the test's output is not a log."""

    server = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    copy = "import sys; open(sys.argv[1], 'wb').write(sys.stdin.buffer.read())"
    command = (sys.executable, "-c", copy, str(tmp_path / "told"))
    try:
        url = f"http://127.0.0.1:{server.server_port}/"
        assert notice.failed(Notify(webhook=url, command=command), TOLD) == []
    finally:
        server.shutdown()
        server.server_close()
    assert got == [TOLD] and json.loads((tmp_path / "told").read_text()) == TOLD
    problems = notice.failed(Notify(webhook=url, command=("/nothing/there",)), TOLD)
    assert len(problems) == 2 and "webhook was not reached" in problems[0] and "command of notify" in problems[1]


def test_the_figures_are_what_prometheus_reads(tmp_path: Path) -> None:
    file = tmp_path / "collector/m.prom"
    notice.write_metrics(file, "m", RECORD, False, {"mean_length": 12.5, "against": "2026-01-01"})
    families = text_string_to_metric_families(file.read_text())
    found = {(sample.name, *sorted(sample.labels.items())): sample.value for one in families for sample in one.samples}
    pipeline, train = ("pipeline", "m"), ("train", "bigru")
    assert found[("textmill_daily_failed", pipeline)] == 0 and found[("textmill_daily_seconds", pipeline)] == 61.5
    assert found[("textmill_daily_macro_f1", pipeline, train)] == 0.8
    assert found[("textmill_daily_accuracy", pipeline, ("set", "gold"), train)] == 0.75
    assert found[("textmill_daily_drift", ("figure", "mean_length"), pipeline)] == 12.5
    assert [path.name for path in file.parent.iterdir()] == ["m.prom"], "nothing half written is left for the collector"


def test_the_history_page_shows_each_date(tmp_path: Path) -> None:
    failed = {**RECORD, "date": "2026-01-01", "status": "failed", "metrics": {}, "report": None, "seconds": None}
    records = [("2026-01-02", RECORD), ("2026-01-01", {**failed, "promotion": {"promoted": False, "why": "<tie>"}})]
    write_history("m", records, tmp_path / "history.html")
    page = (tmp_path / "history.html").read_text()
    assert '<a href="20260102-030000-abcd/report.html">2026-01-02</a>' in page and "1,200" in page
    assert "gold 0.7500" in page and "version 7" in page and "0.8000" in page and "0.250" in page
    assert '<span class="badge failed">' in page and "&lt;tie&gt;" in page and "http" not in page.split("</style>")[1]


def test_no_value_becomes_a_line_of_its_own(tmp_path: Path) -> None:
    hostile = 'm"} 1\ntextmill_daily_failed{pipeline="other'
    record = {**RECORD, "metrics": {hostile: {"accuracy": 0.5, f"{hostile}.accuracy": 0.25}}}
    notice.write_metrics(tmp_path / "m.prom", hostile, record, False, {hostile: 1.0})
    samples = [one for family in text_string_to_metric_families((tmp_path / "m.prom").read_text()) for one in family.samples]
    assert {sample.labels["pipeline"] for sample in samples} == {hostile}
    assert {sample.labels.get("train") for sample in samples} == {hostile, None}
