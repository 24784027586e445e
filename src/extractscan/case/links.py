"""Accounts that are like a given one, and how strongly: what they share, weighted by how rare it is.

The strength of a tie is the share of the account's own features that the other account has too, each weighted by its rarity,
1 - ln(d) / ln(N) for a feature that d of N accounts have: 1 for one that only one has, 0 for one that all have. Features are near-duplicate
clusters, frames (weighted by the account's requests in them), and organisation, payment instrument and network address. The whole is the
strongest of them: shards of one list share no item, customers of one tool no payment. It describes, and is no evidence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEANS: Final = {"org_id": "organisation", "payment_id": "payment", "ip": "address"}
FAINT: Final = 0.05
"""Strength under which a tie is not worth a line."""


def rarity(holders: NDArray[np.int64] | NDArray[np.uint32], accounts: int) -> NDArray[np.float64]:
    """Return how rare features are that so many of all accounts have, from 1 (one) to 0 (all)."""
    out: NDArray[np.float64] = 1.0 - np.log(np.maximum(holders, 1)) / np.log(max(accounts, 2))
    return out


def shared(features: pl.DataFrame, account: int, accounts: int) -> pl.DataFrame:
    """Weigh what other accounts share with one.

    ``features`` has ``account``, ``feature`` and ``weight``, a row for each feature of an account. Returns ``account``, ``strength``
    (0 to 1) and ``common`` (features in common), without the account itself.
    """
    own = features.filter(pl.col("account") == account).select("feature", pl.col("weight").alias("own"))
    total = float(own["own"].sum())
    if own.is_empty() or total <= 0.0:
        return pl.DataFrame(schema={"account": pl.UInt32, "strength": pl.Float64, "common": pl.UInt32})
    touched = features.join(own, on="feature", how="inner")
    holders = touched.group_by("feature").agg(pl.col("account").n_unique().alias("holders"))
    weighted = touched.join(holders, on="feature", how="left")
    weighted = weighted.with_columns(
        pl.Series("bits", weighted["own"].to_numpy() * rarity(weighted["holders"].to_numpy(), accounts))
    )
    return (
        weighted.filter(pl.col("account") != account)
        .sort("account", "feature")
        .group_by("account", maintain_order=True)
        .agg((pl.col("bits").sum() / total).alias("strength"), pl.len().alias("common"))
    )


def linked(requests: pl.DataFrame, streams: pl.DataFrame, account: int, accounts: int) -> list[dict[str, Any]]:
    """Return the accounts that are tied to one, strongest first: ``account`` (number), ``strength`` and ``ties``.

    ``requests`` has ``account``, ``cluster`` (null without a prompt) and the columns of ``MEANS``; ``streams`` has ``account``,
    ``family`` and ``requests``. Each of ``ties`` has ``kind``, ``strength`` and ``common``.
    """
    kinds = {
        "clusters": requests.filter(pl.col("cluster").is_not_null())
        .select("account", pl.col("cluster").alias("feature"))
        .unique()
        .with_columns(pl.lit(1.0).alias("weight")),
        "frames": streams.filter(pl.col("family") >= 0).select(
            "account", pl.col("family").alias("feature"), pl.col("requests").cast(pl.Float64).alias("weight")
        ),
    }
    for column, kind in MEANS.items():
        kinds[kind] = (
            requests.filter(pl.col(column).is_not_null())
            .select("account", pl.col(column).alias("feature"))
            .unique()
            .with_columns(pl.lit(1.0).alias("weight"))
        )
    found: dict[int, list[dict[str, Any]]] = {}
    for kind, features in kinds.items():
        for other, strength, common in shared(features, account, accounts).iter_rows():
            if strength >= FAINT:
                tie = {"kind": kind, "strength": round(strength, 6), "common": common}
                found.setdefault(other, []).append(tie)
    out = [
        {
            "account": other,
            "strength": max(t["strength"] for t in ties),
            "ties": sorted(ties, key=lambda t: (-t["strength"], t["kind"])),
        }
        for other, ties in found.items()
    ]
    return sorted(out, key=lambda o: (-o["strength"], o["account"]))
