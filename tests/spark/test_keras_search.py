"""A Keras model in scikit-learn's search, its fits on Spark."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from pyspark.sql import SparkSession
from sklearn import model_selection
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import spark_sklearn

if find_spec("scikeras") is None:  # to import it here would import TensorFlow with Keras 3
    pytest.skip("scikeras is not installed: scripts/setup.sh --with sklearn,sweep", allow_module_level=True)


def network(units: int, meta: dict[str, Any]) -> Any:
    """A hidden layer of this many units."""
    from tensorflow import keras

    layers = [
        keras.layers.Dense(units, activation="relu"),
        keras.layers.Dense(meta["n_classes_"], activation="softmax"),
    ]
    return keras.Sequential([keras.Input((meta["n_features_in_"],)), *layers])


def test_a_keras_model_is_searched_as_any_estimator(spark: SparkSession) -> None:
    from spark_sklearn.keras import KerasClassifier

    X, y = load_iris(return_X_y=True)
    wrapped = KerasClassifier(network, loss="sparse_categorical_crossentropy", optimizer="adam", units=4, epochs=30,
                              optimizer__learning_rate=0.05, batch_size=32, random_state=0, verbose=0)  # fmt: skip
    pipeline = make_pipeline(StandardScaler(), wrapped)
    grid = {"kerasclassifier__units": [1, 16], "kerasclassifier__epochs": [1, 30]}
    found = spark_sklearn.GridSearchCV(spark, pipeline, grid, cv=3, error_score=np.nan).fit(X, y)
    scores = dict(zip(map(repr, found.cv_results_["params"]), found.cv_results_["mean_test_score"], strict=True))
    assert found.best_params_ == {"kerasclassifier__epochs": 30, "kerasclassifier__units": 16}
    assert found.best_score_ > 0.9 > min(scores.values())
    assert found.predict(X).shape == y.shape and found.score(X, y) > 0.9
    own = model_selection.GridSearchCV(pipeline, {"kerasclassifier__units": [16]}, cv=3).fit(X, y)
    assert own.best_score_ == pytest.approx(found.best_score_, abs=0.02)


@pytest.mark.parametrize("use", ["tf.keras.layers", "tf.constant"])
def test_keras_3_in_the_same_process_is_refused(use: str) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
    command = [sys.executable, "-c", f"import tensorflow as tf; {use}; import spark_sklearn.keras"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode and "import spark_sklearn.keras first, or set TF_USE_LEGACY_KERAS=1" in done.stderr
