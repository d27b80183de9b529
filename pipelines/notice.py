"""What others are told of daily runs: a webhook or a command when one fails, and figures for Prometheus."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipelines.model import Notify
from pipelines.runs import Record
from textmill import places, quoting

_SECONDS = 30


def failed(notify: Notify, told: Mapping[str, Any]) -> list[str]:
    """Tell of a failure; what could not be told, for the run's own error is what matters and is raised after this."""
    content = json.dumps(told, ensure_ascii=False).encode()
    problems = []
    if notify.webhook:
        try:
            _post(notify.webhook, content)
        except (OSError, ValueError) as error:
            problems.append(f"the webhook was not reached: {places.brief(error)}")
    if notify.command:
        try:
            subprocess.run(notify.command, input=content, timeout=_SECONDS, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            problems.append(f"the command of notify failed: {places.brief(error)}")
    return problems


def _post(url: str, content: bytes) -> None:
    request = urllib.request.Request(url, content, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=_SECONDS):
        pass


def write_metrics(file: Path, name: str, record: Record | None, failed: bool, drift: Mapping[str, Any]) -> None:
    """Write the figures of a daily run for the text-file collector of Prometheus' node exporter, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    places.write_bytes(file, "\n".join([*_lines(name, record, failed, drift), ""]).encode())


def _lines(name: str, record: Record | None, failed: bool, drift: Mapping[str, Any]) -> Iterable[str]:
    label = _labels(pipeline=name)
    yield from ("# TYPE textmill_daily_failed gauge", f"textmill_daily_failed{label} {int(failed)}")
    if record is None:
        return
    yield from ("# TYPE textmill_daily_seconds gauge", f"textmill_daily_seconds{label} {record['seconds']}")
    finished = dt.datetime.fromisoformat(record["finished"]).timestamp()
    yield from (
        "# TYPE textmill_daily_finished_seconds gauge",
        f"textmill_daily_finished_seconds{label} {finished:.0f}",
    )
    for figure in ("rows", "accuracy", "macro_f1"):
        yield f"# TYPE textmill_daily_{figure} gauge"
        for train, scores in record["metrics"].items():
            for measured, value in scores.items():
                part, _, of = measured.rpartition(".")
                if of == figure:
                    of_part = {"set": part} if part else {}
                    yield f"textmill_daily_{figure}{_labels(pipeline=name, train=train, **of_part)} {value}"
    yield "# TYPE textmill_daily_drift gauge"
    for figure, value in drift.items():
        if isinstance(value, int | float):
            yield f"textmill_daily_drift{_labels(pipeline=name, figure=figure)} {value}"


def _labels(**given: str) -> str:
    return f"{{{','.join(f'{label}={quoting.prometheus(value)}' for label, value in given.items())}}}"
