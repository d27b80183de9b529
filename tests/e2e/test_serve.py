"""A published model over HTTP and on a table, each as a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import schemathesis
from hypothesis import given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from benchmarks.published import publish
from models import scoring
from pipelines.versions import Versions
from tests.e2e.conftest import TEXTMILL

TOKENS = ["택배", "언제", "오", "환불", "받", "싶", "재고", "있", "가방", "연필", "<phone>"]
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]
LABELS = ["delivery", "refund", "stock"]
TEXTS = [
    "택배가 언제 오나요",
    "환불 받고 싶어요",
    "재고 있나요?",
    "  가방   재고  ",
    "ＡＢＣ 연필",
    "제 번호는 010-1234-5678",
    "ㅋㅋㅋ",
    "!!!",
    "",
    "\u200b",
    "가" * 400,
    '"따옴표", 쉼표\n줄',
    "👍🏽 좋아요",
]


class Server:
    """`textmill serve` in a process."""

    def __init__(self, root: Path, *more: str, log: Path | None = None) -> None:
        command = [str(TEXTMILL), "serve", "m", "--port", "0", "--watch", "0.2", "--root", str(root), *more]
        with contextlib.nullcontext() if log is None else log.open("w") as stderr:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True)
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        self.url = re.findall(r"http://127\.0\.0\.1:\d+", said)[0]

    def get(self, path: str) -> str:
        """The body of an answer."""
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            return str(answer.read().decode())

    def figure(self, name: str) -> float:
        """The value of a figure without labels."""
        return float(re.findall(rf"^{name} (\S+)$", self.get("/metrics"), re.MULTILINE)[0])

    def predict(self, texts: list[str]) -> dict[str, Any]:
        """The answer to a request."""
        body, headers = json.dumps({"texts": texts}).encode(), {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(self.url + "/predict", body, headers), timeout=60) as answer:
            return dict(json.loads(answer.read()))

    def status(self, body: bytes, **headers: str) -> int:
        """The status of the answer to a body."""
        given = {"Content-Type": "application/json", **headers}
        try:
            with urllib.request.urlopen(
                urllib.request.Request(self.url + "/predict", body, given), timeout=60
            ) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            assert "error" in json.loads(error.read())
            return error.code

    def health(self) -> tuple[int, dict[str, Any]]:
        """Status and body of /healthz."""
        try:
            with urllib.request.urlopen(self.url + "/healthz", timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def analysis(self) -> int:
        """The process id of its analysis chain."""
        told = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, check=True)
        (pid,) = map(int, told.stdout.split())
        return pid

    def stop(self) -> int:
        """Its exit status after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=60)
        return self.process.returncode


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("runs")
    publish(found, "m", TOKENS, LABELS, seed=1)
    return found


@pytest.fixture
def server(root: Path) -> Iterator[Server]:
    started = Server(root)
    yield started
    assert started.stop() == 0


def test_predictions_over_http_are_those_of_batch_scoring(server: Server, root: Path, tmp_path: Path) -> None:
    lines = [json.dumps({"text": text, "n": number}) for number, text in enumerate(TEXTS)]
    (tmp_path / "in.jsonl").write_text("\n".join(lines) + "\n")
    command = [str(TEXTMILL), "score", "m", "in.jsonl", "out", "--id", "n", "--as", "json", "--root", str(root)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [json.loads(line) for file in (tmp_path / "out").glob("*.json") for line in file.read_text().splitlines()]
    scored = {int(row["id"]): row for row in rows}
    assert len(rows) == len(scored) == len(TEXTS) and f"{len(TEXTS)} rows" in done.stdout
    served = server.predict(TEXTS)["predictions"]
    assert {text["label"] for text in served} > {None}
    for number, one in enumerate(served):
        assert (one["label"], one["reason"]) == (scored[number].get("predicted"), scored[number].get("reason"))
        assert one["confidence"] == pytest.approx(scored[number].get("confidence"), abs=1e-5)
        assert scored[number]["text"] == TEXTS[number], "the text as it came"
    alone = [server.predict([text])["predictions"][0]["label"] for text in TEXTS]
    assert alone == [one["label"] for one in served], "a prediction does not depend on what is asked beside it"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b'{"texts": [', 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b'{"texts": ["\\ud800"]}', 400),
        (b"null", 422),
        (b'{"texts": []}', 422),
        (b'{"texts": [1]}', 422),
        (b'{"texts": ["a"], "more": 1}', 422),
        (json.dumps({"texts": ["a"] * 257}).encode(), 422),
        (json.dumps({"texts": ["a" * 10_001]}).encode(), 422),
        (b" " * (1 << 20) + b"1", 413),
        (b'{"texts": ["a\\u0000b"]}', 200),
    ],
)
def test_a_bad_request_is_told_what_is_wrong(server: Server, body: bytes, status: int) -> None:
    assert server.status(body) == status
    assert server.status(b'{"texts": ["x"]}') == 200


