"""Text cut into whole lines, in bounded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extractscan.logs.streams import Text


def whole_lines(text: Text, chunk: int, longest: int) -> Iterator[tuple[bytes, str]]:
    """Bodies of about ``chunk`` bytes that end with a line break (the last may not), each with an empty problem.

    Without a body, what is wrong with the one line that would have come: it is longer than ``longest`` bytes, or the text ends there.
    """
    tail, skipping = b"", False
    for data in text.chunks(chunk):
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
                yield b"", f"the line is too long (over {longest >> 20} MiB)"
                tail, skipping = b"", True
            continue
        body = b"".join((tail, memoryview(data)[begin:cut]))  # each byte is copied once
        tail = data[cut:]
        if body:
            yield body, ""
    if text.problem is not None:
        yield b"", text.problem
    elif tail:
        yield tail, ""
