"""What Python processes that a training starts inherit."""

from __future__ import annotations

import os
import sys


def environ() -> dict[str, str]:
    """The environment of a process that can import what this one can, and belongs to no cluster of TensorFlow.

    Code may have come as a zip file of spark-submit, which no working folder makes importable.
    """
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    return {**{key: value for key, value in os.environ.items() if key != "TF_CONFIG"}, "PYTHONPATH": path}
