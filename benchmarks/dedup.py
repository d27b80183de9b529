"""Near-duplicate removal: rows/s beside datatrove and datasketch, precision and recall against exact all-pairs.

.venv/bin/python benchmarks/dedup.py                    500,000 made texts with planted near-duplicates
.venv/bin/python benchmarks/dedup.py --quick            40,000
… --data 'FOLDER/*.jsonl.gz'                            real texts: JSON lines with a field text
"""

from __future__ import annotations

import argparse
import glob
import gzip
import json
import os
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pyarrow.parquet as pq  # noqa: E402
from pyspark.sql import SparkSession  # noqa: E402
from pyspark.sql import functions as F  # noqa: E402

from benchmarks import all_pairs, corpus, minhash_rivals  # noqa: E402
from benchmarks.prepare import Peak, run_all  # noqa: E402

THRESHOLD = 0.8
FILES = 4
DEFINITION = """
name: dedup
root: {root}
inputs:
  texts: {{path: {texts}, format: jsonl, label: null}}
steps:
  clean: {{do: text.clean, from: texts, max_chars: 100000}}
  dedup: {{do: text.dedup, from: clean, near: {{threshold: {threshold}, ngram: {ngram}}}}}
profiles:
  local: {{spark: {{master: "local[2]", memory: 2g}}}}
"""


def made(records: int) -> Iterator[str]:
    """Utterances, a fifth of them copies of earlier ones with one to four letters changed."""
    dice, earlier = random.Random(5), ["배송이 언제 오는지 궁금합니다"]
    for record in corpus.utterances(5):
        text = str(record["text"])
        if dice.random() < 0.2:
            letters = list(dice.choice(earlier))
            for _ in range(dice.randint(1, 4)):
                letters[dice.randrange(len(letters))] = dice.choice("가나다라마바사")
            text = "".join(letters)
        elif dice.random() < 0.1:
            earlier.append(text)
        yield text
        records -= 1
        if records == 0:
            return


def real(pattern: str) -> Iterator[str]:
    """The field text of the records of gzipped JSON lines."""
    for name in sorted(glob.glob(pattern)):
        with gzip.open(name, "rt", encoding="utf-8") as stream:
            yield from (json.loads(line)["text"] or "" for line in stream)


def write(texts: Sequence[str], folder: Path) -> None:
    """The texts as JSON lines in a few files."""
    folder.mkdir()
    for number in range(FILES):
        with (folder / f"{number:05d}.jsonl").open("w", encoding="utf-8") as stream:
            for index in range(number, len(texts), FILES):
                record = {"text": texts[index], "id": str(index)}
                stream.write(json.dumps(record, ensure_ascii=False) + "\n")


def textmill(folder: Path) -> tuple[dict[str, Any], Peak]:
    """Steps of the run by name, peak memory."""
    path = folder / "dedup.yaml"
    values = {"root": folder / "runs", "texts": folder / "texts", "threshold": THRESHOLD}
    path.write_text(DEFINITION.format(**values, ngram=minhash_rivals.NGRAM))
    steps, _, peak = run_all(path)
    return steps, peak


def quality(texts: Sequence[str], folder: Path) -> tuple[float, float, int]:
    """(precision, recall, true pairs) of the pairs that are found among `texts`."""
    write(texts, folder / "texts")
    steps, _ = textmill(folder)
    cleaned = pq.read_table(Path(steps["clean"]["output"]) / "rows", columns=["text"])["text"].to_pylist()
    distinct = list(dict.fromkeys(cleaned))
    found = pairs_of(Path(steps["dedup.pairs"]["output"]) / "pairs", distinct)
    truth = all_pairs.similar_pairs(distinct, minhash_rivals.NGRAM, THRESHOLD)
    right = len(found & truth)
    return right / max(1, len(found)), right / max(1, len(truth)), len(truth)


def pairs_of(folder: Path, texts: Sequence[str]) -> set[all_pairs.Pair]:
    """Pairs of keys, at or above the threshold, as pairs of numbers in `texts`."""
    spark = SparkSession.builder.master("local[2]").getOrCreate()
    keys = spark.createDataFrame([(text,) for text in texts], "text string").select(F.xxhash64("text")).collect()
    spark.stop()
    number = {key: index for index, (key,) in enumerate(keys)}
    rows = pq.read_table(folder).to_pylist() if folder.is_dir() else []
    chosen = [(number[row["a"]], number[row["b"]]) for row in rows if row["similarity"] >= THRESHOLD]
    return {(min(pair), max(pair)) for pair in chosen}


def main() -> None:
    """Run all, print a table and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--records", type=int)
    parser.add_argument("--data")
    given = parser.parse_args()
    records = given.records or (40_000 if given.quick else 500_000)
    # What text.clean would change is changed before, so that all compare the same texts.
    raw = (" ".join(text.split()) for text in (real(given.data) if given.data else made(records)))
    texts = [text for _, text in zip(range(records), raw, strict=False) if text]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(texts, folder / "texts")
        (folder / "sample").mkdir()
        steps, peak = textmill(folder)
        seconds, kept = minhash_rivals.datatrove(folder / "texts", folder / "datatrove")
        sketched = texts[: min(len(texts), 5_000 if given.quick else 20_000)]
        sketch = len(sketched) / minhash_rivals.datasketch(sketched, THRESHOLD)
        found = quality(texts[: 20_000 if given.quick else 100_000], folder / "sample")
    report(len(texts), steps, peak, (seconds, kept), sketch, found)


def report(
    records: int,
    steps: dict[str, Any],
    peak: Peak,
    trove: tuple[float, int],
    sketch: float,
    found: tuple[float, float, int],
) -> None:
    """Print the figures."""
    ours = steps["dedup.pairs"]["seconds"] + steps["dedup"]["seconds"]
    precision, recall, truth = found
    print(f"{records:,} texts, character {minhash_rivals.NGRAM}-grams, threshold {THRESHOLD}")
    print(f"{'':<34}{'seconds':>9}{'rows/s':>10}{'kept':>10}")
    kept = steps["dedup"]["rows"]["rows"]
    print(f"{'textmill, local[2]':<34}{ours:>9.1f}{records / ours:>10,.0f}{kept:>10,}")
    print(f"{'  of it pairs':<34}{steps['dedup.pairs']['seconds']:>9.1f}")
    print(f"{'datatrove, 2 workers':<34}{trove[0]:>9.1f}{records / trove[0]:>10,.0f}{trove[1]:>10,}")
    print(f"{'datasketch, 1 core (a sample)':<34}{'':>9}{sketch:>10,.0f}")
    print(f"precision {precision:.4f}, recall {recall:.4f} of {truth:,} pairs in an exact comparison")
    figures = {
        "records": records,
        "seconds": round(ours, 1),
        "records_per_s": round(records / ours),
        "ratio_datatrove": round(trove[0] / ours, 2),
        "ratio_datasketch": round(records / ours / sketch, 2),
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "peak_gib": round(peak.both / 2**30, 2),
        "load_1m": round(os.getloadavg()[0], 2),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
