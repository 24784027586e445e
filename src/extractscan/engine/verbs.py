"""What an engine can do: begin, map, persist and collect, over tables that may be larger than any machine.

The relational core (``relational``) and the order of the stages (``distributed``) know nothing else of an engine. A frame is a
narwhals LazyFrame; what goes in and out of Python functions is Arrow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from extractscan.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import narwhals.stable.v2 as nw
    import pyarrow as pa

Frame: TypeAlias = "nw.LazyFrame[Any]"
Tables: TypeAlias = "Callable[[pa.Table], Iterable[pa.Table]]"
"""A pure function from one Arrow table to some; it must be importable by name, or a ``partial`` of one that is."""


class TooLargeError(EngineError):
    """A table that has to fit on one machine does not."""


class Engine(Protocol):
    """What the relational core and the order of the stages ask for."""

    def begin(self, table: pa.Table, pieces: int) -> Frame:
        """A small table as a frame in so many pieces, each of which is one task."""

    def map_arrow(
        self, frame: Frame, fn: Tables, schema: pa.Schema, *, together: str | None = None, pieces: int | None = None
    ) -> Frame:
        """Apply ``fn`` to the frame piece by piece; how it is cut must not matter to ``fn``.

        With ``together``, the name of a column, rows that are equal in it are in the same piece, of so many ``pieces``.
        """

    def persist(self, frame: Frame, name: str) -> Frame:
        """Write the frame under a name of the run, or take what an earlier run of the same kind wrote; then read it from there."""

    def collect_small(self, frame: Frame, max_rows: int | None = None) -> pa.Table:
        """The frame on the driver. Raises ``TooLargeError`` if it has more than ``max_rows`` rows (None: they were counted before)."""
