"""Time of clean → dedup → split → populate → tokenize → encode, beside a single-core Python version of the same work.

.venv/bin/python benchmarks/prepare.py            1,649,415 utterances on local[2]
.venv/bin/python benchmarks/prepare.py --quick    200,000
… --records 10000000                              any other number
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil  # noqa: E402

from benchmarks import baseline, corpus  # noqa: E402
from pipelines import keys, plan, runs  # noqa: E402
from pipelines.definition import load  # noqa: E402
from pipelines.progress import Silent  # noqa: E402
from pipelines.runner import Runner  # noqa: E402
from pipelines.store import Store  # noqa: E402
from spark_jobs import installation, templates  # noqa: E402

DECK = 1_649_415
MADE_SHARE = 0.2
STEPS = ("clean", "dedup", "split", "populate", "tokens", "tensors")
DEFINITION = """
name: prepare
root: {root}
inputs:
  chats: {{path: {chats}, format: jsonl, label: intent}}
entities:
  PRODUCT: {{path: {conf}/dict/product.tsv, weight: clicks}}
  BRAND: {{path: {conf}/dict/brand.tsv}}
  COLOR: {{path: {conf}/dict/color.tsv}}
  SIZE: {{path: {conf}/dict/size.tsv}}
  COURIER: {{path: {conf}/dict/courier.tsv}}
  PAYMENT: {{path: {conf}/dict/payment.tsv}}
  PLACE: {{path: {conf}/dict/place.tsv}}
  DAY: {{path: {conf}/dict/day.tsv}}
steps:
  clean: {{do: text.clean, from: chats, mask: [card, phone, order_no], max_chars: 300}}
  dedup: {{do: text.dedup, from: clean}}
  split: {{do: data.split, from: dedup, parts: {{train: 0.9, valid: 0.05, test: 0.05}}}}
  populate:
    {{do: text.populate, from: split.train, templates: {conf}/templates/intent_ko.txt, amount: {{total: {made}, short: all}}}}
  tokens: {{do: text.tokenize, from: [populate, split.valid, split.test], analyzer: nori, user_dict: PRODUCT}}
  tensors: {{do: tensor.encode, from: tokens, vocabulary: {{max: 50000, min_count: 3}}, length: 24}}
profiles:
  local: {{spark: {{master: "local[2]", memory: 2g}}}}
"""


class Peak(threading.Thread):
    """Watches the memory (resident set) of this process and its children, the JVM among them, and the JVM's CPU time."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.jvm, self.python, self.both, self._done = 0, 0, 0, threading.Event()
        self.cpu_seconds = 0.0

    def run(self) -> None:
        """Sample until stopped."""
        me = psutil.Process()
        while not self._done.wait(0.2):
            sizes = {"jvm": 0, "python": 0}
            for process in (me, *me.children(recursive=True)):
                try:
                    used = process.memory_info().rss
                    if process.name() == "java":
                        # A copy of it for a moment, where it starts another program, is no memory of its own.
                        sizes["jvm"] = max(sizes["jvm"], used)
                        self.cpu_seconds = max(self.cpu_seconds, sum(process.cpu_times()[:2]))
                    else:
                        sizes["python"] += used
                except psutil.NoSuchProcess:
                    continue
            self.jvm, self.python = max(self.jvm, sizes["jvm"]), max(self.python, sizes["python"])
            self.both = max(self.both, sum(sizes.values()))

    def stop(self) -> None:
        """Stop sampling."""
        self._done.set()
        self.join()


def textmill(folder: Path, made: int) -> tuple[dict[str, Any], float, Peak]:
    """Run the pipeline; seconds by step, seconds to start Spark, peak memory."""
    path = folder / "prepare.yaml"
    path.write_text(DEFINITION.format(root=folder / "runs", chats=folder / "chats", conf=corpus.CONF, made=made))
    return run_all(path)


