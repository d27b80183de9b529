"""Three hundred trainings on the development YARN cluster, an executor killed at a third and the driver at two thirds.

python -m benchmarks.sweep [--quick] [--trials 300]

It starts a cluster of its own, runs the sweep until both are killed, runs it again to its end, and looks whether any
trial that had ended ran again. Beside it the same training as a process that imports TensorFlow for itself. --quick has
30 trials on local[2] and kills the driver alone. The last line is one JSON object; seconds are those of a slot.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.subprocesses import environ
from models.sweep.space import Point
from models.sweep.trial import Limits, Plan
from pipelines.store import write_json
from scripts.dev_cluster import failures, lifecycle
from scripts.dev_cluster.cluster import Cluster, Sizes
from textmill.places import Place, place
from textmill.transfer import local_copy

TEXTMILL = Path(sys.executable).with_name("textmill")
JARS = f"local:{sys.prefix}/lib/python3.11/site-packages/pyspark/jars/*"
WORDS = {
    "delivery": "package courier parcel arrive",
    "refund": "money back return pay",
    "stock": "store shelf left have",
}
ENDED = re.compile(r" trial (\d{4}) (?:done|failed|stopped) after")
OVERHEAD = re.compile(r"overhead ([0-9.]+) s")
SETTLED_SECONDS = 8.0


def definition(root: str, trials: int, conf: Mapping[str, str]) -> dict[str, Any]:
    """Small tensors, and as many trials of small models as are asked for."""
    seeds = list(range(1, trials // 3 + 1))
    tried = [{"model": "fasttext", "params": {"embedding": [4, 8, 16], "buckets": [100]}, "settings": {"seed": seeds}}]
    return {
        "name": "many",
        "root": root,
        "inputs": {"chats": {"path": "chats.jsonl", "format": "jsonl", "label": "intent"}},
        "steps": {
            "clean": {"do": "text.clean", "from": "chats"},
            "split": {"do": "data.split", "from": "clean", "parts": {"train": 0.8, "valid": 0.1, "test": 0.1}},
            "tokens": {"do": "text.tokenize", "from": ["split.train", "split.valid", "split.test"], "leaks": "keep"},
            "tensors": {"do": "tensor.encode", "from": "tokens", "length": 8, "shards": 4},
        },
        "sweep": {"fast": {"from": "tensors", "trials": tried, "epochs": 2, "batch": 64, "time_limit": "5m"}},
        "profiles": {
            "local": {"spark": {"master": "local[2]", "memory": "1g"}},
            "yarn": {"spark": {"master": "yarn", "memory": "768m", "conf": dict(conf)}},
        },
    }


@dataclass
class Bench:
    """A folder with a definition, and the command line started in it."""

    folder: Path
    root: str
    environ: Mapping[str, str]
    profile: str

    def start(self, *words: str, profile: str | None = None) -> subprocess.Popen[bytes]:
        """`textmill run`, in a process group of its own."""
        command = [str(TEXTMILL), "run", "many.yaml", "--profile", profile or self.profile, *words]
        with (self.folder / "said.log").open("ab") as said:
            return subprocess.Popen(command, cwd=self.folder, env=self.environ, stdout=said, stderr=said,
                                    stdin=subprocess.DEVNULL, start_new_session=True)  # fmt: skip

    def run(self, *words: str, profile: str | None = None) -> float:
        """To its good end; the seconds."""
        began = time.monotonic()
        if self.start(*words, profile=profile).wait():
            raise RuntimeError((self.folder / "said.log").read_text(encoding="utf-8")[-3000:])
        return time.monotonic() - began

    def ended(self) -> set[str]:
        """The trials that are on record as ended."""
        return {file.stem for file in place(self.root).glob("store/model.sweep/*.checkpoints/ended/*.json")}

    def wait_for(self, trials: int, process: subprocess.Popen[bytes]) -> None:
        """Until so many have ended."""
        while len(self.ended()) < trials:
            if process.poll() is not None:
                raise RuntimeError(f"it was over before {trials} trials had ended")
            time.sleep(0.3)

    def logs(self) -> list[str]:
        """What each attempt at the sweep has logged, the first one first."""
        found = [
            file for folder in (self.folder / "cache", self.folder / "runs") for file in folder.rglob("sweep-fast.log")
        ]
        return [file.read_text(encoding="utf-8") for file in sorted(found, key=lambda file: file.stat().st_ctime)]

    def output(self) -> Place:
        """The sweep's output."""
        (manifest,) = place(self.root).glob("store/model.sweep/*/manifest.json")
        return manifest.parent


