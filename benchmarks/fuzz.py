"""Definitions and inputs with mistakes in them: `check` and `run --to tensors` end with a result or with a named place.

Structure-aware mutations, by a seed, of a small quickstart's YAML and of its inputs as jsonl, csv and Parquet. Each
case ends well or with an error of textmill that names a file, a key, a step or a row; anything else is a finding, and
so is a record that is neither a row nor set aside.
"""

from __future__ import annotations

import argparse
import bz2
import copy
import csv
import datetime as dt
import gzip
import io
import json
import os
import random
import re
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

TEXTS = ("배송이 언제 와요", "환불해 주세요", "색상이 달라요", "사이즈 교환이요", "쿠폰이 안 돼요", "결제를 취소할래요")
LABELS = ("delivery", "refund", "exchange")
BASE: dict[str, Any] = {
    "name": "fuzz",
    "seed": 7,
    "inputs": {"chats": {"path": "", "format": "jsonl", "text": "text", "label": "intent", "max_bad": "30%"}},
    "entities": {"COLOR": {"path": "color.tsv"}, "SIZE": ["대", "중", "소"]},
    "steps": {
        "clean": {"do": "text.clean", "from": "chats", "mask": ["phone"], "min_chars": 1},
        "dedup": {"do": "text.dedup", "from": "clean"},
        "split": {"do": "data.split", "from": "dedup", "parts": {"train": 0.6, "valid": 0.2, "test": 0.2}},
        "populate": {"do": "text.populate", "from": "split.train", "templates": "templates.txt",
                     "amount": {"per_intent": 5, "short": "all"}},
        "tokens": {"do": "text.tokenize", "from": ["populate", "split.valid", "split.test"], "analyzer": "nori"},
        "tensors": {"do": "tensor.encode", "from": "tokens", "vocabulary": {"max": 500}, "length": 8, "shards": 2},
    },
    "checks": {"clean": ["dropped < 50%"]},
    "train": {"m": {"engine": "local", "model": "bigru", "from": "tensors", "epochs": 1}},
    "profiles": {"local": {"spark": {"master": "local[2]", "memory": "1g"}}},
}  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 1e308, float("nan"), "", " ", "x", "clean", "split.train", "${nope}", "${run.date}", "${", [],
    {}, ["clean"], {"a": 1}, "5%", "2g", 10**30, "jsonl", "csv", "한글", "a/b", "..", "\0", "\ud83d\ude42", "on", "007",
    "|", "\t", dt.date(2026, 1, 2),
)  # fmt: skip
PIECES = (
    b'"', b"\0", b"\n", b"\r", b"\r\n", b"\n\n", b",", b"\t", b"\xff", b"\xef\xbb\xbf", "\ufffd".encode(), b"{", b"}",
    b"[]", b"null", b"PK\x03\x04", b"\x1f\x8b", b"x" * 3000, b'"a\nb"', b"\\ud83d",
)  # fmt: skip
PLACE = re.compile(r"\w\.yaml(:\d+)?|--set|inputs\.|chats\.|color\.tsv|templates\.txt|\bsteps?\b|/\S+")


@dataclass
class Found:
    """What came of all cases."""

    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    def add(self, kind: str, case: str, said: str = "") -> None:
        """Count an outcome; those that must not be are kept whole."""
        self.outcomes[kind] += 1
        if kind.split()[-1] in ("traceback", "placeless", "lost"):
            self.findings.append(f"{kind} in {case}: {said}")


def content(dice: random.Random) -> list[dict[str, Any]]:
    """Records of the input."""
    rows = range(dice.choice((0, 1, 60, 60, 60)))
    return [{"text": f"{dice.choice(TEXTS)} {n}", "intent": LABELS[n % 3], "n": n} for n in rows]


def as_csv(rows: list[dict[str, Any]], delimiter: str = ",") -> bytes:
    """With a header."""
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, ["text", "intent", "n"], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().encode()


