"""Trials as runs of MLflow: parameters, curves and test scores, each trial once, whoever logs it and how often."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipelines.board.trials import DONE, Trial
from pipelines.model import Tracking
from textmill.errors import EnvironmentProblem, TextmillError

if TYPE_CHECKING:
    from mlflow import MlflowClient

_URI = "MLFLOW_TRACKING_URI"
_TAG = "textmill.trial"
_ANSWER_SECONDS = 5
_PORTS = {"http": 80, "https": 443}
_METRICS, _PARAMS, _VALUE = 1000, 100, 6000
"""What MLflow takes in one call, and the longest value of a parameter."""
_PAGE = 1000


@dataclass(frozen=True)
class Server:
    """Where trials are logged: a tracking URI of MLflow, and the name of an experiment there."""

    uri: str
    experiment: str

    def check(self) -> None:
        """Raise EnvironmentProblem where MLflow is not installed, or nothing listens at an http(s) URI."""
        if find_spec("mlflow") is None:
            raise EnvironmentProblem(
                f"trials are to be logged to {self}, and mlflow is not installed: pip install 'textmill[mlflow]', "
                f"or unset {_URI} and tracking.uri of the definition"
            )
        where = urlsplit(self.uri)
        if where.scheme not in _PORTS or not where.hostname:
            return
        try:
            socket.create_connection((where.hostname, where.port or _PORTS[where.scheme]), _ANSWER_SECONDS).close()
        except OSError as error:
            raise EnvironmentProblem(
                f"no answer from the tracking server {self} ({error}): start it, or unset {_URI} and tracking.uri"
            ) from error

    def __str__(self) -> str:
        """The URI without user and password."""
        where = urlsplit(self.uri)
        return where._replace(netloc=where.netloc.rpartition("@")[2]).geturl() if where.netloc else self.uri


def server(given: Tracking, pipeline: str) -> Server | None:
    """The definition's, else that of MLFLOW_TRACKING_URI; None where neither is set."""
    uri = given.uri or os.environ.get(_URI)
    return Server(uri, given.experiment or os.environ.get("MLFLOW_EXPERIMENT_NAME") or pipeline) if uri else None


def log(trials: Iterable[Trial], to: Server) -> int:
    """Log the trials that are not there yet; how many those were. Raises TextmillError for what MLflow raises."""
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    try:
        client = MlflowClient(tracking_uri=to.uri)
        experiment = _experiment(client, to.experiment)
        known = set(_known(client, experiment))
        missing = [trial for trial in trials if _identity(trial) not in known]
        for trial in missing:
            _log(client, experiment, trial)
    except (MlflowException, OSError) as error:
        raise TextmillError(f"trials could not be logged to {to}: {error}") from error
    return len(missing)


def _experiment(client: MlflowClient, name: str) -> str:
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id if found else client.create_experiment(name))


def _identity(trial: Trial) -> str:
    """The same for a trial that another run reused; another for each attempt that failed."""
    return f"{trial.key[:32]}:{trial.name}" if trial.status == DONE else f"{trial.key[:32]}:{trial.ref}:{trial.status}"


def _known(client: MlflowClient, experiment: str) -> Iterator[str]:
    """Trials that are logged whole; what a logger that was killed began is removed."""
    token = None
    while True:
        page = client.search_runs([experiment], f"tags.`{_TAG}` LIKE '%'", max_results=_PAGE, page_token=token)
        for run in page:
            if run.info.status == "RUNNING":
                client.delete_run(run.info.run_id)
            else:
                yield run.data.tags[_TAG]
        if not (token := page.token):
            return


def _log(client: MlflowClient, experiment: str, trial: Trial) -> None:
    from mlflow.entities import Param

    now = int(time.time() * 1000)
    begun = now - int(1000 * (trial.seconds or 0))
    tags = {
        _TAG: _identity(trial),
        "mlflow.runName": trial.name,
        "textmill.run": trial.run,
        "textmill.date": trial.date,
    }
    if trial.error:
        tags["textmill.error"] = trial.error[-_VALUE:]
    run = client.create_run(experiment, start_time=begun, tags=tags).info.run_id
    given = {"model": trial.model, "engine": trial.engine, **trial.params, **trial.settings}
    params = [Param(name, str(value)[:_VALUE]) for name, value in given.items()]
    for part in _cut(params, _PARAMS):
        client.log_batch(run, params=part)
    for part in _cut(list(_metrics(trial, now)), _METRICS):
        client.log_batch(run, metrics=part)
    # Last, and what tells a whole one from one that was cut off.
    client.set_terminated(run, "FINISHED" if trial.status == DONE else "FAILED", now)


def _metrics(trial: Trial, now: int) -> Iterator[Any]:
    from mlflow.entities import Metric

    for number, epoch in enumerate(trial.epochs, 1):
        yield from (Metric(name, value, now, number) for name, value in epoch.items() if value is not None)
    measured = {
        "test_accuracy": trial.test.accuracy if trial.test else None,
        "test_macro_f1": trial.test.macro_f1 if trial.test else None,
        **{name: getattr(trial, name) for name in ("best_epoch", "parameters", "records_per_s", "seconds", "bytes")},
    }
    yield from (Metric(name, float(value), now, 0) for name, value in measured.items() if value is not None)


def _cut(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))
