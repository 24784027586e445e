"""The application: commands, and the one place where an exception becomes an exit code.

Nothing here, nor at the top of any module in ``cli``, may import Polars, numba, datasketch or rich: ``--help`` must
answer in the time of ``import typer``.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from extractscan._version import __version__
from extractscan.cli.campaigns import campaigns
from extractscan.cli.clusters import clusters
from extractscan.cli.convert import convert
from extractscan.cli.diff import diff
from extractscan.cli.evaluate import evaluate
from extractscan.cli.explain import explain
from extractscan.cli.inspect import inspect
from extractscan.cli.power import power
from extractscan.cli.schema import schema
from extractscan.cli.score import score
from extractscan.cli.simulate import simulate
from extractscan.cli.timeline import timeline
from extractscan.cli.update import update
from extractscan.cli.verify import verify

app = typer.Typer(
    name="extractscan",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # rich costs as much start-up time as typer itself
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
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


app.command()(score)
app.command()(update)
app.command()(inspect)
app.command()(convert)
app.command()(evaluate)
app.command()(simulate)
app.command()(power)
app.command()(verify)
app.command()(explain)
app.command()(campaigns)
app.command()(clusters)
app.command()(timeline)
app.command()(diff)
app.command()(schema)


def run() -> None:
    """Run the command line and exit with the contract's code; no exception reaches the user as a traceback.

    With ``EXTRACTSCAN_DEBUG`` set, an internal error is raised as it is.
    """
    from extractscan.cli.console import error as say  # noqa: PLC0415
    from extractscan.errors import ExtractscanError  # noqa: PLC0415

    try:
        app(prog_name="extractscan")
    except ExtractscanError as error:
        say(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        say("interrupted")
        sys.exit(130)
    except SystemExit as end:
        if end.code == 130:  # typer took the interrupt, and says nothing
            say("interrupted")
        raise
    except Exception as error:
        if os.environ.get("EXTRACTSCAN_DEBUG"):
            raise
        say(f"internal error, please report it: {type(error).__name__}: {error}")
        sys.exit(ExtractscanError.exit_code)
