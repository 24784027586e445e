"""Which payloads streams have in common, without comparing streams pair by pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from extractscan.coverage.streams import Streams


SHARED_WITH: Final = 3
"""Common payloads that make an outside stream count as drawing on the same source."""
OTHERS: Final = 2
"""Outside accounts that send a payload too, from which it is public: one may be a coincidence or an accomplice."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Payloads in common inside a group and with outside streams that draw on the same source.

    ``inside`` counts pairs of payloads of different members that coincide, of ``pairs`` there are; ``expected`` is that count if
    members drew independently, two of them at the geometric mean of the rates at which each meets the ``outsiders``, which is the
    rate of all where it is the same for all (each shrunk to that, as by one meeting); ``met`` (int64, members) counts the
    coincidences of each member. ``public`` is the share of the members' payloads that two or more accounts outside send as well,
    ``common`` the mean share of the other members who send a member's payload.
    """

    inside: int
    pairs: float
    expected: float
    outsiders: int
    met: NDArray[np.int64]
    public: float
    common: float


class Payloads:
    """An index of distinct payloads by stream and back; payloads of one account only are counted but not indexed.

    ``sizes`` (int64, streams) counts the distinct payloads of each stream.
    """

    def __init__(self, streams: Streams) -> None:
        """Index the payloads of all streams."""
        account = streams.table["account"].to_numpy()
        self._index(streams.items["payload"].to_numpy(), streams.items["stream"].to_numpy(), account)

    @classmethod
    def of_shared(
        cls, payload: NDArray[np.uint64], stream: NDArray[np.int64], owner: NDArray[Any], sizes: NDArray[np.int64]
    ) -> Payloads:
        """Of those payloads alone that several accounts share, each with the streams that send it; ``owner`` is by stream."""
        order = np.argsort(stream, kind="stable")
        made = cls.__new__(cls)
        made._index(payload[order], stream[order], owner)  # noqa: SLF001 -- its own
        made.sizes = sizes
        return made

    def _index(self, payload: NDArray[np.uint64], stream: NDArray[np.int64], owner: NDArray[Any]) -> None:
        """Index payloads by stream; ``owner`` is the account of each stream."""
        total = owner.size
        # Items stand in the order of their streams, and streams in that of their accounts: a stable sort keeps both.
        order = np.argsort(payload, kind="stable")
        payload, stream = payload[order], stream[order]
        fresh = np.r_[True, payload[1:] != payload[:-1]] if payload.size else np.zeros(0, bool)
        distinct = fresh.copy()
        distinct[1:] |= stream[1:] != stream[:-1]
        fresh, stream = fresh[distinct], stream[distinct]
        del payload, order, distinct
        self.sizes: NDArray[np.int64] = np.bincount(stream, minlength=total).astype(np.int64)
        code = np.cumsum(fresh) - 1
        account = owner[stream]
        sender = fresh.copy()
        sender[1:] |= account[1:] != account[:-1]
        accounts = np.bincount(code[sender], minlength=int(code[-1]) + 1 if code.size else 0)
        del account, sender, fresh
        kept = np.flatnonzero(accounts[code] > 1)
        # Of payload to streams: rows in the order of payloads. Of stream to payloads: a permutation of them.
        _, self._payload = np.unique(code[kept], return_inverse=True)
        self._stream = stream[kept]
        self._accounts = accounts[code[kept]]
        shared = int(self._payload.max()) + 1 if kept.size else 0
        self._of_payload = np.searchsorted(self._payload, np.arange(shared + 1))
        self._by_stream = np.argsort(self._stream, kind="stable")
        self._of_stream = np.searchsorted(self._stream[self._by_stream], np.arange(total + 1))
        self._shares: dict[int, NDArray[np.float64]] = {}

    def shared_share(self, others: int) -> NDArray[np.float64]:
        """Share of each stream's payloads that at least ``others`` other accounts sent too."""
        if others not in self._shares:  # asked for once a group, and it walks the whole index
            widely = self._stream[self._accounts > others]
            share = np.bincount(widely, minlength=self.sizes.size) / np.maximum(self.sizes, 1)
            share.setflags(write=False)
            self._shares[others] = share
        return self._shares[others]

    def overlap(self, streams: NDArray[np.int64], owner: NDArray[np.int64]) -> Overlap:
        """Overlap of a group's members among themselves and with outside streams.

        ``streams`` are stream numbers, ``owner`` the member (0 to k - 1) that each belongs to.
        """
        k = int(owner.max(initial=-1)) + 1
        rows = [self._by_stream[self._of_stream[s] : self._of_stream[s + 1]] for s in streams]
        member = np.repeat(owner, [r.size for r in rows])
        payload = self._payload[np.concatenate(rows)] if rows else np.zeros(0, np.int64)
        member, payload = np.divmod(np.unique(member * (self._payload.size + 1) + payload), self._payload.size + 1)
        held, which, times = np.unique(payload, return_inverse=True, return_counts=True)
        met = np.bincount(member, weights=times[which] - 1, minlength=k).astype(np.int64)
        # Everyone who has one of these payloads, members apart.
        spans = self._of_payload[held + 1] - self._of_payload[held]
        offsets = np.cumsum(spans) - spans
        places = np.arange(int(spans.sum())) - np.repeat(offsets, spans) + np.repeat(self._of_payload[held], spans)
        who = self._stream[places]
        others, number, shared = np.unique(who, return_inverse=True, return_counts=True)
        source = (shared >= SHARED_WITH) & ~np.isin(others, streams)
        outside = others[source]
        sizes = np.bincount(owner, weights=self.sizes[streams], minlength=k)
        all_items = float(sizes.sum())
        outsiders = float(self.sizes[outside].sum())
        holders = np.bincount(np.repeat(np.arange(held.size), spans), weights=source[number], minlength=held.size)
        # How readily a member meets outsiders is its own: one that asks for five items at a time meets nobody who asks for one.
        meetings = np.bincount(member, weights=holders[which], minlength=k)
        rate = float(meetings.sum()) / (all_items * outsiders) if outsiders else 0.0
        fair = rate * outsiders * sizes
        # Its few meetings are shrunk to the group's rate as by one meeting more.
        readiness = sizes * np.sqrt((meetings + 1.0) / (fair + 1.0))
        expected = rate * (float(readiness.sum()) ** 2 - float((readiness * readiness).sum())) / 2.0
        possible = (all_items * all_items - float((sizes * sizes).sum())) / 2.0
        elsewhere = self._accounts[self._of_payload[held]] - times if held.size else times
        public = float(times[elsewhere >= OTHERS].sum()) / max(all_items, 1.0)
        together = float((times * (times - 1.0)).sum()) / max(all_items * (k - 1.0), 1.0)
        return Overlap(int(met.sum()) // 2, possible, expected, outside.size, met, public, together)
