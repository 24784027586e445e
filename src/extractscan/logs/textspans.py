"""From spans of raw bytes to columns of text: escapes undone, broken UTF-8 repaired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
import pyarrow as pa

from extractscan.jit import leaf
from extractscan.logs.blocks import WIDTH, below, beyond_ascii, copy, escapes, lowest, same
from extractscan.logs.jsongrammar import hex4
from extractscan.logs.spans import PLAIN, QUOTED, STRING, Utf8, offsets, readable

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ALL: Final = np.uint64(0xFFFFFFFFFFFFFFFF)
_ROOM: Final = 2 * WIDTH
_ESCAPED: Final = np.arange(256, dtype=np.uint8)
"""What the byte after a backslash stands for: itself, unless it is one of five letters."""
_ESCAPED[list(b"bfnrt")] = list(b"\b\f\n\r\t")


def take(
    buf: NDArray[np.uint8], start: NDArray[Any], end: NDArray[Any], kind: NDArray[np.uint8]
) -> tuple[pl.Series, int]:
    """The text of each span (null where ``kind`` is 0) as a String series, and how many needed their UTF-8 repaired.

    JSON strings are unescaped (a lone surrogate becomes U+FFFD), CSV fields in quotes have doubled quotes made single,
    anything else is taken as it is. Bytes that are not UTF-8 become U+FFFD, as ``bytes.decode(errors="replace")`` does.
    """
    out, edges, repaired = _texts(buf, start, end, kind)
    present = kind != 0
    validity = None if present.all() else pa.py_buffer(np.packbits(present, bitorder="little"))
    array = pa.LargeStringArray.from_buffers(len(start), pa.py_buffer(edges), pa.py_buffer(out), validity)
    return pl.Series(array), repaired


def unescaped(
    buf: NDArray[np.uint8], start: NDArray[Any], end: NDArray[Any], kind: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """As ``take``, but the texts as bytes, with the start and end of each."""
    out, edges, _ = _texts(buf, start, end, kind)
    return out.view(Utf8), edges[:-1], edges[1:]


def _texts(
    buf: NDArray[np.uint8], start: NDArray[Any], end: NDArray[Any], kind: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.int64], int]:
    trusted = isinstance(buf, Utf8)
    lengths = np.where(kind == 0, 0, end - start).astype(np.int64)
    buf, start, end, kind = readable(buf), offsets(start), offsets(end), np.ascontiguousarray(kind)
    edges = np.empty(len(start) + 1, np.int64)
    size = int(lengths.sum())
    out = np.empty(size + _ROOM, np.uint8)
    repaired = _take(buf, start, end, kind, out, edges, 0, trusted)
    if repaired < 0:  # a repaired byte takes three: begin again with room for the worst
        out = np.empty(3 * size + _ROOM, np.uint8)
        repaired = _take(buf, start, end, kind, out, edges, 2 * size, trusted)
    return out, edges, repaired


def decode(series: pl.Series) -> pl.Series:
    """A Binary series as text, with what is not UTF-8 replaced."""
    buf, start, end = raw(series)
    kind = np.where(series.is_null().to_numpy(), 0, PLAIN).astype(np.uint8)
    return take(buf, start, end, kind)[0]


def raw(series: pl.Series) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Bytes of a String or Binary series with start and end of each value; a null is an empty span."""
    array = series.rechunk().to_arrow()
    array = pa.concat_arrays(array.chunks) if isinstance(array, pa.ChunkedArray) else array
    array = array.cast(pa.large_binary())
    _, edges, data = array.buffers()
    first = array.offset
    at = np.frombuffer(edges, np.int64)[first : first + len(array) + 1]
    body = np.frombuffer(data, np.uint8) if data is not None and data.size else np.empty(0, np.uint8)
    if series.dtype == pl.String:
        body = body.view(Utf8)
    end = at[1:]
    if series.null_count():  # Arrow may keep bytes under a null
        end = np.where(series.is_null().to_numpy(), at[:-1], end)
    return body, at[:-1], end


def spread(where: NDArray[Any], values: pl.Series, rows: int) -> pl.Series:
    """``values`` at the positions ``where`` (ascending) of a series of ``rows`` rows, null elsewhere."""
    if len(where) == rows:
        return values
    at = np.full(rows, -1, np.int64)
    at[where] = np.arange(len(where))
    return picked(values, at)


def picked(values: pl.Series, at: NDArray[np.int64]) -> pl.Series:
    """``values`` at the positions ``at``, null where that is negative."""
    return values.gather(pl.Series(pa.array(at, mask=at < 0)))


@leaf
def _put(out: Any, at: int, code: int) -> int:
    """Write the code point ``code`` as UTF-8; returns the index after it. The room is the caller's care."""
    if code < 0x80:
        out[at] = code
        return at + 1
    if code < 0x800:
        out[at] = 0xC0 | (code >> 6)
        out[at + 1] = 0x80 | (code & 0x3F)
        return at + 2
    if code < 0x10000:
        out[at] = 0xE0 | (code >> 12)
        out[at + 1] = 0x80 | ((code >> 6) & 0x3F)
        out[at + 2] = 0x80 | (code & 0x3F)
        return at + 3
    out[at] = 0xF0 | (code >> 18)
    out[at + 1] = 0x80 | ((code >> 12) & 0x3F)
    out[at + 2] = 0x80 | ((code >> 6) & 0x3F)
    out[at + 3] = 0x80 | (code & 0x3F)
    return at + 4


