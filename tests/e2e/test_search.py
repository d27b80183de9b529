"""A search by the command line on local[2], on the tokens; beside a sweep's its output has the same form."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from models.tensors import Tensors, batches
from tests.e2e.conftest import Project
from tests.e2e.test_sweep import predictions, rows

pytest.importorskip("sklearn")

SEARCH = """
search:
  fast:
    from: tokens
    trials:
      - {estimator: [logistic, svm, sgd, naive_bayes], params: {ngrams: [1, 2]}}
      - {estimator: svm, params: {min_count: 100000}}
"""


@pytest.mark.slow
def test_a_search_leaves_what_a_sweep_leaves(project: Project) -> None:
    project.definition.write_text(project.definition.read_text(encoding="utf-8") + SEARCH, encoding="utf-8")
    done = project.textmill("run", "small.yaml", "--to", "search.fast")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 done, 1 failed; best 000" in done.stdout
    assert project.textmill("run", "small.yaml", "--to", "tensors").returncode == 0
    store = project.folder / "runs/store"
    folder = next((store / "model.search").glob("*/manifest.json")).parent
    found, predicted = rows(folder), predictions(folder)
    assert [row["status"] for row in found] == ["done"] * 8 + ["failed"]
    assert {row["engine"] for row in found} == {"search"} and found[1]["params"]["ngrams"] == 2
    assert found[8]["error"].startswith("ValueError: ") and "min_df" in found[8]["error"]
    true = predicted.pop("labels")
    assert true.tolist() == in_order_of_tensors(store)
    assert predicted.keys() == {row["trial"] for row in found[:8]}
    for row in found[:8]:
        assert row["test"]["accuracy"] == pytest.approx((predicted[row["trial"]] == true).mean())
    assert (folder / "best/weights.npz").is_file() and not (folder / "fits").exists()


def in_order_of_tensors(store: Path) -> list[int]:
    tensors = Tensors(next((store / "tensor.encode").glob("*/tensors.json")).parent)
    assert json.loads((tensors.folder / "labels.json").read_text(encoding="utf-8")) == ["delivery", "refund", "stock"]
    return list(np.concatenate([batch.label[batch.weight > 0] for batch in batches(tensors, "test", 99)]))
