"""kill -9 at any moment, then the printed command: the outputs are those of an uninterrupted run."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time

import pytest

from tests.e2e.conftest import Project

STEPS = {"clean", "dedup", "split", "populate", "tokens", "tensors", "train.bigru", "evaluate.bigru"}


def kill_after(process: subprocess.Popen[str], project: Project, root: str, step: str | None, delay: float) -> str:
    """SIGKILL the command line `delay` seconds after `step` began (None: after it was started); what it had printed."""
    assert process.stdout is not None
    lines: list[str] = []
    before = {None: 0, "tokens": 4, "train.bigru": 6, "evaluate.bigru": 7}[step]
    for line in process.stdout:
        lines.append(line)
        if sum(" run " in done for done in lines) >= before and any(done.startswith("resume ") for done in lines):
            break
    time.sleep(delay)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return next(line for line in lines if line.startswith("resume ")).removeprefix("resume ").strip()


def test_resumed_outputs_are_those_of_an_uninterrupted_run(project: Project) -> None:
    whole = project.textmill("run", "small.yaml", root="whole")
    assert whole.returncode == 0, whole.stdout + whole.stderr
    expected = project.checksums("whole")
    assert set(expected) == STEPS

    seed = random.SystemRandom().randrange(1 << 30)
    print(f"seed of the random moments: {seed}")
    dice = random.Random(seed)
    moments = [(None, dice.uniform(1, 12)), ("tokens", dice.uniform(0, 2)), ("train.bigru", dice.uniform(3, 10)),
               ("evaluate.bigru", dice.uniform(0, 3))]  # fmt: skip
    for step, delay in moments:  # each goes on from what the one before left
        process = project.start("run", "small.yaml", root="cut")
        resume = kill_after(process, project, "cut", step, delay)
        if project.checksums("cut") == expected:
            break
    finished = subprocess.run(
        resume, shell=True,
        cwd=project.folder, env=project.environ("cut"), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert project.checksums("cut") == expected
    assert [path for path in (project.folder / "cut" / "store").glob("*/*") if path.suffix in (".part", ".old")] == []
    assert "interrupted" in project.textmill("runs", "--root", "cut").stdout


@pytest.mark.parametrize("harm", ["flip", *(pytest.param(more, marks=pytest.mark.slow) for more in ("truncate", "remove"))])
def test_damage_is_noticed_and_rebuilt(project: Project, harm: str) -> None:
    assert project.textmill("run", "small.yaml", "--to", "split").returncode == 0
    before = project.checksums()
    file = next((project.folder / "runs" / "store" / "data.split").glob("*/train/*.parquet"))
    content = file.read_bytes()
    file.write_bytes(content[:-1] if harm == "truncate" else bytes([content[0] ^ 1]) + content[1:])
    if harm == "remove":
        file.unlink()
    planned = project.textmill("plan", "small.yaml", "--to", "split").stdout.splitlines()
    assert [line.split()[0] for line in planned[:3]] == ["reuse", "reuse", "run"]
    assert "output damaged: train/00000.parquet" in planned[2]
    assert project.textmill("run", "small.yaml", "--to", "split").returncode == 0
    assert project.checksums() == before
