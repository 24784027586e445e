"""Text cut into whole lines, in bounded memory; and the numbers of lines, found when somebody asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from extractscan.logs.streams import Text


def whole_lines(text: Text, chunk: int, longest: int) -> Iterator[tuple[NDArray[np.uint8], str]]:
    """Bodies of about ``chunk`` bytes that end with a line break (the last may not), each with an empty problem.

    Without a body, what is wrong with the one line that would have come: it is longer than ``longest`` bytes, or the text ends there.
    A text whose last line has no end is marked as ``cut``.
    """
    tail, skipping = b"", False
    for parts in text.parts(chunk):
        last = parts[-1]
        if not skipping and (end := last.rfind(b"\n") + 1):
            yield _joined(tail, *parts[:-1], memoryview(last)[:end]), ""  # each byte is copied once
            tail = last[end:]
            continue
        data = b"".join(parts)
        cut = data.rfind(b"\n") + 1
        begin = 0
        if skipping:
            begin = data.find(b"\n") + 1
            if not begin:
                continue
            skipping = False
        elif not cut:
            tail += data
            if len(tail) > longest:
                yield _joined(), f"the line is too long (over {longest >> 20} MiB)"
                tail, skipping = b"", True
            continue
        body = _joined(tail, memoryview(data)[begin:cut])
        tail = data[cut:]
        if len(body):
            yield body, ""
    if text.problem is not None:
        yield _joined(), text.problem
    elif tail:
        text.cut = True
        yield _joined(tail), ""


def _joined(*parts: bytes | memoryview) -> NDArray[np.uint8]:
    """Put together. Large arrays lie in large pages of memory where the system has some, and kernels jump about in them."""
    out, at = np.empty(sum(len(part) for part in parts), np.uint8), 0
    for part in parts:
        out[at : at + len(part)] = np.frombuffer(part, np.uint8)
        at += len(part)
    return out


def stamped(buf: NDArray[np.uint8], starts: NDArray[Any], ends: NDArray[Any], stamp: int) -> NDArray[np.bool_]:
    """Which lines begin with a time, a blank and an object; ``stamp`` is the length of the first two."""
    long = np.flatnonzero(ends - starts > stamp)
    at = starts[long]
    fits = (
        (buf[at] - ord("0") < 10)
        & (buf[at + stamp - 2] == ord("Z"))
        & (buf[at + stamp - 1] == ord(" "))
        & (buf[at + stamp] == ord("{"))
    )
    out = np.zeros(len(starts), np.bool_)
    out[long[fits]] = True
    return out


class Counted:
    """Line numbers where each row is one line."""

    def __init__(self, first: int) -> None:
        self._first = first

    def __call__(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The numbers of some rows' lines."""
        return rows + self._first


class Breaks:
    """Line numbers of offsets into a buffer; line breaks are looked for only when somebody asks."""

    def __init__(self, buf: NDArray[np.uint8], first_line: int) -> None:
        self._buf, self._first = buf, first_line
        self._at: NDArray[np.int64] | None = None

    def lines(self, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
        """The line that each offset lies in."""
        if self._at is None:
            from extractscan.logs.breaks import line_breaks  # noqa: PLC0415 (a compiled kernel, of no use to tables)

            self._at = line_breaks(self._buf)
        return self._first + np.searchsorted(self._at, offsets)


class Placed:
    """Line numbers where each row begins at an offset."""

    def __init__(self, places: Breaks, starts: NDArray[np.int64]) -> None:
        self._places, self._starts = places, starts

    def __call__(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The numbers of some rows' lines."""
        return self._places.lines(self._starts[rows])


class Chosen:
    """Line numbers of some rows of a larger batch."""

    def __init__(self, line: Callable[[NDArray[np.int64]], NDArray[np.int64]], kept: NDArray[np.int64]) -> None:
        self._line, self._kept = line, kept

    def __call__(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The numbers of some rows' lines."""
        return self._line(self._kept[rows])
