"""The analysis process: one that hangs or ends is started again. A small program stands in for the Java one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.serve.chain import Chain
from textmill.errors import TextmillError

PROGRAM = """
import json, os, sys, time
if os.path.exists("gone"):
    sys.exit(3)
print('{"ready": true}', flush=True)
for line in sys.stdin:
    texts = json.loads(line)["texts"]
    if "hang" in texts and not os.path.exists("hung") or "always" in texts:
        open("hung", "w").close()
        time.sleep(600)
    print(json.dumps({"ids": [[len(text)] for text in texts], "reasons": [None] * len(texts)}), flush=True)
"""


class _Small(Chain):
    def _command(self) -> list[str]:
        enter = f"import os; os.chdir({str(self.folder)!r})\n"
        return [sys.executable, "-c", enter + PROGRAM]


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    started = _Small(tmp_path, 1.0)
    yield started
    started.close()


def test_a_process_that_hangs_is_killed_and_started_again(chain: Chain) -> None:
    ids, _ = chain.encode(["hang", "ab"])
    assert ids.tolist() == [[4], [2]] and chain.restarts == 1


def test_what_hangs_every_time_is_an_error_and_the_next_text_is_answered(chain: Chain) -> None:
    with pytest.raises(TextmillError, match="ended twice"):
        chain.encode(["always"])
    assert chain.encode(["abc"])[0].tolist() == [[3]]


def test_one_that_cannot_be_started_is_a_problem_until_it_is_revived(chain: Chain, tmp_path: Path) -> None:
    (tmp_path / "gone").touch()
    chain._process.kill()
    with pytest.raises(TextmillError, match="status 3 at its start"):
        chain.encode(["a"])
    assert "status 3" in str(chain.problem)
    (tmp_path / "gone").unlink()
    with pytest.raises(TextmillError, match="status 3"):  # a request starts nothing
        chain.encode(["a"])
    chain.revive()
    assert chain.problem is None and chain.encode(["a"])[0].tolist() == [[1]]
