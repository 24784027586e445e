"""Numbers, times and evidence in the few words that a table has room for."""

from __future__ import annotations

from collections import Counter
from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from extractscan.logs.result import Quarantined
    from extractscan.verdict.findings import Evidence, Gate, NotAssessed

_ASCII = str.maketrans(
    {
        "…": "...",
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
        "\N{MINUS SIGN}": "-",
        "\N{MULTIPLICATION SIGN}": "x",
        "≥": ">=",
        "≤": "<=",
        "≈": "~",
        "±": "+/-",
        "→": "->",
        "·": "-",
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "“": '"',
        "”": '"',
        "µ": "u",
        "\N{NO-BREAK SPACE}": " ",
        "\N{NARROW NO-BREAK SPACE}": " ",
    }
)


def plain(sentence: str) -> str:
    """Return one of our own sentences with its typography in ASCII; not for ids, which must stay distinct."""
    return sentence.translate(_ASCII)


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return ``1 account`` or ``2,431 accounts``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def probability(value: float) -> str:
    """Return three decimals, and ``<.001`` rather than a zero that it is not."""
    return "<.001" if 0.0 < value < 0.0005 else f"{value:.3f}"


def moment(time: datetime) -> str:
    """Return date and minute in UTC, without naming the zone."""
    return _utc(time).strftime("%Y-%m-%d %H:%M")


def day(time: datetime) -> str:
    """Return the date in UTC."""
    return _utc(time).strftime("%Y-%m-%d")


def length(first: datetime, last: datetime) -> str:
    """Return how long it is from the first to the last, in the unit that says it best."""
    seconds = max((_utc(last) - _utc(first)).total_seconds(), 0.0)
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * size or (unit == "day" and round(seconds / size) == 1):
            return count(round(seconds / size), unit)
    return count(round(seconds), "second")


def reasons(evidence: Iterable[Evidence]) -> list[str]:
    """Return ``near duplicates +3.2`` and so on for what counts against, strongest first; the numbers are bits."""
    return [f"{words(entry.signal)} +{entry.bits:.1f}" for entry in strongest(evidence)]


def strongest(evidence: Iterable[Evidence]) -> list[Evidence]:
    """Return the evidence that counts against, strongest first."""
    against = (entry for entry in evidence if entry.assessed and entry.bits >= 0.05)  # less would show as +0.0
    return sorted(against, key=lambda entry: (-entry.bits, entry.signal))


def reliefs(gates: Iterable[Gate], evidence: Iterable[Evidence] = ()) -> list[str]:
    """Return what lowered the bits: ``even load -2.0`` for evidence of innocence, ``load test x0.20`` for gates, strongest first."""
    speaking = sorted(
        (entry for entry in evidence if entry.bits <= -0.05), key=lambda entry: (entry.bits, entry.signal)
    )
    lowered = [f"{words(entry.signal)} \N{MINUS SIGN}{-entry.bits:.1f}" for entry in speaking]
    lowering = sorted((gate for gate in gates if gate.factor < 1), key=lambda gate: (gate.factor, gate.gate))
    return lowered + [f"{words(gate.gate)} \N{MULTIPLICATION SIGN}{gate.factor:.2f}" for gate in lowering]


def words(identifier: str) -> str:
    """Return an identifier as words."""
    return identifier.replace("_", " ")


def fitted(phrases: Sequence[str], width: int) -> str:
    """Join as many phrases as ``width`` characters hold, at least one, and say how many are left out."""
    if not phrases:
        return ""
    shown = len(phrases)
    while True:
        left = len(phrases) - shown
        text = ", ".join(phrases[:shown]) + (f", {left} more" if left else "")
        if len(text) <= width or shown == 1:
            return text
        shown -= 1


def tail(path: str, length: int) -> str:
    """Return the end of a path of more than ``length`` (over 3) characters, which says more than its start."""
    return path if len(path) <= length else "..." + path[3 - length :]


def by_reason(entries: Iterable[NotAssessed]) -> list[str]:
    """Return ``a, b: no column response`` and so on: the signals that were not assessed, gathered by reason."""
    signals: dict[str, list[str]] = {}
    for entry in entries:
        signals.setdefault(entry.reason, []).append(words(entry.signal))
    return [f"{', '.join(names)}: {reason}" for reason, names in signals.items()]


def examples(entries: Sequence[Quarantined], most: int) -> list[tuple[Quarantined, int]]:
    """Return the first entry of each reason, and how many more give the same reason; at most ``most`` of them."""
    alike = Counter(entry.reason for entry in entries)
    first: dict[str, Quarantined] = {}
    for entry in entries:
        first.setdefault(entry.reason, entry)
    return [(entry, alike[reason] - 1) for reason, entry in first.items()][:most]


def _utc(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
