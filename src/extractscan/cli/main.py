"""The application: commands, and the one place where an exception becomes an exit code.

Nothing here, nor at the top of any module in ``cli``, may import Polars, numba, datasketch or rich: ``--help`` must
answer in the time of ``import typer``.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer

from extractscan._version import __version__
from extractscan.cli.lazy import PLAIN, group_of

COMMANDS = {
    "score": "Rank the accounts and campaigns of LOGS by the evidence that they harvest the model.",
    "update": "Add what is new of LOGS to a standing CASE, judge all that it holds, and say what changed since the night before.",
    "inspect": "Show what log files hold: formats, fields, gaps in time, and which signals could not be assessed.",
    "convert": "Write LOGS as the canonical table, prompts and all: one row a request, the columns of the documentation.",
    "evaluate": "Measure a ranking against labels: recall at fixed false-positive rates, precision, campaigns, archetypes.",
    "simulate": "Write a labelled API log of the project's own text: attacks, look-alikes and people.",
    "power": "Tell which campaigns LOGS could have shown: put simulated ones in, made of the log's own traffic, and score again.",
    "verify": "Prove that nothing in CASE has changed since it was written, nor in LOGS.",
    "explain": "Tell why ACCOUNT scores as it does: bits by family and gate, streams, frames, coverage, rhythm, clusters, links.",
    "campaigns": "List the campaigns of CASE by rank: members, ties, evidence, models, activity, and what would settle them.",
    "clusters": "List the clusters of near-duplicate prompts of CASE, with the least similar pair that was still merged.",
    "timeline": "Show the requests of CASE over time, by campaign, account or model, the busiest first (UTC).",
    "trace": "Tell which accounts and campaigns of LOGS, or of CASE, harvested the data set SUSPECT, when, and how much of it.",
    "diff": "List the accounts and campaigns that are new, risen, fallen or gone from OLD to NEW.",
    "config": "Write, show or check the settings file.",
    "schema": "Print the JSON Schema (2020-12) of an output that programs may read.",
}
"""The commands in the order of ``--help``, each in ``cli/NAME.py``, with the first paragraph of its help."""

app = typer.Typer(
    name="extractscan",
    cls=group_of(COMMANDS),
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    **PLAIN,
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"extractscan {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Find model-extraction campaigns in LLM API logs, offline."""


def _name_variable(error: Any) -> None:
    """Have an error about an option say so when its value came from the environment."""
    context, parameter = getattr(error, "ctx", None), getattr(error, "param", None)
    if context is None or parameter is None:
        return
    source = context.get_parameter_source(parameter.name)
    if source is not None and source.name == "ENVIRONMENT":
        error.message = f"{error.message} (from the environment: {parameter.envvar})"


def run() -> None:
    """Run the command line and exit with the contract's code; no exception reaches the user as a traceback.

    With ``EXTRACTSCAN_DEBUG`` set, an internal error is raised as it is.
    """
    from extractscan.cli.console import error as say  # noqa: PLC0415
    from extractscan.cli.messages import as_json, use_messages  # noqa: PLC0415
    from extractscan.errors import ExtractscanError, UsageError  # noqa: PLC0415

    use_messages(None)
    try:
        code = app(prog_name="extractscan", standalone_mode=False)
    except ExtractscanError as error:
        say(str(error))
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        say("interrupted")
        sys.exit(130)
    except Exception as error:
        if hasattr(error, "format_message") and hasattr(error, "show"):  # the command line itself is wrong
            _name_variable(error)
            if as_json():
                say(error.format_message())
            else:
                error.show()
            sys.exit(getattr(error, "exit_code", UsageError.exit_code))
        if os.environ.get("EXTRACTSCAN_DEBUG"):
            raise
        say(f"internal error, please report it: {type(error).__name__}: {error}")
        sys.exit(ExtractscanError.exit_code)
    if code == 130:  # typer took the interrupt, and says nothing
        say("interrupted")
    sys.exit(code if isinstance(code, int) else 0)