def test_a_body_that_is_not_what_its_headers_say_is_refused(server: Server) -> None:
    assert server.status(b"texts=x", **{"Content-Type": "application/x-www-form-urlencoded"}) == 415
    assert server.status(b"not gzip", **{"Content-Encoding": "gzip"}) == 415
    assert server.status(b'{"texts": ["x"]}', Host="evil.example") == 403
    assert server.status(b'{"texts": ["x"]}', Origin="http://evil.example") == 403
    assert server.status(b'{"texts": ["x"]}', Origin=server.url) == 200
    assert json.loads(server.get("/healthz"))["status"] == "ok"


def test_no_request_that_the_description_allows_or_forbids_ends_in_a_server_error(server: Server) -> None:
    schema, seen = schemathesis.openapi.from_url(server.url + "/openapi.json"), set()

    def fuzz(case: schemathesis.Case) -> None:
        response = case.call()
        seen.add(response.status_code)
        case.validate_response(response, checks=CHECKS)

    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in (
            schemathesis.GenerationMode if operation.method == "post" else [schemathesis.GenerationMode.POSITIVE]
        ):
            strategy = operation.as_strategy(generation_mode=mode)
            settings(max_examples=60, derandomize=True)(given(case=strategy)(fuzz))()
    assert {200, 422} <= seen


def test_a_swap_under_load_drops_no_request(tmp_path: Path) -> None:
    publish(tmp_path, "m", TOKENS, LABELS, seed=1)
    server, answers, failures, done = Server(tmp_path), [], [], threading.Event()

    def ask() -> None:
        while not done.is_set():
            try:
                answers.append(server.predict(TEXTS[:3])["version"])
            except OSError as error:
                failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        publish(tmp_path, "m", TOKENS, LABELS, seed=2)
        until(lambda: answers and answers[-1] == 2)
        Versions(tmp_path, "m").rollback()
        until(lambda: answers[-1] == 1)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert not failures and set(answers) == {1, 2} and 'textmill_swaps_total{result="done"} 2' in server.get("/metrics")
    assert server.stop() == 0


def test_a_damaged_version_is_not_served(tmp_path: Path) -> None:
    publish(tmp_path, "m", TOKENS, LABELS, seed=1)
    server = Server(tmp_path)
    made = publish(tmp_path, "n", TOKENS, LABELS, seed=2)
    (made.folder / "labels.json").write_text('["x"]')
    made.folder.rename(tmp_path / "models/m/2")
    (tmp_path / "models/m/current.json").write_text('{"version": 2, "since": "now", "history": [1, 2]}')
    until(lambda: 'textmill_swaps_total{result="failed"} 1' in server.get("/metrics"))
    assert server.predict(["택배"])["version"] == 1
    assert server.stop() == 0


