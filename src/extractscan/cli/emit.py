"""Where the text of a command goes: standard output, or a file that appears whole."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import TYPE_CHECKING

from extractscan.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from extractscan.report.interface import RenderOptions


class DocumentFormat(StrEnum):
    """What ``--format`` takes where the output is one document."""

    TABLE = "table"
    JSON = "json"


class ListingFormat(StrEnum):
    """What ``--format`` takes where the output is a list."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


def check_place(output: Path | None, *, clobber: bool, case: Path | None = None) -> None:
    """Raise ``UsageError`` if text could not be written there, or would change the case; for use before the work."""
    # ruff: noqa: PLC0415 -- --help pays for typer alone
    from extractscan.report.interface import Format
    from extractscan.report.write import check_output

    check_output(Format.JSON, output, clobber=clobber)  # whatever is text is as good
    if case is not None:
        keep_out(output, case)


def keep_out(output: Path | None, case: Path) -> None:
    """Raise ``UsageError`` if the output would lie in the case."""
    if output is not None and str(output) != "-" and output.resolve().is_relative_to(case.resolve()):
        raise UsageError(
            "the output would lie in the case, which would then no longer be what was written; choose another"
        )


def spare(written: Path | None, read: Sequence[str]) -> None:
    """Raise ``UsageError`` rather than write over a file that was read."""
    if written is None or str(written) == "-" or not written.exists():
        return
    for name in read:
        if os.path.exists(name) and written.samefile(name):  # noqa: PTH110 -- a name may be a label, not a path
            raise UsageError("the output is one of the files that were read; choose another")


def emit(render: Callable[[RenderOptions], str], output: Path | None, *, clobber: bool) -> None:
    """Render for the output's kind and write. Raises ``UsageError`` and ``ExtractscanError`` as ``report.write`` does."""
    import sys

    from extractscan.report.interface import RenderOptions
    from extractscan.report.write import display_options, standard_output, write_file

    if output is None or str(output) == "-":
        options = RenderOptions() if sys.stdout is None else display_options(sys.stdout, os.environ)
        text = render(options)
        with standard_output() as stream:
            if options.unicode:
                stream.write(text)
            else:
                stream.write(text.encode("ascii", "replace").decode("ascii"))
        return
    data = render(RenderOptions()).encode()

    def fill(stream: BinaryIO) -> None:
        stream.write(data)

    write_file(output, fill, clobber=clobber)
