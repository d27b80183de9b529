"""Keras models as scikit-learn estimators, for the searches of this package: SciKeras' wrappers on tf_keras.

SciKeras 0.12 takes `tensorflow.keras`, which is tf_keras where TF_USE_LEGACY_KERAS is set; its next version wants Keras 3.
These subclasses do nothing but have it set wherever they are unpickled, on the driver and in Spark's Python workers.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf  # noqa: E402
from pyspark import SparkFiles  # noqa: E402

_keras = find_spec("tensorflow.keras")  # bound when TensorFlow is first imported; `tf.keras` when it is first used
if _keras is None or "tf_keras" not in Path(_keras.origin or "").parts:
    raise ImportError(
        "TensorFlow was imported with Keras 3 before: import spark_sklearn.keras first, or set TF_USE_LEGACY_KERAS=1"
    )
from scikeras import wrappers  # noqa: E402

if SparkFiles._is_running_on_worker and not tf.config.threading.get_intra_op_parallelism_threads():  # noqa: SLF001
    # A fit has one slot, as every other estimator's.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


class KerasClassifier(wrappers.KerasClassifier):  # type: ignore[misc]
    """`scikeras.wrappers.KerasClassifier`."""


class KerasRegressor(wrappers.KerasRegressor):  # type: ignore[misc]
    """`scikeras.wrappers.KerasRegressor`."""
