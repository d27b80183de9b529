"""Records/s of text.embed's word2vec and GloVe, beside gensim's Word2Vec with 2 threads on the same rows.

.venv/bin/python benchmarks/embed.py              356,196 made utterances on local[2]
.venv/bin/python benchmarks/embed.py --quick      40,000
… --data FOLDER        JSON lines with a field text (and one to be the label: --label), all of them or --records
… --gensim PYTHON      the interpreter of an environment with gensim; this one by default
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pyarrow.parquet as pq  # noqa: E402

from benchmarks import corpus  # noqa: E402
from benchmarks.prepare import run_all  # noqa: E402

RECORDS, QUICK = 356_196, 40_000
SIZE, WINDOW, EPOCHS, NEGATIVE, MIN_COUNT, THREADS = 100, 5, 5, 5, 3, 2
DEFINITION = """
name: embed
root: {root}
inputs:
  chats: {{path: {chats}, format: jsonl, label: {label}, max_bad: 10%}}
steps:
  clean: {{do: text.clean, from: chats}}
  tokens: {{do: text.tokenize, from: {{train: clean}}, analyzer: nori, stop_tags: [E, J, SF, SP, SSC, SSO, SC, SE, SY]}}
  tensors: {{do: tensor.encode, from: tokens, vocabulary: {{min_count: {min_count}}}}}
  word2vec: {{do: text.embed, from: tensors, size: {size}, window: {window}, epochs: {epochs}, negative: {negative}}}
  glove: {{do: text.embed, from: tensors, method: glove, size: {size}, window: {window}}}
profiles:
  local: {{spark: {{master: "local[2]", memory: 2g}}}}
"""


def textmill(folder: Path, chats: Path, label: str) -> dict[str, Any]:
    """Run the pipeline; the steps by name."""
    path = folder / "embed.yaml"
    settings = {"size": SIZE, "window": WINDOW, "epochs": EPOCHS, "negative": NEGATIVE, "min_count": MIN_COUNT}
    text = DEFINITION.format(root=folder / "runs", chats=chats, label=label, **settings)
    path.write_text(text, encoding="utf-8")
    steps, _, _ = run_all(path)
    return steps


def write_rows(tokens: Path, path: Path) -> None:
    """The tokens of every row on a line."""
    with path.open("w", encoding="utf-8") as stream:
        for file in sorted((tokens / "train").glob("*.parquet")):
            for row in pq.read_table(file, columns=["tokens"])["tokens"].to_pylist():
                stream.write(" ".join(row) + "\n")


def gensim(python: str, rows: Path) -> dict[str, Any]:
    """What gensim needs for the same rows and parameters."""
    given = {"size": SIZE, "window": WINDOW, "epochs": EPOCHS, "negative": NEGATIVE, "threads": THREADS}
    named = [f"--{name}={value}" for name, value in {**given, "min-count": MIN_COUNT}.items()]
    script = Path(__file__).with_name("gensim_word2vec.py")
    done = subprocess.run([python, str(script), str(rows), *named], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def chats(folder: Path, given: argparse.Namespace) -> Path:
    """The folder of raw records: made ones, or the first of those given."""
    records = given.records or (QUICK if given.quick else RECORDS)
    if given.data and not (given.records or given.quick):
        return Path(given.data).resolve()
    made = folder / "chats"
    made.mkdir()
    if given.data:
        lines = itertools.islice(_lines(Path(given.data)), records)
        (made / "chats.jsonl").write_bytes(b"".join(lines))
    else:
        corpus.write(made, records)
    return made


def _lines(data: Path) -> Iterator[bytes]:
    for path in sorted(data.iterdir()):
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            yield from stream


def main() -> None:
    """Run both, print a table and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--records", type=int)
    parser.add_argument("--data")
    parser.add_argument("--label", default="intent")
    parser.add_argument("--gensim", default=sys.executable)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        steps = textmill(folder, chats(folder, given), given.label)
        write_rows(Path(steps["tokens"]["output"]), folder / "rows.txt")
        word2vec, glove = (described(steps[step]) for step in ("word2vec", "glove"))
        report(word2vec, glove, gensim(given.gensim, folder / "rows.txt"))


def described(step: dict[str, Any]) -> dict[str, Any]:
    """What a text.embed step says of itself."""
    found: dict[str, Any] = json.loads(Path(step["output"], "manifest.json").read_text(encoding="utf-8"))["stats"]
    return found


def report(word2vec: dict[str, Any], glove: dict[str, Any], baseline: dict[str, Any]) -> None:
    """Print the figures."""
    records, theirs = word2vec["records"], baseline["seconds"]
    print(
        f"{records:,} rows, {word2vec['tokens']:,} tokens in the vocabulary (gensim: {baseline['tokens']:,}); local[2]"
    )
    print(f"{'':<20}{'seconds':>10}{'records/s':>12}")
    for name, seconds in (("word2vec", word2vec["seconds"]), ("glove", glove["seconds"]), ("gensim word2vec", theirs)):
        print(f"{name:<20}{seconds:>10.1f}{records / seconds:>12,.0f}")
    figures = {
        "records": records,
        "word2vec_records_per_s": round(records / word2vec["seconds"]),
        "glove_records_per_s": round(records / glove["seconds"]),
        "gensim_records_per_s": round(records / theirs),
        "ratio_gensim": round(theirs / word2vec["seconds"], 2),
        "load_1m": round(os.getloadavg()[0], 2),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
