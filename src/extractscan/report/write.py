"""A report to standard output or to a file: whole or not at all, and never over something by accident."""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import secrets
import stat
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO, cast

from extractscan.errors import ExtractscanError, UsageError
from extractscan.report.formats import renderer
from extractscan.report.interface import RenderOptions
from extractscan.report.neutralise import terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from extractscan.report.interface import Format, Renderer
    from extractscan.verdict.findings import Findings

PIPED_WIDTH = 120
"""Cells, where no terminal says how wide it is."""

_USER_MENDS = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.EISDIR, errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP}
)


def check_output(chosen: Format, output: Path | None, *, clobber: bool) -> None:
    """Raise ``UsageError`` if the report could not be written there; for use before the long work.

    ``output`` None or ``-`` is standard output.
    """
    media = renderer(chosen).media  # for every output: a format may lack its package
    if output is None or str(output) == "-":
        if media == "bytes" and _is_terminal(_stdout()):
            raise UsageError(f"{chosen} is a binary format: write it to a file with -o FILE, or send it into a pipe")
        return
    if output.is_dir():
        raise UsageError(f"{_name(output)} is a folder; -o takes a file")
    if not output.parent.is_dir():
        raise UsageError(f"the folder {_name(output.parent)} does not exist")
    if not clobber and output.exists() and not _is_special(output):
        raise UsageError(f"{_name(output)} exists; use --clobber to replace it")


def write_report(
    findings: Findings,
    chosen: Format,
    *,
    output: Path | None = None,
    clobber: bool = False,
    top: int | None = None,
    using: Renderer | None = None,
) -> None:
    """Render ``findings`` to ``output``, or to standard output if it is None or ``-``; ``using`` another renderer than the format's.

    A file appears complete or not at all. A reader that closes the pipe early, as ``head`` does, is no error. Raises
    ``UsageError`` for an output that the user must choose differently and ``ExtractscanError`` if writing fails.
    """
    check_output(chosen, output, clobber=clobber)
    chosen_renderer = using or renderer(chosen)
    if output is None or str(output) == "-":
        options = replace(display_options(_stdout(), os.environ), top=top)
        with standard_output() as stream:
            if chosen_renderer.media == "text" and (chosen_renderer.for_people or not hasattr(stream, "buffer")):
                chosen_renderer.render(findings, options, stream)
            else:
                _render_bytes(chosen_renderer, findings, options, stream.buffer)
        return
    read = [*findings.run.files, *(findings.run.baseline.files if findings.run.baseline else ())]
    if any(_same_file(output, Path(file.path)) for file in read):
        raise UsageError(f"{_name(output)} is one of the logs that were read; choose another output")
    options = RenderOptions(top=top, width=_asked_width(os.environ) or PIPED_WIDTH)
    write_file(output, lambda stream: _render_bytes(chosen_renderer, findings, options, stream), clobber=clobber)


def _render_bytes(chosen: Renderer, findings: Findings, options: RenderOptions, stream: BinaryIO) -> None:
    if chosen.media == "bytes":
        chosen.render(findings, options, stream)
    else:  # a codec's writer, since a TextIOWrapper closes the stream that it was given
        chosen.render(findings, options, cast("TextIO", codecs.getwriter("utf-8")(stream)))


def display_options(stream: TextIO, environ: Mapping[str, str]) -> RenderOptions:
    """Return what a text stream can show: width in cells, colour, and characters beyond ASCII.

    Colour needs a terminal, and neither ``NO_COLOR`` nor ``TERM=dumb``. ``COLUMNS`` overrides the width.
    """
    on_terminal = _is_terminal(stream)
    width = _asked_width(environ)
    if width is None:
        width = PIPED_WIDTH
        if on_terminal:
            with contextlib.suppress(OSError, ValueError):
                width = os.get_terminal_size(stream.fileno()).columns or PIPED_WIDTH
    return RenderOptions(
        width=width,
        colour=on_terminal and not environ.get("NO_COLOR") and environ.get("TERM") not in ("dumb", "unknown"),
        unicode=is_utf8(stream),
    )


def is_utf8(stream: TextIO) -> bool:
    """Tell whether a text stream can take any character."""
    return (getattr(stream, "encoding", None) or "utf-8").lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig")


@contextlib.contextmanager
def standard_output() -> Iterator[TextIO]:
    """Give standard output, and flush it.

    A pipe that its reader closes ends the block in silence. Raises ``UsageError`` when there is no standard output and
    ``ExtractscanError`` when writing fails for another reason.
    """
    stream = _stdout()
    try:
        yield stream
        stream.flush()
    except BrokenPipeError:
        # What is still buffered would raise again when Python exits.
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
    except OSError as error:
        with contextlib.suppress(OSError, ValueError):
            stream.close()
        raise ExtractscanError(f"cannot write to standard output: {_reason(error)}") from error


def write_file(output: Path, fill: Callable[[BinaryIO], None], *, clobber: bool) -> None:
    """Have ``fill`` write a file that appears under its name only when it is complete and on disk.

    Devices and named pipes are written straight. A link is followed. Raises ``UsageError`` and ``ExtractscanError``.
    """
    try:
        if _is_special(output):
            with output.open("wb") as stream:
                fill(stream)
            return
        target = output.resolve()  # replacing a link would leave the old file where it points
        temporary = target.with_name(f".extractscan-{secrets.token_hex(6)}.tmp")
        try:
            with temporary.open("xb") as stream:
                fill(stream)
                stream.flush()
                os.fsync(stream.fileno())
            if target.exists():
                if not clobber:  # it came while we worked
                    raise UsageError(f"{_name(output)} exists; use --clobber to replace it")
                temporary.chmod(stat.S_IMODE(target.stat().st_mode))
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except BrokenPipeError:
        return
    except OSError as error:
        kind = UsageError if error.errno in _USER_MENDS else ExtractscanError
        raise kind(f"cannot write {_name(output)}: {_reason(error)}") from error


def _stdout() -> TextIO:
    stream: TextIO | None = sys.stdout  # None when the shell closed it
    if stream is None:
        raise UsageError("standard output is closed; write to a file with -o FILE")
    return stream


def _asked_width(environ: Mapping[str, str]) -> int | None:
    columns = environ.get("COLUMNS", "")
    return int(columns) or None if columns.isascii() and columns.isdecimal() and len(columns) < 6 else None


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def _is_special(path: Path) -> bool:
    """Tell whether the path is there and neither a regular file nor a folder: a device, a pipe, a socket."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return False


def _name(path: Path) -> str:
    return terminal(str(path), limit=200)


def _reason(error: OSError) -> str:
    return terminal(error.strerror or str(error), limit=200)