def main() -> None:
    """Prints what happened, and as its last line the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="30 trials on local[2]")
    parser.add_argument("--trials", type=int, default=300)
    given = parser.parse_args()
    figures = measured(30 if given.quick else given.trials, on_yarn=not given.quick)
    print(json.dumps({**figures, "load_1m": round(os.getloadavg()[0], 2)}))


def measured(trials: int, on_yarn: bool) -> dict[str, Any]:
    """Run all of it in a temporary folder."""
    folder = Path(tempfile.mkdtemp(prefix="textmill-sweep-"))
    try:
        with _cluster(folder / "c") if on_yarn else _nothing() as cluster:
            return _swept(_bench(folder, trials, cluster), trials, cluster)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _bench(folder: Path, trials: int, cluster: Cluster | None) -> Bench:
    texts = [
        {"text": f"{words[number % len(words)]} {words[number % 3]} number {number}", "intent": intent}
        for intent, said in WORDS.items()
        for words in [said.split()]
        for number in range(200)
    ]
    (folder / "chats.jsonl").write_text("".join(json.dumps(text) + "\n" for text in texts), encoding="utf-8")
    root = f"{cluster.hdfs}/many" if cluster else str(folder / "runs")
    if cluster:
        os.environ["HADOOP_CONF_DIR"] = f"{cluster.folder}/conf"  # this process reads the ledger on HDFS too
    conf = {
        "spark.executor.instances": "2", "spark.executor.cores": "1", "spark.executor.memoryOverhead": "1200m",
        "spark.executorEnv.HADOOP_CONF_DIR": f"{folder}/c/conf", "spark.yarn.jars": JARS,
        "spark.yarn.am.memory": "512m",
    }  # fmt: skip
    write_json(folder / "many.yaml", definition(root, trials, conf))  # JSON is YAML
    more = {"TEXTMILL_CACHE": str(folder / "cache"), "PYSPARK_PYTHON": sys.executable}
    if cluster:
        more |= dict.fromkeys(("HADOOP_CONF_DIR", "YARN_CONF_DIR"), f"{cluster.folder}/conf") | {
            "SPARK_LOCAL_IP": cluster.gateway
        }
    os.environ["TEXTMILL_CACHE"] = more["TEXTMILL_CACHE"]
    return Bench(folder, root, {**os.environ, **more}, "yarn" if cluster else "local")


def _swept(bench: Bench, trials: int, cluster: Cluster | None) -> dict[str, Any]:
    print(f"tensors after {bench.run('--to', 'tensors', profile='local'):.0f} s", flush=True)
    began, only = time.monotonic(), ("--only", "sweep.fast")
    driver = bench.start(*only)
    if cluster:
        bench.wait_for(trials // 3, driver)
        print(failures.kill(cluster, "executor", 1), flush=True)
    bench.wait_for(2 * trials // 3, driver)
    os.killpg(driver.pid, signal.SIGKILL)
    driver.wait()
    print("killed the driver", flush=True)
    time.sleep(SETTLED_SECONDS)  # executors notice, and what they put on record until then counts
    before = bench.ended()
    bench.run(*only)
    seconds = time.monotonic() - began
    print(f"{trials} trials, {len(before)} of them before the driver was killed: {seconds:.0f} s in all", flush=True)
    return _figures(bench, trials, before, seconds)


def _figures(bench: Bench, trials: int, before: set[str], seconds: float) -> dict[str, Any]:
    rows = [json.loads(line) for line in (bench.output() / "trials.jsonl").read_text(encoding="utf-8").splitlines()]
    first, second = bench.logs()
    counted = Counter(ENDED.findall(first)) + Counter(ENDED.findall(second))
    twice = {trial for trial, times in counted.items() if times > 1} | before & set(ENDED.findall(second))
    overheads = [float(OVERHEAD.findall(log)[-1]) for log in (first, second)]
    trial = statistics.median(row["seconds"] for row in rows)
    fresh = _fresh_process(bench)
    overhead = statistics.mean(overheads)
    print(f"{'a trial, from its fork to its end':40} {trial:7.2f} s\n{'beyond it, each attempt':40} {overheads} s\n"
          f"{'the same in a process of its own':40} {fresh:7.2f} s")  # fmt: skip
    return {
        "trials": len(rows), "done": sum(row["status"] == "done" for row in rows), "resumed": len(before),
        "ended_twice": len(twice), "wall_s": round(seconds, 1), "trial_s": round(trial, 3),
        "overhead_s": round(max(overheads), 3), "fresh_process_s": round(fresh, 3),
        "ratio_fresh_process": round((trial + overhead) / fresh, 3),
    }  # fmt: skip


def _fresh_process(bench: Bench) -> float:
    """Median seconds of three trainings as engine local has them: a process that imports TensorFlow first."""
    (described,) = place(bench.root).glob("store/tensor.encode/*/tensors.json")
    settings = {"epochs": 2, "batch": 64, "learning_rate": 1e-3, "seed": 7}
    plan, times = Plan("fast", settings, "macro_f1", 2, Limits()), []
    for number in range(3):
        out = bench.folder / f"fresh-{number}"
        out.mkdir()
        point = Point("fasttext", {"embedding": 8, "buckets": 100})
        job = plan.job(number, point, tensors=local_copy(described.parent), out=out, checkpoints=out, logs=out, threads=1)  # fmt: skip
        began = time.monotonic()
        command = [sys.executable, "-m", "models.engines.local_worker", job.to_json()]
        with subprocess.Popen(command, env=environ(), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout  # its standard input stays open: a worker whose parent is gone ends
            said = process.stdout.read()
        times.append(time.monotonic() - began)
        if process.returncode:
            raise RuntimeError(said.decode()[-3000:])
    return statistics.median(times)


@contextmanager
def _cluster(folder: Path) -> Iterator[Cluster]:
    try:
        yield lifecycle.start(folder, on_hosts=False, sizes=Sizes(memory=5120, vcores=2), wait=180, say=print)
    finally:
        lifecycle.stop(folder, print)


@contextmanager
def _nothing() -> Iterator[None]:
    yield None


if __name__ == "__main__":
    main()
