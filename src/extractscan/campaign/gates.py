"""Benign explanations of a group of accounts, each a named gate that multiplies its evidence down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from extractscan.verdict.findings import Gate

if TYPE_CHECKING:
    import polars as pl

ORGANIC: Final = -3.0
"""Load bits under which a group's loads are those of independent customers: eight to one."""
REPEATS: Final = 4.0
"""Times that each payload is sent, from which a sender tests something."""
DIFFERENT: Final = 0.5
"""Likeness of payload distributions under which the members of a group have each their own data."""


def group_gates(
    members: pl.DataFrame, load: float, shared: float, likeness: float | None, *, repeats_on_purpose: bool
) -> list[Gate]:
    """Gates of a group.

    ``members`` has a row an account: ``org_id, ip, end_users, conversing, requests, payloads``, null where unknown. ``load`` is the
    load evidence in bits, ``shared`` the share of the group's payloads that several others send too, ``likeness`` how alike
    the members' payload distributions are (None if unknown). ``repeats_on_purpose`` says that repetition is what the group was
    proposed for (near-empty prompts, several samples of each).
    """
    k = members.height
    gates = []
    if load <= ORGANIC:
        gates.append(
            Gate("organic_load", 0.3, f"the loads of its {k} accounts differ as those of independent customers do")
        )
    if likeness is not None and likeness < DIFFERENT:
        gates.append(
            Gate(
                "different_content",
                0.4,
                f"its accounts work on different data (similarity {likeness:.2f}; 1: one source)",
            )
        )
    organisations = members["org_id"].drop_nulls()
    if k >= 3 and organisations.len() >= 3:
        top = int(organisations.value_counts(sort=True)["count"][0])
        if top >= 0.8 * k:
            gates.append(Gate("one_organisation", 0.2, f"{top} of {k} accounts belong to one organisation"))
    addresses = members["ip"].drop_nulls()
    if k >= 4 and addresses.len() >= 0.8 * k and addresses.n_unique() * 3 <= addresses.len():
        few = addresses.n_unique()
        gates.append(
            Gate("one_network", 0.3, f"{k} accounts come from {few} addresses: a class, an office or one host")
        )
    if shared >= 0.2:
        gates.append(
            Gate(
                "public_items",
                max(0.1, 1.0 - 1.1 * shared),
                f"{shared:.0%} of the payloads are also sent by several others",
            )
        )
    again = float((members["requests"] / members["payloads"]).median() or 1.0)  # type: ignore[arg-type]
    if again >= REPEATS and not repeats_on_purpose:
        gates.append(Gate("exact_repetition", 0.2, f"each payload is sent {again:.0f} times: tests or load"))
    talk = members["conversing"].mean()
    if isinstance(talk, float) and talk >= 0.5:
        gates.append(Gate("conversations", 1.0 - 0.9 * talk, f"{talk:.0%} of the requests belong to conversations"))
    resellers = int((members["end_users"] >= 5).sum())
    if resellers * 2 >= k:
        gates.append(Gate("end_users", 0.2, f"{resellers} of {k} accounts serve five or more end users"))
    return gates
