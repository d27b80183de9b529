"""The command line: one file per verb, loaded when the verb is called."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from textmill import __version__

_VERBS = {
    "check": "Validate a definition; every problem on its own line.",
    "plan": "Say for every step whether it runs or is reused, and why.",
    "run": "Run a definition: prepare, train, evaluate, report.",
    "daily": "Run a definition for a date: once, alone, promoted by its rule.",
    "backfill": "Run a definition for each date of a range.",
    "schedule": "Let cron or systemd start the daily run.",
    "why": "Explain what a step's output depends on and what changed.",
    "peek": "Show sample rows of a step, also of those set aside.",
    "runs": "List runs, the newest first.",
    "show": "Show one run.",
    "board": "Compare all trainings and trials of a pipeline.",
    "compare": "Compare two trials on the test rows they share, utterance by utterance.",
    "promote": "Publish what a run trained, if it is better than the last version.",
    "versions": "List published versions.",
    "rollback": "Go back to an earlier version.",
    "score": "Classify a table with a published model or that of a run.",
    "serve": "Answer over HTTP with a published model.",
    "export": "Send a training and its tensors to GPU machines.",
    "verify": "Reread what a run or a version refers to; name what is damaged.",
    "gc": "Remove runs and outputs that nothing refers to any more.",
    "schema": "Print the JSON Schema of definitions, for editors.",
    "operations": "List the operations of steps, or one operation's parameters.",
    "models": "List the models of the catalogue, or one model's parameters.",
    "doctor": "Check Java, the jar, Spark and the engines of this installation.",
}


class _Verbs(click.Group):
    """Imports only the verb that is called: others bring Spark or TensorFlow with them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return import_module(f"pipelines.cli.{name}").command if name in _VERBS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(_VERBS.items()))


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="textmill")
def cli() -> None:
    """One YAML file from raw text to a trained, evaluated, servable model."""


def main() -> None:
    """Entry point of the `textmill` command. Exit 0 success, 1 the run failed, 2 the input is wrong, 130 interrupted."""
    from pipelines import console
    from textmill.errors import StoreFailed, TextmillError

    try:
        code = cli(standalone_mode=False)
    except TextmillError as error:
        console.say(str(error), err=True)
        if error.resume:
            console.say(f"resume: {error.resume}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.message = console.clean(error.message)
        error.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        console.say("interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of a pipe, such as `head`, has seen enough
        sys.exit(0)
    except OSError as error:  # such as a disk that is full, or can only be read
        console.say(str(StoreFailed.of(error)), err=True)
        sys.exit(StoreFailed.exit_code)
    sys.exit(code if isinstance(code, int) else 0)
