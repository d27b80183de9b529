"""Three hundred trials on YARN and HDFS, an executor and the driver killed."""

from __future__ import annotations

import pytest

from benchmarks import sweep

pytestmark = pytest.mark.cluster


@pytest.mark.timeout(1800)
def test_three_hundred_trials_end_once_each_whatever_is_killed() -> None:
    figures = sweep.measured(300, on_yarn=True)
    assert figures["trials"] == figures["done"] == 300
    assert figures["resumed"] >= 200
    assert figures["ended_twice"] == 0
    assert figures["overhead_s"] <= 1.0