def test_nothing_found_in_the_folder_of_versions_ends_the_watch(tmp_path: Path) -> None:
    publish(tmp_path, "m", TOKENS, LABELS, seed=1)
    server = Server(tmp_path, "--request-seconds", "3", "--allow-host", "model.example", log=tmp_path / "log")
    assert server.status(b'{"texts": ["x"]}', Host="model.example") == 200
    slow = [socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) for _ in range(600)]
    for one in slow:
        with contextlib.suppress(ConnectionError):  # it made room for another
            one.sendall(b"POST /predict HTTP/1.1\r\nHost:")
    assert server.predict(["택배"])["version"] == 1
    for one in slow:
        with contextlib.suppress(ConnectionError):
            assert not one.recv(1 << 16) or not one.recv(1 << 16), "the end of a slow connection"
        one.close()
    current = tmp_path / "models/m/current.json"
    good = current.read_text()
    current.write_text("[1]")
    until(lambda: server.health()[1]["status"] == "behind")
    assert server.health()[0] == 200 and "current.json" in server.health()[1]["problems"][0]
    assert 'textmill_bad_version{version="current.json"} 1.0' in server.get("/metrics")
    current.write_text(good)
    until(lambda: server.health()[1]["status"] == "ok")
    publish(tmp_path, "m", TOKENS, LABELS, seed=2)
    until(lambda: server.predict(["택배"])["version"] == 2)
    assert server.stop() == 0
    said = (tmp_path / "log").read_text()
    assert "current.json" in said and "version 2 answers, before it version 1" in said


def test_an_analysis_process_that_hangs_or_dies_is_started_again_and_named_while_it_cannot_be(tmp_path: Path) -> None:
    folder = publish(tmp_path, "m", TOKENS, LABELS, seed=1).folder
    server = Server(tmp_path, "--chain-seconds", "10")
    os.kill(server.analysis(), signal.SIGSTOP)
    assert server.predict(["택배"])["version"] == 1
    until(lambda: server.figure("textmill_chain_restarts") == 1)
    away = folder.rename(tmp_path / "away")
    os.kill(server.analysis(), signal.SIGKILL)
    until(lambda: server.health()[0] == 503)
    assert server.health()[1]["status"] == "down" and server.figure("textmill_up") == 0
    assert server.status(b'{"texts": ["x"]}') == 503
    away.rename(folder)
    until(lambda: server.health()[1]["status"] == "ok")
    assert server.predict(["택배"])["version"] == 1
    assert server.stop() == 0


def test_tensorflow_serving_can_run_the_saved_model_as_it_is(root: Path, tmp_path: Path) -> None:
    """By tag and signature in a session, which is how Serving's loader runs one; saved_model_cli does the same."""
    version = Versions(root, "m").current()
    assert version is not None
    folder, length = (
        Path(str(version.folder)) / "saved_model",
        json.loads((version.folder / "tensors.json").read_text())["length"],
    )
    rows = np.arange(3 * length, dtype=np.int32).reshape(3, length) % (len(TOKENS) + 2)
    np.save(tmp_path / "rows.npy", rows)
    command = [str(TEXTMILL.with_name("saved_model_cli")), "run", "--dir", str(folder), "--tag_set", "serve"]
    command += ["--signature_def", "serving_default", "--inputs", f"ids={tmp_path}/rows.npy", "--outdir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = np.load(tmp_path / "probabilities.npy")
    assert found.shape == (3, len(LABELS)) and np.allclose(found.sum(axis=1), 1, atol=1e-5)
    assert np.allclose(found, scoring.load(folder, 1)(rows), atol=1e-6)


def test_what_was_asked_before_the_end_is_answered(root: Path) -> None:
    server, answers = Server(root), []

    def ask() -> None:
        answers.append(len(server.predict(TEXTS[:8] * 32)["predictions"]))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    until(lambda: server.figure("textmill_predict_open") + len(answers) == 8)
    server.process.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join()
    assert answers == [256] * 8 and server.stop() == 0


def test_a_model_that_was_never_published_is_named(tmp_path: Path) -> None:
    command = [str(TEXTMILL), "serve", "nothing", "--port", "0", "--root", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1 and "models/nothing: no version was published" in done.stderr


def until(holds: Any) -> None:
    """Wait for it; the test's own time limit ends what never comes."""
    while not holds():
        time.sleep(0.05)