def as_parquet(rows: list[dict[str, Any]]) -> bytes:
    """With the schema of the first row."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    empty = {"text": pa.array([], pa.string()), "intent": pa.array([], pa.string())}
    table = pa.Table.from_pylist(rows) if rows else pa.table(empty)
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def damaged(dice: random.Random, whole: bytes) -> bytes:
    """A file with a few bytes more, less or elsewhere, or packed, cut off or in another encoding."""
    for _ in range(dice.choice((0, 1, 1, 2, 5))):
        at = dice.randint(0, len(whole))
        kind = dice.randrange(7)
        if kind < 3:
            whole = whole[:at] + dice.choice(PIECES) + whole[at:]
        elif kind < 5:
            whole = whole[:at] + whole[at + dice.choice((1, 10, 1000)) :]
        elif kind == 5:
            whole = dice.choice((gzip.compress, bz2.compress))(whole)
        else:
            whole = whole.decode(errors="replace").encode(dice.choice(("cp949", "utf-16", "utf-8-sig")), "replace")
    return whole


def mutated(dice: random.Random, tree: Any) -> None:
    """Change one place of a definition."""
    at: Any = tree
    while isinstance(at, dict | list) and at:
        key = dice.choice(list(at)) if isinstance(at, dict) else dice.randrange(len(at))
        if not isinstance(at[key], dict | list) or not at[key] or dice.random() < 0.15:
            break
        at = at[key]
    else:
        return
    kind = dice.randrange(4)
    if kind == 0:
        del at[key]
    elif kind == 1 and isinstance(at, dict):
        at[dice.choice(("x", "", f"{key}s", str(key)[1:]))] = at.pop(key)
    elif kind == 2 and isinstance(at[key], dict | list):
        at[key] = list(at[key]) if isinstance(at[key], dict) else {str(n): one for n, one in enumerate(at[key])}
    else:
        at[key] = dice.choice(VALUES)


def case(dice: random.Random, folder: Path) -> Path:
    """A definition and its files."""
    tree, rows = copy.deepcopy(BASE), content(dice)
    made: dict[str, Callable[[], bytes]] = {
        "jsonl": lambda: b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows),
        "csv": lambda: as_csv(rows), "parquet": lambda: as_parquet(rows),
        "text": lambda: b"\n".join(row["text"].encode() for row in rows),
    }  # fmt: skip
    given = tree["inputs"]["chats"]
    given["format"] = dice.choice(("jsonl", "jsonl", "csv", "csv", "parquet", "text"))
    given["path"] = f"chats.{given['format']}"
    if given["format"] == "text":
        del given["label"]
    if given["format"] == "csv":
        given.update(dice.choice(({}, {"quote": None}, {"delimiter": "\t"}, {"encoding": "CP949"})))
    for name in folder.glob("chats.*"):
        name.unlink()
    (folder / given["path"]).write_bytes(damaged(dice, made[given["format"]]()))
    colors = "value\n빨강\n파랑\n".encode()
    (folder / "color.tsv").write_bytes(damaged(dice, colors) if dice.random() < 0.1 else colors)
    plain = "".join(f"[{label}]\n{{COLOR}} {{SIZE}} {label} 주세요\n" for label in LABELS).encode()
    (folder / "templates.txt").write_bytes(damaged(dice, plain) if dice.random() < 0.1 else plain)
    for _ in range(dice.choice((0, 0, 1, 1, 2))):
        mutated(dice, tree)
    text = yaml.safe_dump(tree, allow_unicode=True, sort_keys=False)
    if dice.random() < 0.15:
        text = damaged(dice, text.encode()).decode(errors="replace")
    (folder / "fuzz.yaml").write_text(text, encoding="utf-8", errors="replace")
    return folder / "fuzz.yaml"


def attempt(found: Found, verb: str, name: str, do: Callable[[], Any]) -> Any:
    """What `do` gives; None where it raised, which is judged."""
    from textmill.errors import TextmillError

    try:
        done = do()
    except TextmillError as error:
        lines = str(error).splitlines() or [""]
        named = all(PLACE.search(line) for line in lines)
        found.add(f"{verb} {'refused' if named else 'placeless'}", name, str(error))
        return None
    except Exception:
        found.add(f"{verb} traceback", name, traceback.format_exc())
        return None
    found.add(f"{verb} good", name)
    return done


def check(found: Found, name: str, file: Path) -> Any:
    """The pipeline of a definition, as `textmill check` makes it."""
    from pipelines import trainings
    from pipelines.definition import load
    from textmill.errors import DefinitionError

    def whole() -> Any:
        pipeline = load(file, date=dt.date(2026, 1, 2))
        if problems := trainings.unready(pipeline, pipeline.nodes):
            raise DefinitionError(problems)
        return pipeline

    return attempt(found, "check", name, whole)


def records(file: Path, format: str) -> int | None:
    """Records of a file by another way than textmill's; None where quotes make that a matter of rules."""
    if format == "parquet":
        import pyarrow.parquet as pq

        return int(pq.read_metadata(file).num_rows)
    whole = file.read_bytes()
    is_other = whole[:2] in (b"\x1f\x8b", b"BZ", b"\xff\xfe", b"\xfe\xff")
    if is_other or (format == "csv" and b'"' in whole):
        return None
    lines = [line.decode(errors="replace").removeprefix("\ufeff") for line in re.split(b"\r\n|\r|\n", whole)]
    return max(0, sum(bool(line.strip()) for line in lines) - (format == "csv"))


