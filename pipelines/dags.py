"""Airflow DAGs, one for each definition of a folder. Needs Airflow and PyYAML alone, not textmill's environment.

In a file of Airflow's `dags` folder, with textmill's checkout on PYTHONPATH:

    from pipelines.dags import dags  # an airflow dag: Airflow passes over files in which it doesn't read these words
    globals().update(dags("/srv/definitions", textmill=["/srv/textmill/.venv/bin/textmill"]))
"""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines import crontime, source
from textmill import names, quoting
from textmill.errors import InputError

if TYPE_CHECKING:
    from airflow import DAG

_DATES = {
    "today": "{{ data_interval_end.strftime('%Y-%m-%d') }}",
    "yesterday": "{{ macros.ds_add(data_interval_end.strftime('%Y-%m-%d'), -1) }}",
}


def dags(
    folder: str | Path,
    textmill: Sequence[str] = ("textmill",),
    *,
    profile: str | None = None,
    start: dt.datetime = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc),
    retries: int = 2,
    retry_delay: dt.timedelta = dt.timedelta(minutes=5),
) -> dict[str, DAG]:
    """A DAG for every definition (*.yaml) in `folder` that has a `schedule`, by its id `textmill_NAME`.

    `textmill` is the command that is followed by `daily FILE --date …`; that of a cluster is
    `["/srv/textmill/scripts/submit.sh"]`. A retry while the first attempt still runs is refused by the lease that
    that one holds, and one after its death takes the lease over: there is never a second application.
    Raises InputError, or DefinitionError, naming the file: Airflow shows that as an import error.
    """
    found = {}
    for file in sorted(Path(folder).absolute().glob("*.yaml")):
        given = source.read(file).data
        if isinstance(given.get("schedule"), dict):
            command = [*textmill, "daily", str(file), *(["--profile", profile] if profile else [])]
            try:
                name = names.checked(given.get("name"))
                dag = _dag(name, given["schedule"], command, file.parent, start, retries, retry_delay)
            except ValueError as error:
                raise InputError(f"{file}: {error}") from error
            found[dag.dag_id] = dag
    return found


def _dag(
    name: str,
    schedule: dict[str, Any],
    command: Sequence[str],
    folder: Path,
    start: dt.datetime,
    retries: int,
    retry_delay: dt.timedelta,
) -> DAG:
    from airflow import DAG

    try:
        from airflow.providers.standard.operators.bash import BashOperator  # Airflow 3
    except ImportError:
        from airflow.operators.bash import BashOperator
    # Dates that were missed are textmill's to catch up with: it knows which have been run.
    dag = DAG(
        f"textmill_{name}",
        schedule=crontime.checked(str(schedule.get("cron", "0 3 * * *"))),
        start_date=start,
        catchup=False,
        max_active_runs=1,
        tags=["textmill"],
    )
    if (date := _DATES.get(schedule.get("day", "today"))) is None:
        raise InputError(f"schedule.day: '{schedule['day']}' is not one of {', '.join(_DATES)}")
    catch_up = int(schedule.get("catchup", 0))
    dates = f"--until {date}" if catch_up else f"--date {date}"
    BashOperator(
        task_id="daily",
        dag=dag,
        bash_command=f"exec {quoting.jinja(shlex.join(command))} {dates}",  # exec: a signal to the task reaches textmill itself
        cwd=quoting.jinja(str(folder)) if "cwd" in BashOperator.template_fields else str(folder),
        append_env=True,
        retries=retries,
        retry_delay=retry_delay,
    )
    return dag
