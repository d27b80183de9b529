"""What a person sees of a run: a progress bar on a terminal, one line per step anywhere else."""

from __future__ import annotations

import sys
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pipelines import console
from pipelines.plan import Planned
from pipelines.runs import Record


class Listener(Protocol):
    """Hears of what a run does."""

    def say(self, text: str) -> None:
        """A line for people."""

    def started(self, planned: Planned) -> None:
        """A step starts."""

    def advanced(self, share: float, text: str) -> None:
        """The step that runs has done this share (0 to 1) of its work."""

    def ended(self, step: Record) -> None:
        """A step is done, reused or failed."""


class Silent:
    """For `--json`: standard output holds the result alone."""

    def say(self, text: str) -> None:
        """Nothing."""

    def started(self, planned: Planned) -> None:
        """Nothing."""

    def advanced(self, share: float, text: str) -> None:
        """Nothing."""

    def ended(self, step: Record) -> None:
        """Nothing."""


class Lines(Silent):
    """One line per step on standard output."""

    def say(self, text: str) -> None:
        """Print it."""
        print(console.clean(text), flush=True)

    def ended(self, step: Record) -> None:
        """Print the step's line."""
        self.say(line(step))


class Bar(Lines):
    """Lines, and under them a bar for the step that runs."""

    def __init__(self, console: Console) -> None:
        columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[text]}")
        self._progress = Progress(*columns, TimeElapsedColumn(), console=console, transient=True)
        self._console = console

    def say(self, text: str) -> None:
        """Print it above the bar."""
        self._console.print(console.clean(text), markup=False, highlight=False)

    def started(self, planned: Planned) -> None:
        """Show a bar for the step."""
        self._task = self._progress.add_task(planned.step, total=1.0, text="")
        self._progress.start()

    def advanced(self, share: float, text: str) -> None:
        """Move the bar."""
        self._progress.update(self._task, completed=share, text=console.cell(text))

    def ended(self, step: Record) -> None:
        """Take the bar away and print the step's line."""
        self._progress.stop()
        for task in self._progress.task_ids:
            self._progress.remove_task(task)
        super().ended(step)


def listener(as_json: bool) -> Listener:
    """The listener that fits where standard output goes."""
    if as_json:
        return Silent()
    return Bar(Console()) if sys.stdout.isatty() else Lines()


def line(step: Record) -> str:
    """`clean  run  903 rows, 12 dropped  2.3 s  (no earlier output)`, and under it what a person should look at."""
    rows = ", ".join(f"{rows:,} {part}" for part, rows in (step.get("rows") or {}).items())
    action = "failed" if step["status"] == "failed" else step["action"]
    seconds = "" if step["action"] != "run" else f"{step['seconds']:.1f} s"
    said = f"{step['step']:<18} {action:<6} {seconds:>8}  {step.get('note') or rows}  ({step['why']})"
    return "\n    warning: ".join(map(console.shown, [said, *(step.get("warnings") or ())]))
