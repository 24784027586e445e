"""Keep a native library's last words off the user's terminal."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_STDERR: Final = 2
_LINGER: Final = 0.1
"""Seconds: other threads that panic for the same reason speak after the exception has come out."""

_LOCK: Final = threading.RLock()


@contextlib.contextmanager
def hold_stderr() -> Iterator[None]:
    """Hold back what anyone writes to standard error meanwhile; pass it on afterwards, unless an exception came out.

    Polars decodes damaged Parquet in threads that print a panic and a backtrace before the error is raised as an
    exception, which tells all that a user needs. File descriptors belong to the process: one thread at a time holds.
    """
    with _LOCK, contextlib.ExitStack() as stack:
        try:
            saved = os.dup(_STDERR)
        except OSError:  # there is no standard error to keep clean
            yield
            return
        stack.callback(os.close, saved)
        held = stack.enter_context(tempfile.TemporaryFile(buffering=0))
        os.dup2(held.fileno(), _STDERR)
        try:
            yield
        except BaseException:
            time.sleep(_LINGER)
            raise
        finally:
            os.dup2(saved, _STDERR)
        held.seek(0)
        while data := held.read(1 << 16):
            os.write(_STDERR, data)
