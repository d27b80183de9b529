"""The distribution `textmill`: packages, extras for each engine, and the jar where it has been built."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

PACKAGES = ("textmill", "pipelines", "spark_jobs", "models", "spark_sklearn")
ROOT = Path(__file__).resolve().parent
JAR = ROOT / "build/libs/textmill.jar"

CORE = [
    # Spark 3.5 is the last line on Scala 2.12 and Java 8 bytecode, which BigDL's jars need. Exact, because the jar is
    # compiled against the jars inside this wheel.
    "pyspark==3.5.8",
    "pyarrow>=17,<22",  # mapInArrow, Parquet and memory-mapped shards; 21 is what Spark 3.5.8 was tried with
    "pandas>=2.2,<3",  # mapInArrow refuses to start without it (seen on 3.5.8); Spark 3.5 does not know pandas 3
    "numpy>=1.26,<2.1",  # TensorFlow 2.18's range, also where no engine is installed: one version everywhere
    "charset-normalizer>=3.4",  # which encoding to try for an input that is not UTF-8
    "pydantic>=2.7,<3",
    "click>=8.1",
    "rich>=13",
    "jinja2>=3.1",
    "pyyaml>=6",
    "sentencepiece>=0.2",
    "universal-pathlib>=0.3",  # stores and inputs on hdfs:// and object stores have pathlib's interface
    "xxhash>=3",  # Spark's hash, by which tensors are ordered: pairs a trial's predictions with the utterances
]
HDFS = ["hdfs-native==0.14.7"]  # a client without Java; 0.14.7 is what reads and writes were seen to agree with
S3 = ["s3fs>=2025.3"]
SERVE = ["aiohttp>=3.11", "prometheus-client>=0.21"]
MLFLOW = ["mlflow-skinny>=3,<4"]  # the client without a server
SKLEARN = ["scikit-learn>=1.5,<1.6", "joblib>=1.4", "threadpoolctl>=3.5"]  # its searches are subclassed
SWEEP = [
    "optuna>=4,<5",  # its sampler, for draw: {by: tpe} alone
    "scikeras==0.12.0",  # Keras models in scikit-learn's search; the last for tensorflow.keras, 0.13 is for Keras 3
]
LOCAL = [
    # Horovod 0.28.1 does not compile against TensorFlow 2.19 or later: its headers moved.
    "tensorflow-cpu==2.18.1",  # brings tensorboard
    # Multi-worker training fails under Keras 3 (PerReplica values); tf-keras is Keras 2 for this TensorFlow.
    "tf-keras==2.18.0",
]
EXTRAS = {
    "local": LOCAL,
    "tensorflowonspark": [
        *LOCAL,
        "tensorflowonspark==2.2.5",
        "setuptools<81",  # tensorflowonspark imports pkg_resources, which 81 drops
    ],
    "bigdl": [
        "bigdl-dllib-spark3==2.4.0",  # asks for pyspark==3.1.3: see requirements.overrides
        "bigdl-core==2.4.0.dev0",  # its native libraries; only a pre-release was published, found by an exact pin alone
    ],
    "horovod": [
        *LOCAL,
        "horovod==0.28.1",  # a source distribution only: it is compiled against the TensorFlow that is installed
    ],
    "hdfs": HDFS,
    "s3": S3,
    "s3test": [*S3, "moto[server]>=5"],  # a server that speaks S3
    "yarn": [*HDFS, "venv-pack>=0.2"],  # packs this environment for the nodes
    "sklearn": SKLEARN,
    "sweep": SWEEP,
    "serve": SERVE,
    "mlflow": MLFLOW,
    "test": [
        *HDFS,
        *SKLEARN,
        *SERVE,
        *MLFLOW,
        "sqlalchemy>=2",  # a store of mlflow in a file: its client alone has none
        "alembic>=1.13",
        "selenium>=4.30",  # steers chromium where `setup.sh --with browser` has installed it
        "schemathesis>=4",  # requests that a served OpenAPI description allows and forbids
        "pytest>=8",
        "pytest-timeout>=2.3",
        "hypothesis>=6.100",
        "jsonschema>=4.20",
        "psutil>=6",
        "venv-pack>=0.2",
    ],
    "bench": [
        "python-mecab-ko>=1.3",
        "kiwipiepy>=0.18",
        "psutil>=6",
        "datatrove==0.10.1",
        "regex",  # datatrove's own needs, which its package does not name
        "xxhash",
        "orjson",
        "tokenizers",
        "spacy",
        "datasketch>=1.6",
        "gensim>=4.3",
        "joblibspark>=0.6",
    ],
}


def version() -> str:
    """`textmill.__version__`, read as text: importing would need the dependencies that are about to be installed."""
    text = (ROOT / "textmill/__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if not found:
        raise RuntimeError('textmill/__init__.py has no line __version__ = "…"')
    return found[1]


class BuildWithJar(build_py):
    """Puts the jar into the wheel as textmill/jars/textmill.jar where `gradle jar` has built it.

    Without it the installation works, and `textmill doctor` names the jar as missing. An editable installation uses
    the one in build/libs.
    """

    def run(self) -> None:
        """Build from an empty folder: modules deleted since the last build would go into the wheel otherwise."""
        if self.editable_mode:
            super().run()
            return
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()
        if JAR.is_file():
            self.mkpath(str(self._packaged().parent))
            for built in JAR.parent.glob("textmill*.jar"):  # the second is there where BigDL is
                self.copy_file(str(built), str(self._packaged().with_name(built.name)))

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Also the jars, so that they are recorded and uninstalled."""
        outputs: list[str] = super().get_outputs(include_bytecode)
        return [*outputs, *map(str, sorted(self._packaged().parent.glob("textmill*.jar")))]

    def _packaged(self) -> Path:
        return Path(self.build_lib, "textmill/jars/textmill.jar")


if __name__ == "__main__":
    setup(
        name="textmill",
        version=version(),
        description="One YAML file takes raw text to a trained, evaluated, servable model on Spark",
        packages=find_packages(include=[pattern for name in PACKAGES for pattern in (name, f"{name}.*")]),
        package_data={
            "": ["*.json", "*.properties", "*.txt", "py.typed"]
            + [f"**/*.{kind}" for kind in ("html", "j2", "css", "js", "svg", "json")]
            + ["hosts/*"]
        },
        # The one Python that the whole stack was seen to run on: Spark 3.5, TensorFlow 2.18, BigDL 2.4, Horovod 0.28.
        python_requires=">=3.11,<3.12",
        install_requires=CORE,
        extras_require=EXTRAS,
        entry_points={"console_scripts": ["textmill = pipelines.cli:main"]},
        cmdclass={"build_py": BuildWithJar},
        zip_safe=False,
    )
