"""CSV: one row an account, flat, for spreadsheets."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TextIO

from extractscan.report.document import account_document, ranked_accounts
from extractscan.report.neutralise import csv_cell

if TYPE_CHECKING:
    from collections.abc import Iterable

    from extractscan.report.interface import RenderOptions
    from extractscan.verdict.findings import AccountFinding, Findings

FIELDS = (
    "schema_version",
    "rank",
    "account_id",
    "score",
    "bits",
    "severity",
    "severity_reason",
    "p_value",
    "q_value",
    "campaign_id",
    "requests",
    "first_seen",
    "last_seen",
    "stream",
    "innocent_explanation",
)


@dataclass(frozen=True, slots=True)
class CsvRenderer:
    """Writes a header and a row for each account.

    After the plain fields come, each in the order of its name: ``evidence.SIGNAL.value`` and ``evidence.SIGNAL.bits``
    (both empty when the signal was not assessed), ``gate.GATE`` (its factor; empty when it does not apply) and
    ``coverage.STATISTIC``. The columns are those of the whole run, whatever ``--top`` says.
    """

    media: Literal["text"] = "text"
    for_people: bool = False

    def render(self, findings: Findings, options: RenderOptions, stream: TextIO) -> None:
        """Write header and rows."""
        columns = _columns(findings.accounts)
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([csv_cell(name) for name in columns])
        for account in ranked_accounts(findings, options.top):
            row = _flatten(account)
            writer.writerow([csv_cell(row.get(name)) for name in columns])


def _columns(accounts: Iterable[AccountFinding]) -> list[str]:
    signals: set[str] = set()
    gates: set[str] = set()
    statistics: set[str] = set()
    for account in accounts:
        signals.update(entry.signal for entry in account.evidence)
        gates.update(gate.gate for gate in account.gates)
        statistics.update(account.coverage)
    return [
        *FIELDS,
        *(f"evidence.{signal}.{part}" for signal in sorted(signals) for part in ("value", "bits")),
        *(f"gate.{gate}" for gate in sorted(gates)),
        *(f"coverage.{statistic}" for statistic in sorted(statistics)),
    ]


def _flatten(account: AccountFinding) -> dict[str, str | float | None]:
    document = account_document(account)
    row: dict[str, str | float | None] = {name: document[name] for name in FIELDS}
    for entry in document["evidence"]:
        if entry["assessed"]:
            row[f"evidence.{entry['signal']}.value"] = entry["value"]
            row[f"evidence.{entry['signal']}.bits"] = entry["bits"]
    row.update({f"gate.{gate['gate']}": gate["factor"] for gate in document["gates"]})
    row.update({f"coverage.{name}": value for name, value in document["coverage"].items()})
    return row
