"""Answers that judging groups needs of payloads and hours, found out where these lie: an ask is one small table, its answer another.

Each class stands for one of the local engine's, which asks of tables in memory. What is known beforehand to be asked is asked for all
groups at once.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
import pyarrow as pa

from extractscan.campaign import corpus, partition
from extractscan.campaign.corpus import Corpora
from extractscan.campaign.partition import Meetings
from extractscan.campaign.synchrony import Activity
from extractscan.engine import members

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from extractscan.campaign.corpus import Counted
    from extractscan.engine.verbs import Engine, Frame, Tables

Asked: TypeAlias = "Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]"
"""Groups: numbers of streams, and the member that each belongs to."""
SPARE: Final = 4
"""Times as many payloads as are wanted that a bound on their hashes should leave of a large group; too few are asked for again."""
NO_CUT: Final = np.iinfo(np.int64).max


class Asking:
    """Where items and hours of streams lie, by keys of the streams; ``sizes`` counts the payloads of each stream."""

    def __init__(
        self,
        engine: Engine,
        streams: Frame,
        items: Frame,
        keys: NDArray[np.int64],
        sizes: NDArray[np.int64],
        scan_rows: int,
    ) -> None:
        """``keys`` are those of streams 0 to n - 1, ascending; of more payloads than ``scan_rows``, those of groups are written apart."""
        self._wide = int(sizes.sum()) > scan_rows
        self.engine, self.streams = engine, streams
        self.items = items.filter(~nw.col("place").is_null()).select("stream", "payload", "place", "tokens")
        self.keys, self.sizes = keys, sizes

    def table(self, groups: Asked, most: int | None = None, asks: Iterable[int] | None = None) -> pa.Table:
        """Groups as rows ``ask, member, stream, cut``: of more payloads than ``most``, only those with hashes up to ``cut`` matter."""
        numbers = list(range(len(groups)) if asks is None else asks)
        sizes = [groups[n][0].size for n in numbers]
        streams = np.concatenate([groups[n][0] for n in numbers]).astype(np.int64)
        member = np.concatenate([groups[n][1] for n in numbers]).astype(np.int64)
        ask = np.repeat(np.array(numbers, np.int64), sizes)
        cut = np.full(ask.size, NO_CUT)
        if most is not None:
            _, unit = np.unique(np.stack([ask, member]), axis=1, return_inverse=True)
            total = np.bincount(unit, weights=self.sizes[streams])[unit]
            part = np.minimum(1.0, SPARE * most / np.maximum(total, 1.0))
            cut = np.where(part < 1.0, (part * 2.0**64 - 2.0**63).clip(max=2.0**62).astype(np.int64), cut)
        return pa.table({"ask": ask, "member": member, "stream": self.keys[streams], "cut": cut})

    def payloads(self, asked: pa.Table, most: int, fn: Tables, schema: pa.Schema) -> pa.Table:
        """What ``fn`` makes of the smallest payloads of the streams that are asked for, ``most`` a stream."""
        wanted = self.engine.begin(asked, 1)
        found = self.items.filter(nw.col("place") < most).join(wanted, on="stream", how="inner")
        rows = found.filter(nw.col("payload") <= nw.col("cut")).select("ask", "member", "payload", "tokens")
        return self.engine.collect_small(self.engine.map_arrow(rows, fn, schema, together="ask"))

    def narrow(self, streams: NDArray[np.int64]) -> None:
        """Only these will be asked for from now on."""
        if self._wide and streams.size:
            wanted = self.engine.begin(pa.table({"stream": self.keys[np.unique(streams)]}), 1)
            self.items = self.engine.persist(self.items.join(wanted, on="stream", how="inner"), "members")
            self._wide = False

    def hours(self, asked: pa.Table) -> pa.Table:
        """Hours in common, as ``members.TOGETHER``."""
        wanted = self.engine.begin(asked, 1)
        held = self.streams.select("stream", "since", "hours").join(wanted, on="stream", how="inner")
        rows = held.select("ask", "member", "since", "hours")
        return self.engine.collect_small(
            self.engine.map_arrow(rows, members.group_hours, members.TOGETHER, together="ask")
        )


def _numbered(table: pa.Table, name: str) -> NDArray[np.int64]:
    values: NDArray[np.int64] = table[name].to_numpy().astype(np.int64)
    return values


class AskedCorpora(Corpora):
    """``Corpora`` of payloads that lie elsewhere."""

    def __init__(self, asking: Asking, jobs: int, reference: list[NDArray[np.int64]]) -> None:
        """Take the weights from ``reference``, a list of arrays of stream numbers."""
        self._asking, self._jobs = asking, jobs
        self._weigh(reference)

    def _word_frequencies(self, units: list[NDArray[np.int64]]) -> Counted:
        columns: list[bytes] = [b""] * len(units)
        first, second = columns.copy(), columns.copy()
        asks: list[int] = list(range(len(units)))
        groups = [(unit, np.zeros(unit.size, np.int64)) for unit in units]
        bound: int | None = corpus.SAMPLE
        while asks:
            table = self._asking.table(groups, bound, asks)
            bounded = set(_numbered(table, "ask")[_numbered(table, "cut") != NO_CUT].tolist())
            got = self._asking.payloads(table, corpus.SAMPLE, members.unit_words, members.COUNTS)
            again = bounded.copy()
            for ask, found, a, b, c in zip(*(got[name].to_pylist() for name in got.column_names), strict=True):
                if ask in bounded and found < corpus.SAMPLE:
                    continue
                again.discard(ask)
                columns[ask], first[ask], second[ask] = a, b, c
            asks, bound = sorted(again), None
        ends = np.r_[np.int64(0), np.cumsum([len(c) // 4 for c in columns], dtype=np.int64)]
        return (
            ends,
            np.frombuffer(b"".join(columns), np.int32).copy(),
            np.frombuffer(b"".join(first), np.float64).copy(),
            np.frombuffer(b"".join(second), np.float64).copy(),
        )

    def likenesses(self, groups: list[list[NDArray[np.int64]]]) -> list[float]:
        """Median similarity of the units of each group."""
        if not groups:
            return []
        asked = [(np.concatenate(units), np.repeat(np.arange(len(units)), [u.size for u in units])) for units in groups]
        got = self._asking.payloads(
            self._asking.table(asked), corpus.SAMPLE, partial(members.group_likeness, self._weight), members.LIKENESS
        )
        found = np.empty(len(groups))
        found[_numbered(got, "ask")] = got["likeness"].to_numpy()
        likeness: list[float] = found.tolist()
        return likeness


def _name(streams: NDArray[np.int64], owner: NDArray[np.int64]) -> tuple[bytes, bytes]:
    return streams.astype(np.int64).tobytes(), owner.astype(np.int64).tobytes()


class AskedMeetings(Meetings):
    """``Meetings`` of payloads that lie elsewhere."""

    def __init__(self, asking: Asking, smallest: NDArray[np.uint64]) -> None:
        """``smallest`` payload hash of each stream."""
        self._asking, self.smallest = asking, smallest
        self._answers: dict[tuple[bytes, bytes], tuple[float, float]] = {}

    def foresee(self, groups: list[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> None:
        """Ask for all at once."""
        fresh = [group for group in groups if _name(*group) not in self._answers]
        if not fresh:
            return
        # What is judged again is a part of a group that was foreseen.
        self._asking.narrow(np.concatenate([streams for streams, _ in fresh]))
        halves = [(streams, self.halves(streams, owner)) for streams, owner in fresh]
        asks: list[int] = list(range(len(fresh)))
        bound: int | None = partition.SAMPLE
        while asks:
            table = self._asking.table(halves, bound, asks)
            bounded = set(_numbered(table, "ask")[_numbered(table, "cut") != NO_CUT].tolist())
            got = self._asking.payloads(table, partition.SAMPLE, members.group_looks, members.LOOKS)
            again = bounded.copy()
            for ask, found, glance, sample in zip(*(got[n].to_pylist() for n in got.column_names), strict=True):
                if ask in bounded and found < partition.SAMPLE:
                    continue
                again.discard(ask)
                self._answers[_name(*fresh[ask])] = (glance, sample)
            asks, bound = sorted(again), None

    def looks(self, streams: NDArray[np.int64], owner: NDArray[np.int64]) -> Iterator[float]:
        """The probability as a glance finds it, then as a sample does."""
        self.foresee([(streams, owner)])
        yield from self._answers[_name(streams, owner)]


class AskedActivity(Activity):
    """``Activity`` of hours that lie elsewhere."""

    def __init__(self, asking: Asking) -> None:
        """Ask there."""
        self._asking = asking
        self._answers: dict[tuple[bytes, bytes], tuple[int, float]] = {}

    def foresee(self, groups: list[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> None:
        """Ask for all at once."""
        fresh = [group for group in groups if _name(*group) not in self._answers]
        if not fresh:
            return
        got = self._asking.hours(self._asking.table(fresh))
        for ask, seen, expected in zip(*(got[name].to_pylist() for name in got.column_names), strict=True):
            self._answers[_name(*fresh[ask])] = (seen, expected)

    def together(self, streams: NDArray[np.int64], owner: NDArray[np.int64]) -> tuple[int, float]:
        """Pairs of members active in the same hour, and how many there would be by their rhythms alone."""
        if not streams.size:
            return 0, 0.0
        self.foresee([(streams, owner)])
        return self._answers[_name(streams, owner)]
