"""NFKC and lower case, of the few texts that need Unicode's tables for it: kernels do the rest while they look at the text anyhow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa

from extractscan.fingerprint.codepoints import decode, is_plain, mark_of
from extractscan.jit import kernel
from extractscan.threads import pieces, share

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def _needs_unicode(data: NDArray[np.uint8], offsets: NDArray[np.int64], out: NDArray[np.bool_]) -> None:
    """Set ``out`` for each text that normalisation may change beyond ``fold``: a code point is not plain, or marks are out of order."""
    for i in range(offsets.size - 1):
        p = offsets[i]
        end = offsets[i + 1]
        found = False
        last = 0
        while p < end and not found:
            b = np.uint32(data[p])
            if b < 0x80:
                last = 0
                p += 1
                continue
            c, p = decode(data, p, b)
            if is_plain(c):  # type: ignore[arg-type]
                last = 0
                continue
            mark = mark_of(c)  # type: ignore[arg-type]
            found = mark == 0 or mark < last
            last = mark
        out[i] = found


def utf8_buffers(texts: pl.Series) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Bytes and offsets (n + 1) of a string column without nulls."""
    array = texts.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())  # large_string, not string_view
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    _, offset_buffer, data_buffer = array.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int64, count=len(array) + 1, offset=array.offset * 8)
    data = np.frombuffer(data_buffer, dtype=np.uint8) if data_buffer is not None else np.zeros(0, np.uint8)
    return data, offsets


def normalised(texts: pl.Series, jobs: int = 1) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Bytes and offsets of a string column, of which NFKC and lower case are done but for what the kernel does itself.

    Most text is plain (see ``is_plain``), and Unicode tables are slow; only what is not plain goes through Polars.
    """
    texts = texts.fill_null("")
    data, offsets = utf8_buffers(texts)
    odd = np.zeros(offsets.size - 1, np.bool_)
    share(
        lambda start, stop: _needs_unicode(data, offsets[start : stop + 1], odd[start:stop]),
        pieces(np.diff(offsets) + 1, 8 * jobs),
        jobs,
    )
    places = pl.Series(np.flatnonzero(odd))
    if not places.len():
        return data, offsets
    odd_texts = texts.gather(places)
    parts = share(
        lambda start, stop: odd_texts[start:stop].str.normalize("NFKC").str.to_lowercase(),
        pieces(odd_texts.str.len_bytes().to_numpy().astype(np.int64) + 1, 4 * jobs),
        jobs,
    )
    changed = pl.concat(parts)
    return utf8_buffers(texts.clone().scatter(places, changed))  # the clone: scatter writes in place
