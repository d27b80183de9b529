"""scikit-learn's own tests of its search classes, with ours in their place, on a local cluster."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SUITE = ("test_search", "test_successive_halving")
# These need the fits in their own process: they count a scorer's calls, collect what was passed in a list of the test,
# or draw all scores from one generator. They fail for scikit-learn's own classes too where fits run in other processes
# (n_jobs=2).
IN_PROCESS_ONLY = (
    "test_searchcv_raise_warning_with_non_finite_score",  # a scorer fails at every fifth of all calls
    "test_multi_metric_search_forwards_metadata",  # a scorer registers itself in a list
    "test_base_estimator_inputs",  # an estimator notes sizes and parameters in lists
    "test_cv_results and test_successive_halving",  # scores are draws from one generator, which must not repeat
)


@pytest.mark.suite
@pytest.mark.timeout(1800)
def test_scikit_learns_suite_passes(tmp_path: Path) -> None:
    modules = [f"sklearn.model_selection.tests.{name}" for name in SUITE]
    chosen = ["-k", " and ".join(f"not ({name})" for name in IN_PROCESS_ONLY)]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.e2e.sklearn_suite", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *chosen, "--pyargs", *modules],
        cwd=tmp_path,
        env=environ(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    passed, jobs = (re.search(pattern, done.stdout) for pattern in (r"(\d+) passed", r"(\d+) Spark jobs"))
    assert passed and int(passed[1]) > 200, done.stdout[-2000:]
    assert jobs and int(jobs[1]) > 200, "the fits did not run on Spark"


def environ() -> dict[str, str]:
    """This one, with the checkout's packages."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}
