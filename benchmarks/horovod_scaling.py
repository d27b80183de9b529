"""How much faster two ranks of engine horovod train than one, each on one core of this machine.

python -m benchmarks.horovod_scaling [--quick] [--rounds 3]

Made tensors, the model bigru, 256 rows per rank and step, so that two ranks do twice the work in a step ("weak" scaling, as
GPUs are used), and also 256 rows over both ranks ("strong"). Beside them two trainings of one rank at the same time, which
share nothing but the machine ("apart"): two ranks can't be faster than both together. All train in turn, several rounds;
the first epoch of each training, in which TensorFlow compiles, is not counted, nor is validation's part counted out. Then,
from what was measured and the bytes of the gradients, a projection to GPU clusters; it is no measurement.

The last line is one JSON object: records_per_s_1, records_per_s_2, speedup_2, speedup_2_strong, speedup_2_apart,
input_wait_share, gradient_mb, step_ms, load.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.made_tensors import Shape, write
from models import engines
from models.engines.base import TrainJob

SHAPE, BATCH = Shape(length=24, labels=64), 256
PARAMS = {"embedding": 128, "units": 128}
FORMS = {"1": (1, False), "2": (2, True), "2 strong": (2, False)}
"""Ranks, and whether each takes a whole batch."""
APART = "2 apart"


@dataclass(frozen=True)
class Network:
    """What a ring all-reduce goes over, for the projection."""

    name: str
    gb_per_s: float
    """Bytes that a GPU sends and receives in a second, in 1e9."""
    hop_us: float
    """Between neighbours of the ring."""


NETWORKS = (Network("10 Gbit/s TCP", 1.1, 30), Network("100 Gbit/s RDMA", 11, 5), Network("NVLink in one host", 150, 3))
GPU_SPEEDUPS = (20, 100)
"""How much faster a GPU computes a step than the core measured: assumed."""


def trained(tensors: Path, folder: Path, ranks: int, scaled: bool, epochs: int) -> dict[str, Any]:
    """What one training says of its speed: records/s of its epochs but the first, and its waiting for input."""
    for name in ("out", "checkpoints", "logs"):
        (folder / name).mkdir(parents=True)
    options = engines.options("horovod")(ranks=ranks, threads=1, scale_learning_rate=scaled).canonical()
    job = TrainJob(
        "scaling", "bigru", PARAMS, tensors, folder / "out", folder / "checkpoints", folder / "logs", epochs, BATCH,
        1e-3, "accuracy", epochs, seed=7, options=options,
    )  # fmt: skip
    stats = engines.engine("horovod").train(job, lambda progress: None)
    rows = json.loads((tensors / "tensors.json").read_text(encoding="utf-8"))["parts"]["train"]["rows"]
    rates = [rows / seconds for seconds in stats.seconds_per_epoch[1:]]
    return {"rates": rates, "wait": stats.input_wait_share, "bytes": gradient_bytes(job.out)}


def apart(tensors: Path, folder: Path, epochs: int) -> list[float]:
    """Records/s of two trainings together, by epoch."""
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        begun = [pool.submit(trained, tensors, folder / name, 1, False, epochs) for name in "ab"]
        return [sum(both) for both in zip(*(one.result()["rates"] for one in begun), strict=True)]


def gradient_bytes(out: Path) -> tuple[int, int]:
    """Bytes of a trained model's gradients: of the dense ones, and of the embedding's whole table."""
    with np.load(out / "weights.npz", allow_pickle=False) as stored:
        weights = [value for value in (stored[name] for name in stored.files) if value.dtype == np.float32]
    table = sum(value.nbytes for value in weights if len(value) == SHAPE.vocabulary)
    return sum(value.nbytes for value in weights) - table, table


def projected(step_s: float, dense: int, table: int) -> Iterator[tuple[str, int, list[float]]]:
    """Efficiency of 2 to 128 GPUs: a step's time on one, over that with the all-reduce, none of it overlapped."""
    for network in NETWORKS:
        for speedup in GPU_SPEEDUPS:
            step = step_s / speedup
            found = []
            for ranks in (2, 4, 8, 16, 32, 64, 128):
                sent = 2 * (ranks - 1) / ranks * (dense + table) / (network.gb_per_s * 1e9)
                found.append(step / (step + sent + 2 * (ranks - 1) * network.hop_us * 1e-6))
            yield network.name, speedup, found


def main() -> None:
    """Measure, print a table for people, then the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    rounds, rows, epochs = (1, 8192, 3) if given.quick else (given.rounds, 16384, 4)
    rates: dict[str, list[float]] = {name: [] for name in (*FORMS, APART)}
    waits: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        tensors = write(Path(name, "tensors"), SHAPE, rows)
        for number in range(rounds):
            for form, (ranks, scaled) in FORMS.items():
                found = trained(tensors, Path(name, f"{form}-{number}".replace(" ", "-")), ranks, scaled, epochs)
                rates[form] += found["rates"]
                waits.append(found["wait"])
            rates[APART] += apart(tensors, Path(name, f"apart-{number}"), epochs)
    told(rates, waits, *found["bytes"])


def told(rates: dict[str, list[float]], waits: list[float], dense: int, table: int) -> None:
    """Print everything."""
    middle = {form: statistics.median(found) for form, found in rates.items()}
    print(f"{'ranks':<10} {'records/s':>10} {'lowest':>9} {'highest':>9} {'speed-up':>9}")
    for form, found in rates.items():
        ratio = middle[form] / middle["1"]
        print(f"{form:<10} {middle[form]:>10,.0f} {min(found):>9,.0f} {max(found):>9,.0f} {ratio:>9.2f}")
    step = BATCH / middle["1"]
    print(f"\na step of {BATCH} rows on one core: {step * 1000:.0f} ms; gradients: {dense / 1e6:.2f} MB dense, "
          f"{table / 1e6:.2f} MB of the embedding as a whole\n\nprojected, not measured: efficiency by GPUs")  # fmt: skip
    print(f"{'network':<20} {'GPU/core':>8} " + " ".join(f"{ranks:>5}" for ranks in (2, 4, 8, 16, 32, 64, 128)))
    for name, speedup, found in projected(step, dense, table):
        print(f"{name:<20} {speedup:>7}× " + " ".join(f"{share:>5.0%}" for share in found))
    figures = {
        "records_per_s_1": round(middle["1"]),
        "records_per_s_2": round(middle["2"]),
        "speedup_2": round(middle["2"] / middle["1"], 3),
        "speedup_2_strong": round(middle["2 strong"] / middle["1"], 3),
        "speedup_2_apart": round(middle[APART] / middle["1"], 3),
        "input_wait_share": round(max(waits), 5),
        "gradient_mb": round((dense + table) / 1e6, 2),
        "step_ms": round(step * 1000, 1),
        "load": round(os.getloadavg()[0], 2),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
