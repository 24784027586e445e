"""The strongest innocent explanation of a finding, and what a log could not support."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from extractscan.verdict.findings import NotAssessed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extractscan.verdict.findings import Evidence, Gate

INNOCENT: Final[dict[str, str]] = {
    "conversations": "people who hold conversations",
    "exact_repetition": "automated tests, monitoring or a load test",
    "public_items": "a public benchmark, a course or a shared script: others send the same items",
    "benchmark": "an evaluation run: temperature 0, over in a few days",
    "end_users": "a reseller or product with end users of its own",
    "organic_load": "independent customers of one tool, tutorial or product",
    "different_content": "unrelated customers of one tool, each with data of its own",
    "one_organisation": "colleagues in one organisation with a common prompt library",
    "one_network": "a class, an office or one host behind few addresses",
}
"""By gate."""

UNGATED: Final[dict[str, str]] = {
    "partition": "one customer's batch job, split over keys of its own",
    "load": "one product that spreads its traffic evenly over keys or tenants",
    "succession": "one customer who rotates keys by policy",
    "timing": "one product whose maker moves it to a new model, or starts and stops it, for all of its keys at once",
    "means": "related companies, an agency or a shared host",
    "corpus": "unrelated customers who process the same public data set",
    "independence": "a script working through the customer's own list of questions, or an evaluation",
    "elicitation": "a product that needs long answers",
    "pattern": "template-driven content or test data of one product",
}
"""By strongest family, where no gate fits. All of them can be settled by asking the customer for the source of the prompts."""

HALF: Final = 0.5
"""Factor up to which a gate explains more of a finding than it leaves."""

NEEDS: Final[tuple[tuple[str, tuple[str, ...], str], ...]] = (
    ("content of prompts (frames, clusters, coverage, campaigns)", ("prompt",), "no column holds prompts"),
    (
        "conversations",
        ("conversation_id", "turn"),
        "no conversation ids or turns: single requests cannot be told from dialogue",
    ),
    ("long_outputs", ("output_tokens",), "no output token counts"),
    ("harvest_flags", ("n", "logprobs"), "neither n nor logprobs is logged"),
    ("one_organisation", ("org_id",), "no organisation ids"),
    ("one_network", ("ip",), "no addresses"),
    ("end_users", ("end_user",), "no end-user ids"),
    ("benchmark", ("temperature",), "no temperatures: an evaluation run cannot be told"),
    ("release_pivot", ("model",), "no model names"),
    ("shared_means", ("payment_id", "ip"), "neither payment instruments nor addresses are logged"),
    ("responses", ("response",), "no responses: tagged reasoning and answers that return in a prompt cannot be seen"),
)
"""Signal, the columns any of which it needs, and what to say when all are missing."""


def not_assessed(present: frozenset[str], left_out: int = 0) -> tuple[NotAssessed, ...]:
    """What the columns of this log cannot support; and senders that were ``left_out`` when corpora were compared."""
    missing = [NotAssessed(signal, why) for signal, columns, why in NEEDS if not any(c in present for c in columns)]
    if left_out:
        missing.append(NotAssessed("one_corpus", f"{left_out:,} of the smallest frames and senders were not compared"))
    return tuple(missing)


def explained_by(
    families: Sequence[tuple[float, str]], gates: Sequence[tuple[float, str]]
) -> tuple[Literal["gate", "family"], str] | None:
    """The gate or the family of evidence that names a finding's strongest innocent explanation; None if nothing needs one.

    Given are bits and family of each piece of evidence, factor and name of each gate. It is the strongest gate if that takes away half
    (``HALF``) or more; else the strongest family: what usually lies behind it explains more than a gate that hardly shuts.
    """
    factor, gate = min(gates, default=(1.0, ""))
    bits, family = max(families, default=(0.0, ""))
    if gate and (factor <= HALF or bits <= 0.0):
        return "gate", gate
    return ("family", family) if bits > 0.0 else None


def innocent_explanation(evidence: Sequence[Evidence], gates: Sequence[Gate]) -> str:
    """Name the strongest innocent explanation of a finding."""
    found = explained_by([(e.bits, e.family) for e in evidence], [(g.factor, g.gate) for g in gates])
    if found is None:
        return "nothing here needs an explanation"
    by, name = found
    return INNOCENT[name] if by == "gate" else UNGATED[name]