def run_all(definition: Path) -> tuple[dict[str, Any], float, Peak]:
    """Run every step of a definition; the steps by name, seconds to start Spark, peak memory."""
    pipeline = load(definition)
    store = Store(pipeline.root)
    reasons = keys.because(pipeline, keys.of_jar(installation.jar()), store.digests)
    planned = plan.make(pipeline, reasons, lambda op, key: plan.ABSENT, {})
    run = runs.Run.start(pipeline.root, pipeline.definition.name)
    runner, peak = Runner(pipeline, reasons, store, run, Silent()), Peak()
    peak.start()
    started = time.perf_counter()
    runner.start_spark()
    session = time.perf_counter() - started
    runner.execute(planned)
    peak.stop()
    return {step["step"]: step for step in run.record["steps"]}, session, peak


def python(folder: Path, sample: int, tokenizer: baseline.Tokenizer) -> baseline.Timed:
    """The Python version on the first `sample` records, populating in the same proportion."""
    lists = corpus.entities()
    parsed = templates.parse(corpus.CONF / "templates/intent_ko.txt", lists)
    started = time.perf_counter()
    made = baseline.populate(parsed, lists, int(sample * MADE_SHARE))
    populated = time.perf_counter() - started
    timed = baseline.prepare(sorted((folder / "chats").iterdir()), sample, made, tokenizer, 24)
    return baseline.Timed(timed.records, {**timed.seconds, "populate": timed.seconds["populate"] + populated})


def mecab() -> baseline.Tokenizer:
    """Morphemes by mecab-ko."""
    from mecab import MeCab

    return MeCab().morphs  # type: ignore[no-any-return]


def kiwi() -> baseline.Tokenizer:
    """Morphemes by kiwi, on one thread as the others."""
    from kiwipiepy import Kiwi

    analyzer = Kiwi(num_workers=1)
    return lambda text: [token.form for token in analyzer.tokenize(text)]


def main() -> None:
    """Run both, print a table and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--records", type=int)
    given = parser.parse_args()
    records = given.records or (200_000 if given.quick else DECK)
    sample = min(records, 20_000 if given.quick else 100_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "chats").mkdir()
        corpus.write(folder / "chats", records)
        steps, session, peak = textmill(folder, int(records * MADE_SHARE))
        slow, slower = python(folder, sample, mecab()), python(folder, sample // 10, kiwi())
    report(records, steps, session, peak, slow, slower)


def report(
    records: int, steps: dict[str, Any], session: float, peak: Peak, slow: baseline.Timed, slower: baseline.Timed
) -> None:
    """Print the figures."""
    through = records * (1 + MADE_SHARE)
    seconds = sum(steps[step]["seconds"] for step in STEPS)
    print(
        f"{records:,} raw utterances, {int(records * MADE_SHARE):,} populated; local[2]; Spark's start {session:.1f} s apart"
    )
    print(f"{'step':<10}{'seconds':>10}{'records/s':>12}{'Python records/s':>18}   rows")
    for step in STEPS:
        rows = sum(steps[step]["rows"].values())
        rate, plain = rows / steps[step]["seconds"], slow.records / max(1e-9, slow.seconds[step])
        print(f"{step:<10}{steps[step]['seconds']:>10.1f}{rate:>12,.0f}{plain:>18,.0f}   {steps[step]['rows']}")
    rate, plain = through / seconds, slow.records / sum(slow.seconds.values())
    kiwis = slower.records / sum(slower.seconds.values())
    print(f"{'all':<10}{seconds:>10.1f}{rate:>12,.0f}{plain:>18,.0f}   (with kiwi {kiwis:,.0f})")
    print(f"peak memory: JVM {peak.jvm / 2**30:.2f} GiB, Python {peak.python / 2**30:.2f} GiB")
    figures = {
        "records": records,
        "seconds": round(seconds, 1),
        "records_per_s": round(rate),
        "ratio_python": round(rate / plain, 1),
        "ratio_kiwi": round(rate / kiwis, 1),
        "peak_gib": round(peak.both / 2**30, 2),
        "session_s": round(session, 1),
        "load_1m": round(os.getloadavg()[0], 2),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
