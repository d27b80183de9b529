"""The distribution `textmill`. Versions are pinned in requirements.lock, made from what is required here."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "textmill/__init__.py").read_text()).group(1)
JAR = HERE / "build/libs/textmill.jar"

CORE = [
    "pyspark>=3.5.8,<3.6",  # the line BigDL 2.4 and TensorFlowOnSpark 2.2 run on; Spark 4 needs Scala 2.13
    "pyarrow>=21,<22",
    "pandas>=2.2.3,<3",  # pyspark 3.5 turns query results into pandas 2 frames
    "numpy>=2.0.2,<2.1",  # TensorFlow 2.18 wants < 2.1
    "pydantic>=2.9,<3",
    "pyyaml>=6",
    "click>=8.1",
    "rich>=13",
    "jinja2>=3.1",
]
LOCAL = [
    "tensorflow-cpu==2.18.1",  # the newest that Horovod 0.28.1 builds against
    "tf-keras==2.18.0",  # multi-worker training fails under Keras 3
    "protobuf>=5,<6",
    "setuptools<81",  # tensorboard and tensorflowonspark import pkg_resources
]
EXTRAS = {
    "local": LOCAL,
    "tensorflowonspark": [*LOCAL, "tensorflowonspark==2.2.5"],
    "bigdl": ["bigdl-dllib-spark3==2.4.0", "bigdl-core==2.4.0.dev0"],  # the last release; the pre-release has its natives
    "horovod": [*LOCAL, "horovod==0.28.1"],  # built from source
    "test": ["pytest>=8", "pytest-timeout>=2.3", "hypothesis>=6.100", "jsonschema>=4.20"],
    "bench": ["python-mecab-ko>=1.3", "kiwipiepy>=0.20", "psutil>=6"],
}


class BuildWithJar(build_py):
    """Puts the jar into the package where Gradle has built it; without it `textmill doctor` says what is missing."""

    def run(self) -> None:
        super().run()
        if JAR.is_file() and not self.editable_mode:
            target = Path(self.build_lib, "textmill/jars/textmill.jar")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(JAR, target)


setup(
    name="textmill",
    version=VERSION,
    description="One YAML file from raw text to a trained, evaluated, servable model, on Spark",
    packages=find_packages(include=["textmill", "pipelines*", "spark_jobs", "models*"]),
    package_data={"spark_jobs": ["log4j2.properties"], "pipelines.report": ["templates/*"]},
    python_requires=">=3.11,<3.12",  # BigDL and TensorFlowOnSpark are tried on 3.11; 3.12 lacks distutils, which they import
    install_requires=CORE,
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["textmill = pipelines.cli:main"]},
    cmdclass={"build_py": BuildWithJar},
)
