"""The application: commands, and the one place where an exception becomes an exit code.

Nothing here, nor at the top of any module in ``cli``, may import Polars, numba, datasketch or rich: ``--help`` must
answer in the time of ``import typer``.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from extractscan._version import __version__

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


def run() -> None:
    """Run the command line and exit with the contract's code."""
    from extractscan.errors import ExtractscanError  # noqa: PLC0415

    try:
        app()
    except ExtractscanError as error:
        sys.stderr.write(f"extractscan: {error}\n")
        sys.exit(error.exit_code)
