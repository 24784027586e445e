"""From evidence to a score, step by step: families, each capped, then gates, then the odds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from extractscan.verdict.signals import CAPS

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Step:
    """One step: ``bits`` is what it adds or takes away, ``total`` the sum after it.

    ``kind`` is family, gate or floor (a sum below zero counts as zero); ``signals`` are those of a family, ``before_cap`` their sum,
    ``factor`` what a gate multiplies by.
    """

    kind: str
    name: str
    bits: float
    total: float
    signals: tuple[str, ...] = ()
    before_cap: float | None = None
    factor: float | None = None

    def document(self) -> dict[str, Any]:
        """Return it as schema ``explain`` has it."""
        return {
            "kind": self.kind,
            "name": self.name,
            "bits": round(self.bits, 6) + 0.0,
            "total": round(self.total, 6) + 0.0,
            "signals": list(self.signals),
            "before_cap": None if self.before_cap is None else round(self.before_cap, 6) + 0.0,
            "factor": self.factor,
        }


def waterfall(evidence: Sequence[dict[str, Any]], gates: Sequence[dict[str, Any]]) -> list[Step]:
    """Return the steps from 0 to the bits of a finding, families with the most bits first, gates in the order in which they act."""
    families: dict[str, list[dict[str, Any]]] = {}
    for entry in evidence:
        families.setdefault(entry["family"], []).append(entry)
    sums = {name: sum(e["bits"] or 0.0 for e in entries) for name, entries in families.items()}
    steps: list[Step] = []
    total = 0.0
    for name in sorted(families, key=lambda f: (-min(sums[f], CAPS.get(f, sums[f])), f)):
        bits = min(sums[name], CAPS.get(name, sums[name]))
        if not any(e["assessed"] for e in families[name]):
            continue
        total += bits
        signals = tuple(e["signal"] for e in sorted(families[name], key=lambda e: (-(e["bits"] or 0.0), e["signal"])))
        steps.append(Step("family", name, bits, total, signals, sums[name]))
    for gate in gates:
        lowered = total * gate["factor"]
        steps.append(Step("gate", gate["gate"], lowered - total, lowered, factor=gate["factor"]))
        total = lowered
    if total < 0.0:
        steps.append(Step("floor", "at least zero", -total, 0.0))
    return steps
