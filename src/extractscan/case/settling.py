"""What would settle the strongest innocent explanation: the question whose answer tells it from a harvest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from extractscan.verdict.explain import explained_by

if TYPE_CHECKING:
    from collections.abc import Sequence

BY_GATE: Final[dict[str, str]] = {
    "conversations": "read a few conversations whole: do later turns answer what was said, or is each a new item of a list?",
    "exact_repetition": "ask for the test or monitoring job: does its schedule match the times, and do its prompts the repeated ones?",
    "public_items": "look for a few items in public benchmarks, courses and scripts; those who send them should have no other tie",
    "benchmark": "ask which test set was run, and look for its items in public; a harvest goes on after one pass",
    "end_users": "ask the customer how end-user ids are given, and whether they fit its own users; ids made up do not return",
    "organic_load": "find the tool or tutorial that the frame comes from; its users should differ in payment, network and hours",
    "different_content": "ask two or three of the accounts for what they use it; unrelated customers have unrelated answers",
    "one_organisation": "ask the organisation for its prompt library and who owns these accounts",
    "one_network": "ask the class, office or host behind the addresses; enrolment and hours should fit",
}
"""By gate."""

BY_FAMILY: Final[dict[str, str]] = {
    "partition": "ask for the batch job and its key list: one customer names one; look whether payment and organisation agree",
    "load": "ask whether one product spreads its traffic over these keys; its maker can show the scheduler and the contract",
    "succession": "compare the hand-overs with the customer's key rotation policy, and with bans: an operator moves when banned",
    "timing": "ask whether one deployment or scheduler drives all keys; its change record and its timetable have the hours",
    "means": "ask billing who pays, and whether the organisations are related",
    "corpus": "look for the items in public data sets, and ask for the source of the prompts",
    "independence": "ask for the source of the list and what the answers are for; an evaluation has a report",
    "elicitation": "ask what reads the long answers: a product shows them to people, training data is stored",
    "pattern": "ask for the template and the product that fills it; test data of a product has a purpose besides the answers",
}
"""By strongest family, where no gate fits."""

NOTHING: Final = "nothing here needs to be settled"


def settled_by(evidence: Sequence[dict[str, Any]], gates: Sequence[dict[str, Any]]) -> str:
    """Return what would settle a finding's innocent explanation."""
    found = explained_by([(e["bits"] or 0.0, e["family"]) for e in evidence], [(g["factor"], g["gate"]) for g in gates])
    if found is None:
        return NOTHING
    by, name = found
    return BY_GATE[name] if by == "gate" else BY_FAMILY[name]
