"""A published version of a model with random weights: all of serving but a training, made in seconds."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.lineage import Lineage, Output
from pipelines.versions import Version, Versions
from textmill import places

ROOT = Path(__file__).resolve().parent.parent
CLEAN = {"unicode": "NFC", "width": True, "mask": ["phone"], "min_chars": 1, "max_chars": 300}
_WEIGHTS = """
import json, sys
import numpy as np
from pathlib import Path
from models import catalogue, keras_build
folder, seed = Path(sys.argv[1]), int(sys.argv[2])
described = json.loads((folder / "model.json").read_text())
layers = catalogue.layers(described["model"], described["params"], described["vocabulary"], len(described["labels"]))
model = keras_build.build(layers, described["length"], seed, keras_build.tf.Variable(0, trainable=False))
draw = np.random.default_rng(seed)
values = [draw.normal(0, 0.5, value.shape).astype(value.dtype) for value in model.get_weights()]
np.savez(folder / "weights.npz", **{f"{number:03d}": value for number, value in enumerate(values)})
"""


def publish(
    root: Path,
    name: str,
    tokens: Sequence[str],
    labels: Sequence[str],
    *,
    model: str = "fasttext",
    params: dict[str, Any] | None = None,
    analysis: dict[str, Any] | None = None,
    length: int = 16,
    seed: int = 1,
    counts: Sequence[int] | None = None,
) -> Version:
    """Publish a version of `name` under `root` whose vocabulary is `tokens`; another seed gives other predictions."""
    made = root / "made" / f"{name}-{seed}"
    described = {
        "model": model, "params": params or {}, "vocabulary": len(tokens) + 2, "labels": list(labels), "length": length,
        "code": {},
    }  # fmt: skip
    counted = zip(tokens, counts or [1] * len(tokens), strict=True)
    encoded = {"length": length, "truncate": "end", "vocabulary": {"unknown_buckets": 0}}
    contents = {
        "train.m": {"model.json": json.dumps(described)},
        "tensors": {
            "vocabulary.tsv": "".join(f"{token}\t{count}\n" for token, count in counted),
            "labels.json": json.dumps(list(labels)),
            "tensors.json": json.dumps(encoded),
        },
        "tokens": {"analysis.json": json.dumps(analysis or {"analyzer": "nori"})},
        "evaluate.m": {"metrics.json": json.dumps({"rows": 1, "accuracy": 0.5, "macro_f1": 0.5})},
    }
    for step, files in contents.items():
        (made / step).mkdir(parents=True)
        for file, content in files.items():
            (made / step / file).write_text(content, encoding="utf-8")
    _python("-c", _WEIGHTS, str(made / "train.m"), str(seed))
    _python("-m", "models.export", str(made / "train.m"))
    run = {"run": f"20260101-000000-{seed:04x}", "date": "2026-01-01", "definition": "made"}
    outputs = [_output(step, made / step) for step in contents]
    return Versions(root, name).publish(Lineage(run, "m", *outputs, clean=CLEAN), "made")


def _output(step: str, folder: Path) -> Output:
    files = {
        file: {"bytes": said.size, "sha256": places.checksum(folder / file)}
        for file, said in places.files(folder).items()
    }
    return Output(step, hashlib.sha256(str(folder).encode()).hexdigest(), folder, {"files": files})


def _python(*words: str) -> None:
    done = subprocess.run([sys.executable, *words], cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{words[:2]} ended with status {done.returncode}:\n{done.stderr[-2000:]}")
