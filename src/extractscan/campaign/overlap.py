"""Which payloads streams have in common, without comparing streams pair by pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from extractscan.campaign.ties import SHARED_WITH, Overlap

if TYPE_CHECKING:
    from extractscan.coverage.streams import Streams


class Payloads:
    """An index of distinct payloads by stream; payloads that only one stream has are left out of it."""

    def __init__(self, streams: Streams) -> None:
        """Index the payloads of all streams."""
        distinct = streams.items.select("stream", "payload", "account").unique().sort("stream", "payload")
        sizes = distinct.group_by("stream").agg(pl.len().alias("payloads")).sort("stream")
        self._sizes = np.zeros(streams.table.height, np.int64)
        self._sizes[sizes["stream"].to_numpy()] = sizes["payloads"].to_numpy()
        accounts = distinct.group_by("payload").agg(pl.col("account").n_unique().alias("accounts"))
        self._shared = (
            distinct.join(accounts.filter(pl.col("accounts") > 1), on="payload", how="inner")
            .select("stream", "payload", "account", "accounts")
            .sort("stream", "payload")
        )

    def sizes(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Return the number of distinct payloads of each stream."""
        return self._sizes

    def shared_share(self, others: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Share of each stream's payloads that at least ``others`` other accounts sent too."""
        counts = self._shared.filter(pl.col("accounts") > others).group_by("stream").len().sort("stream")
        out = np.zeros(self._sizes.size)
        out[counts["stream"].to_numpy()] = counts["len"].to_numpy()
        return out / np.maximum(self._sizes, 1)

    def overlap(self, members: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Overlap:
        """Overlap of the member streams among themselves and with others; ``members`` are stream numbers, sorted."""
        member = pl.DataFrame({"stream": members, "member": np.arange(members.size)})
        inside = self._shared.join(member, on="stream", how="inner").select("member", "payload")
        pairs = np.zeros((members.size, members.size), np.int64)
        both = inside.join(inside, on="payload", how="inner", suffix="_other")
        met = both.filter(pl.col("member") < pl.col("member_other")).group_by("member", "member_other").len()
        pairs[met["member"].to_numpy(), met["member_other"].to_numpy()] = met["len"].to_numpy()
        pairs += pairs.T
        held = inside.group_by("payload").len("members")
        outside = (
            self._shared.join(member, on="stream", how="anti")
            .join(held, on="payload", how="inner")
            .group_by("stream")
            .agg(pl.len().alias("common"), pl.col("members").sum().alias("meetings"))
            .filter(pl.col("common") >= SHARED_WITH)
            .sort("stream")
        )
        sizes = self._sizes[members].astype(np.float64)
        total = float(sizes.sum())
        outsiders = float(self._sizes[outside["stream"].to_numpy()].sum())
        rate = float(outside["meetings"].sum()) / (total * outsiders) if outsiders else 0.0
        possible = (total * total - float((sizes * sizes).sum())) / 2.0
        return Overlap(int(pairs.sum()) // 2, rate * possible, outside.height, pairs)
