"""How fast `textmill serve` answers on one core: requests at a fixed rate, whatever the answers take.

python -m benchmarks.serve [--quick] [--rate 200] [--root ROOT --name NAME]

Without --name it publishes a bigru with random weights (as large as the one of conf/intent_ko.yaml; weights don't
change the work) and asks it for the texts of conf/seed. The last line is one JSON object: p50_ms, p99_ms,
requests_per_s, errors, and the version swapped in halfway.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import numpy as np

from benchmarks.published import publish

ROOT = Path(__file__).resolve().parent.parent
TEXTMILL = Path(sys.executable).with_name("textmill")
ENTITIES = ["가방", "연필", "택배"]


def texts() -> list[str]:
    """Hand-written utterances."""
    lines = [line for file in sorted((ROOT / "conf/seed").glob("*.jsonl")) for line in file.read_text().splitlines()]
    return [json.loads(line)["text"] for line in lines]


def made(root: Path, seed: int) -> None:
    """Publish a bigru of the size of conf/intent_ko.yaml."""
    vocabulary = sorted({word for text in texts() for word in text.split()})
    vocabulary += [f"token{number}" for number in range(8000 - len(vocabulary))]
    publish(
        root, "bench", vocabulary, [f"intent{number:02d}" for number in range(26)], model="bigru",
        params={"units": 64}, analysis={"analyzer": "nori", "user_dict": ENTITIES}, length=20, seed=seed,
    )  # fmt: skip


@contextmanager
def serving(root: Path, name: str, core: int) -> Iterator[str]:
    """The address of a server that has one core."""
    command = [str(TEXTMILL), "serve", name, "--port", "0", "--root", str(root), "--watch", "1"]
    process = subprocess.Popen(["taskset", "-c", str(core), *command], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield re.findall(r"http://\S+", process.stdout.readline())[0]
    finally:
        process.terminate()
        process.communicate(timeout=60)


async def load(url: str, rate: float, seconds: float, said: list[str]) -> tuple[list[float], int]:
    """Milliseconds from when each request was due to its answer, and the number that failed."""
    took: list[float] = []
    errors = 0

    async def ask(session: aiohttp.ClientSession, text: str, due: float) -> None:
        nonlocal errors
        try:
            async with session.post(f"{url}/predict", json={"texts": [text]}) as answer:
                errors += answer.status != 200
                await answer.read()
        except aiohttp.ClientError:
            errors += 1
        took.append(1000 * (time.perf_counter() - due))

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        start, tasks = time.perf_counter(), []
        for number in range(int(rate * seconds)):
            due = start + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.append(asyncio.create_task(ask(session, said[number % len(said)], due)))
        await asyncio.gather(*tasks)
    return took, errors


def figures(took: list[float], errors: int, seconds: float) -> dict[str, float]:
    """The figures of one load."""
    percentiles = {f"p{percent}_ms": round(float(np.percentile(took, percent)), 2) for percent in (50, 95, 99)}
    return {
        **percentiles,
        "max_ms": round(max(took), 2),
        "requests_per_s": round(len(took) / seconds, 1),
        "errors": errors,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--root", type=Path)
    parser.add_argument("--name", default="bench")
    given = parser.parse_args()
    seconds, said = (10.0 if given.quick else 60.0), texts()
    server_core, *own = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, own or [server_core])
    with tempfile.TemporaryDirectory() as folder:
        root = given.root or Path(folder)
        if given.root is None:
            made(root, 1)
        with serving(root, given.name, server_core) as url:
            asyncio.run(load(url, given.rate, 5, said))
            steady = figures(*asyncio.run(load(url, given.rate, seconds, said)), seconds)
            print(f"{given.rate:.0f} requests/s, {seconds:.0f} s: {steady}", flush=True)
            swap = {}
            if given.root is None:
                made(root, 2)
                swap = figures(*asyncio.run(load(url, given.rate, 15, said)), 15)
                print(f"while another version is loaded on the same core: {swap}", flush=True)
            most = figures(*asyncio.run(load(url, 4 * given.rate, 5, said)), 5)
            print(f"four times as many: {most}", flush=True)
    print(json.dumps({**steady, "while_swapping": swap, "at_4x": most, "load_average": round(os.getloadavg()[0], 2)}))


if __name__ == "__main__":
    main()