def run(found: Found, name: str, pipeline: Any, root: Path) -> None:
    """`run --to tensors`, and a count of what came out of the first step."""
    from pipelines.cli.run import carry_out
    from pipelines.plan import Selection
    from pipelines.progress import listener

    last = "tensors" if "tensors" in pipeline.nodes else next(iter(pipeline.nodes))
    done = attempt(found, "run", name, lambda: carry_out(pipeline, Selection(last=last), listener(True)))
    if done is None or "clean" not in pipeline.nodes or pipeline.nodes["clean"].op != "text.clean":
        return
    entry = next(step for step in done.record["steps"] if step["step"] == "clean")
    manifest = json.loads(next(Path(entry["output"]).glob("manifest.json")).read_text(encoding="utf-8"))
    written = sum(part["rows"] for part in manifest["parts"].values())
    source = pipeline.inputs[pipeline.nodes["clean"].takes[0].node]
    counted = [records(file, source.reading["format"]) for file in source.files]
    if None not in counted and sum(filter(None, counted)) != written:
        found.add("run lost", name, f"{counted} records, {written} written")


def main() -> None:
    """Print a table, the findings, and as the last line one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="300 checks and 3 runs")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--checks", type=int)
    parser.add_argument("--runs", type=int)
    given = parser.parse_args()
    checks = given.checks or (300 if given.quick else 2000)
    runs = given.runs if given.runs is not None else (3 if given.quick else 50)
    found, ran = Found(), 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.chdir(folder)
        for number in range(checks):
            name = f"case {given.seed}.{number}"
            file = case(random.Random(f"{given.seed}.{number}"), folder)
            pipeline = check(found, name, file)
            if pipeline is not None and ran < runs and number % max(1, checks // (4 * runs or 1)) == 0:
                ran += 1
                run(found, name, pipeline, folder)
    for kind, count in sorted(found.outcomes.items()):
        print(f"{kind:20} {count:6,}")
    for finding in found.findings:
        print(finding)
    figures = {kind.replace(" ", "_"): count for kind, count in found.outcomes.items()}
    counted = {"checks": checks, "runs": ran, "findings": len(found.findings)}
    print(json.dumps({**counted, **figures, "load": os.getloadavg()[0]}))


if __name__ == "__main__":
    main()
