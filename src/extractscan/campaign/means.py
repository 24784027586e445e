"""What the accounts of a group pay with and come from: shared payment instruments and rare addresses.

Support for a group that hangs together by content, never the reason for one: accounts are not grouped by these. Accounts of one
organisation share both as a matter of course and are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

RARE: Final = 8
"""Accounts of the log behind one address from which it is a proxy, an office or a cloud and ties nobody together."""


def _pairs(values: NDArray[np.int64]) -> float:
    """Pairs of equal values; whole numbers, so that their order is of no account."""
    values = np.sort(values)
    sizes = np.diff(np.flatnonzero(np.r_[True, values[1:] != values[:-1], True])) if values.size else values
    return float((sizes * (sizes - 1) // 2).sum())


def _codes(column: pl.Series) -> NDArray[np.int64]:
    """Codes as int64, -1 where unknown."""
    values = column.cast(pl.Int64).to_numpy()
    return np.where(np.isnan(values), -1, values).astype(np.int64) if column.null_count() else values


def sharing_pairs(accounts: pl.DataFrame) -> float:
    """Pairs of accounts that share a payment instrument or an address and are not of one organisation, each kind counted.

    ``accounts`` has ``org_id, payment_id, ip``, a row an account, null where unknown.
    """
    org, payment, ip = (_codes(accounts[name]) for name in ("org_id", "payment_id", "ip"))
    pairs = 0.0
    width = int(org.max(initial=0)) + 1
    for means in (payment, ip):
        known = means >= 0
        pairs += _pairs(means[known])
        both = known & (org >= 0)
        pairs -= _pairs(means[both] * width + org[both])
    return pairs


def sharing_rate(everyone: pl.DataFrame) -> float:
    """Rate at which any two accounts of a log share their means: pairs that do for each pair there is."""
    return sharing_pairs(everyone) / max(everyone.height * (everyone.height - 1) / 2.0, 1.0)


def without_common(accounts: pl.DataFrame) -> pl.DataFrame:
    """Forget addresses that ``RARE`` accounts or more come from."""
    common = pl.col("ip").is_not_null() & (pl.len().over("ip") >= RARE)
    return accounts.with_columns(pl.when(~common).then(pl.col("ip")).alias("ip"))


def means_bits(members: pl.DataFrame, rate: float) -> tuple[float, float]:
    """Pairs of members who share their means, and log2 of them over what chance gives at the log's ``rate``.

    One is added to both numbers, so that a single pair says less than one bit however rare it is.
    """
    seen = sharing_pairs(members)
    expected = rate * members.height * (members.height - 1) / 2.0
    return seen, float(max(0.0, np.log2((seen + 1.0) / (expected + 1.0))))