@leaf
def _sequence(buf: Any, i: int, end: int) -> int:
    """Length of the UTF-8 sequence at ``i``, or minus the number of bytes that one replacement character stands for."""
    c = buf[i]
    low, high = 0x80, 0xBF
    if 0xC2 <= c <= 0xDF:
        more = 1
    elif 0xE0 <= c <= 0xEF:
        more = 2
        if c == 0xE0:
            low = 0xA0
        elif c == 0xED:
            high = 0x9F
    elif 0xF0 <= c <= 0xF4:
        more = 3
        if c == 0xF0:
            low = 0x90
        elif c == 0xF4:
            high = 0x8F
    else:
        return -1
    for k in range(1, more + 1):
        if i + k >= end or not low <= buf[i + k] <= high:
            return -k
        low, high = 0x80, 0xBF
    return more + 1


@leaf
def _escape(buf: Any, i: int, end: int, out: Any, at: int) -> tuple[int, int]:
    """Undo the JSON escape of a code unit at ``i``; returns the indices after it in ``buf`` and ``out``.

    A text that only looks like a string may hold what is no escape: its backslash is kept.
    """
    if i + 6 > end or hex4(buf, i + 2) < 0:
        out[at] = 92
        return i + 1, at + 1
    code = hex4(buf, i + 2)
    i += 6
    if 0xD800 <= code < 0xDC00 and i + 6 <= end and buf[i] == 92 and buf[i + 1] == 117:
        low = hex4(buf, i + 2)
        if 0xDC00 <= low < 0xE000:
            return i + 6, _put(out, at, 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00))
    if 0xD800 <= code < 0xE000:
        code = 0xFFFD
    return i, _put(out, at, code)


@leaf
def _take(buf: Any, starts: Any, ends: Any, kinds: Any, out: Any, offsets: Any, spare: int, trusted: bool) -> int:
    """Write all texts; returns how many were repaired, or -1 if ``out`` is too small.

    ``spare`` is the room in ``out`` beyond the length of the input. Only a repair can write more than it reads. Bytes that
    are ``trusted`` to be UTF-8 are not looked at for it.
    """
    at = 0
    before = 0
    repaired = 0
    offsets[0] = 0
    limit = 256 if trusted else 128
    for row in range(len(starts)):
        kind = kinds[row]
        if kind:
            i: Any = np.int64(starts[row])
            end: Any = np.int64(ends[row])
            broken = 0
            # The one byte below 0x80 that is not simply copied; 256 for none.
            special = 92 if kind == STRING else 34 if kind == QUOTED else 256
            while i < end:
                if i + _ROOM <= len(buf) and at + _ROOM <= len(out):
                    size = min(end - i, WIDTH)
                    found = np.uint64(0)
                    if special < 256:
                        found = same(buf, i, np.uint8(special)) & (_ALL >> np.uint64(WIDTH - size))
                    if not trusted:
                        wide = beyond_ascii(buf, i) & (_ALL >> np.uint64(WIDTH - size))
                        if wide:
                            size = lowest(wide)
                            found &= below(size)
                    # All of the block is written, whether or not it is wanted: what follows is written over.
                    copy(buf, i, out, at)
                    if not found:
                        i += size
                        at += size
                    else:
                        found, escaped = escapes(found)
                        units = escaped & same(buf, i, 117)
                        if units and lowest(units) < size:
                            size = lowest(units) - 1
                            found &= below(size)
                        if size and found >> np.uint64(size - 1):  # what it escapes is in the next block
                            size -= 1
                            found &= below(size)
                        done = 0
                        while found:
                            n = lowest(found)
                            at += n - done
                            out[at] = _ESCAPED[buf[i + n + 1]]
                            at += 1
                            done = n + 2
                            copy(buf, i + done, out, at)
                            found &= found - np.uint64(1)
                        i += size
                        at += size - done
                elif buf[i] < limit and buf[i] != special:
                    out[at] = buf[i]
                    i += 1
                    at += 1
                if i >= end or (buf[i] < limit and buf[i] != special):
                    continue
                if buf[i] == 92:
                    if i + 1 < end and buf[i + 1] != 117:
                        out[at] = _ESCAPED[buf[i + 1]]
                        i += 2
                        at += 1
                    else:
                        i, at = _escape(buf, i, end, out, at)
                elif buf[i] == 34:
                    out[at] = 34
                    at += 1
                    i += 2
                while i < end and buf[i] >= limit:
                    n = _sequence(buf, i, end)
                    if n < 0:
                        broken = 1
                        i -= n
                        if at + 3 > before + (i - starts[row]) + spare:
                            return -1
                        at = _put(out, at, 0xFFFD)
                    else:
                        for k in range(n):
                            out[at + k] = buf[i + k]
                        at += n
                        i += n
            repaired += broken
            before += end - starts[row]
        offsets[row + 1] = at
    return repaired
