"""Who moves to a new model as soon as it is there.

Operators retarget on a release day: of one reported campaign about half of the traffic moved within 24 hours. Customers follow
over weeks, so that a group which moves at once is compared with all other accounts that could have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from extractscan.campaign.gates import DAY_US

if TYPE_CHECKING:
    from numpy.typing import NDArray

SETTLED_DAYS: Final = 2
"""Days of the log before a model's first use from which that was a release."""
USERS: Final = 10
"""Accounts that must use a model before it counts as released."""
ACTIVE: Final = 3
"""Requests before and within a day after the release that an account needs to have had the choice."""
MOVED: Final = 0.5
"""Share of the first day's requests on the new model from which an account has moved."""
OPERATORS: Final = 0.8
"""Accounts of an operator who retargets that move at once."""
FEWEST: Final = 5
"""Members that had the choice, from which moving at once is no accident of two or three."""
DISPERSION: Final = 2.0
"""Overdispersion: accounts of one product move together as well, when its maker deploys."""


NO_CHOICE: Final = -1
"""An account that could not follow a release."""


def first_uses(requests: pl.DataFrame) -> pl.DataFrame:
    """Of each ``model`` its first use, ``release``, and how many accounts use it, ``users``."""
    return (
        requests.filter(pl.col("model").is_not_null())
        .group_by("model")
        .agg(pl.col("time_us").min().alias("release"), pl.col("account").n_unique().alias("users"))
    )


def releases(models: pl.DataFrame, start: int | None) -> pl.DataFrame:
    """``first_uses`` of those models that were released within the log, which begins at ``start``, in order."""
    settled = pl.col("release") >= pl.lit(start, pl.Int64) + SETTLED_DAYS * DAY_US
    return models.filter((pl.col("users") >= USERS) & settled).sort("release", "model")


def pivots(requests: pl.DataFrame, released: pl.DataFrame | None = None) -> pl.Series:
    """Whether each account moved to a released model within a day: bool by account number, null if it had no choice to make.

    ``requests`` has ``account, time_us, model``. With several releases the first that an account could follow counts; ``released``
    are those of the log, where these are not all of its requests.
    """
    accounts = int(requests["account"].max() or 0) + 1 if requests.height else 0  # type: ignore[arg-type]
    start = requests["time_us"].min()
    models = released
    if models is None:
        models = releases(first_uses(requests), start if isinstance(start, int) else None)
    out = pl.Series("pivot", [None] * accounts, dtype=pl.Boolean)
    for model, release, _ in models.iter_rows():
        day = (pl.col("time_us") >= release) & (pl.col("time_us") < release + DAY_US)
        moved = (
            requests.group_by("account")
            .agg(
                (pl.col("time_us") < release).sum().alias("before"),
                day.sum().alias("after"),
                (day & (pl.col("model") == model)).sum().alias("new"),
            )
            .filter((pl.col("before") >= ACTIVE) & (pl.col("after") >= ACTIVE))
            .with_columns((pl.col("new") >= MOVED * pl.col("after")).alias("moved"))
        )
        here = pl.DataFrame({"account": np.arange(accounts, dtype=np.uint32)}).join(
            moved.select("account", "moved"), on="account", how="left", maintain_order="left"
        )["moved"]
        out = out.to_frame().with_columns(pl.coalesce("pivot", here).alias("pivot"))["pivot"]
    return out


def choices(pivot: pl.Series) -> NDArray[np.int8]:
    """``pivots`` as an array by account number: 1 or 0, ``NO_CHOICE`` where it is null."""
    return pivot.cast(pl.Int8).fill_null(NO_CHOICE).to_numpy()


def pivot_bits(pivot: NDArray[np.int8], accounts: NDArray[np.int64]) -> tuple[int, int, float]:
    """Members that moved at once, members that could have, and the log2 likelihood ratio against all other accounts."""
    inside = pivot[accounts]
    could, moved = int((inside != NO_CHOICE).sum()), int((inside == 1).sum())
    others, others_moved = int((pivot != NO_CHOICE).sum()) - could, int((pivot == 1).sum()) - moved
    if could < FEWEST or not others:
        return moved, could, 0.0
    rate = (others_moved + 1.0) / (others + 2.0)
    if rate >= OPERATORS:
        return moved, could, 0.0
    bits = moved * np.log2(OPERATORS / rate) + (could - moved) * np.log2((1.0 - OPERATORS) / (1.0 - rate))
    return moved, could, float(max(0.0, bits) / DISPERSION)
