"""Settings of all tests."""

from __future__ import annotations

import os

from hypothesis import settings

# No test measures time: machines are shared, and a first call pays for imports.
settings.register_profile("textmill", deadline=None)
settings.load_profile("textmill")

# Spark's launcher gives this to every JVM with a driver: tests work on few rows, and compiling hot code for many costs
# them a quarter of their time.
os.environ.setdefault("SPARK_SUBMIT_OPTS", "-XX:TieredStopAtLevel=1")

# TensorFlow binds to one Keras when a process first imports it, and here one process runs tests of all modules.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
