"""Benign explanations of a group of accounts, each a named gate that multiplies its evidence down."""

from __future__ import annotations

from collections import Counter
from typing import Final, TypeVar

import polars as pl

from extractscan.verdict.findings import Gate

Columns = TypeVar("Columns", pl.Expr, pl.Series)

REPEATS: Final = 4.0
"""Times that each payload is sent, from which a sender tests something."""
DIFFERENT: Final = 0.5
"""Likeness of payload distributions under which the members of a group have each their own data."""


BENCHMARK_DAYS: Final = 5.0
"""Days within which an evaluation is over: it is run once or a few times, and harvests last for weeks."""
BENCHMARK_FACTOR: Final = 0.4
BENCHMARK: Final = (
    f"it asks at temperature 0 throughout and is done within {BENCHMARK_DAYS:.0f} days, as evaluations are"
)
DAY_US: Final = 86_400_000_000


_EVALUATION: Final = ("highest_temperature", "first_us", "last_us")


def _evaluates(highest: Columns, first: Columns, last: Columns) -> Columns:
    return (highest == 0.0) & (last - first <= BENCHMARK_DAYS * DAY_US)


EVALUATES: Final = _evaluates(*(pl.col(name) for name in _EVALUATION)).fill_null(value=False)
"""Whether a stream or a member looks like the run of a benchmark; not where temperatures are unknown."""


def group_gates(
    members: pl.DataFrame,
    shared: float,
    likeness: float | None,
    *,
    same_test: float = 1.0,
    handed_out: float = 0.0,
    repeats_on_purpose: bool,
) -> list[Gate]:
    """Gates of a group.

    ``members`` has a row an account: ``org_id, ip, end_users, conversing, requests, payloads,
    first_us, last_us, highest_temperature``, null where unknown.
    ``shared`` is the share of the group's payloads that others, or most of the group, send too, ``likeness`` how alike
    the members' payload distributions are (None if unknown), ``same_test`` how far they may all have been given these payloads (0 where
    they share them out among themselves), ``handed_out`` how plainly their loads were handed out (1: beyond doubt).
    ``repeats_on_purpose`` says that repetition is what the group was proposed for (near-empty prompts, several samples of each).
    """
    k = members.height
    gates = []
    if likeness is not None and likeness < DIFFERENT:
        gates.append(
            Gate(
                "different_content",
                0.4,
                f"its accounts work on different data (similarity {likeness:.2f}; 1: one source)",
            )
        )
    # A call of Polars for each number of each group would take longer than all the rest.
    organisations = Counter(o for o in members["org_id"].to_list() if o is not None)
    if k >= 3 and organisations.total() >= 3:
        top = max(organisations.values())
        if top >= 0.8 * k:
            gates.append(Gate("one_organisation", 0.2, f"{top} of {k} accounts belong to one organisation"))
    addresses = [a for a in members["ip"].to_list() if a is not None]
    few = len(set(addresses))
    if k >= 4 and len(addresses) >= 0.8 * k and few * 3 <= len(addresses):
        gates.append(
            Gate("one_network", 0.3, f"{k} accounts come from {few} addresses: a class, an office or one host")
        )
    if shared * same_test >= 0.2:
        gates.append(
            Gate(
                "public_items",
                max(0.1, 1.0 - 1.1 * shared * same_test),
                f"{shared:.0%} of the payloads are also sent by others, or by most of the group",
            )
        )
    again = float((members["requests"] / members["payloads"]).median() or 1.0)  # type: ignore[arg-type]
    evaluating = int(_evaluates(*(members[name] for name in _EVALUATION)).sum() or 0)
    if evaluating * 5 >= k * 4:
        gates.append(Gate("benchmark", BENCHMARK_FACTOR, f"{evaluating} of {k} accounts: {BENCHMARK}"))
    if again >= REPEATS and not repeats_on_purpose:
        gates.append(Gate("exact_repetition", 0.2, f"each payload is sent {again:.0f} times: tests or load"))
    talk = members["conversing"].mean()
    # Customers of one app converse as much as they like. Who is handed so many runs each converses on somebody's behalf.
    if isinstance(talk, float) and talk >= 0.5 and handed_out < 1.0:
        factor = 1.0 - 0.9 * talk * (1.0 - handed_out)
        gates.append(Gate("conversations", factor, f"{talk:.0%} of the requests belong to conversations"))
    resellers = int((members["end_users"] >= 5).sum())
    if resellers * 2 >= k:
        gates.append(Gate("end_users", 0.2, f"{resellers} of {k} accounts serve five or more end users"))
    return gates
