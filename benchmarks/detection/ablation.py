"""What each family of evidence, each signal and each gate contributes: every one switched off in turn.

    python benchmarks/detection/ablation.py LOG LABELS [LOG LABELS ...] [--signals] [--by-archetype] [--json FILE]

The labels measure; nothing is fitted to them. What is switched off weighs nothing, neither for nor against; what speaks up nowhere
in a log is called idle and is not run.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest import mock

from measuring import by_archetype, figures, judge, measured, ranking, read
from printing import Table, options, pairs, put_out

from extractscan.evaluate.evaluation import evaluate
from extractscan.evaluate.tables import match
from extractscan.verdict.explain import INNOCENT
from extractscan.verdict.findings import Evidence, Gate
from extractscan.verdict.signals import CAPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from measuring import Log

    from extractscan.verdict.findings import Findings

COLUMNS = (
    "average precision",
    "recall at FPR 0.1 %",
    "recall at FPR 1 %",
    "pair recall",
    "pair precision",
    "precision of high",
)


@contextmanager
def _rewritten(kind: type, change: Callable[[Any], dict[str, Any]]) -> Iterator[None]:
    """Let every new ``kind`` have the fields that ``change`` returns: the same wherever in the code it is made."""
    made = kind.__init__  # type: ignore[misc]

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        made(self, *args, **kwargs)
        for name, value in change(self).items():
            object.__setattr__(self, name, value)

    with mock.patch.object(kind, "__init__", init):
        yield


def without_family(family: str) -> AbstractContextManager[None]:
    """Evidence of a family weighs nothing."""
    return _rewritten(Evidence, lambda made: {"bits": 0.0} if made.family == family else {})


def without_signal(signal: str) -> AbstractContextManager[None]:
    """Evidence of a signal weighs nothing."""
    return _rewritten(Evidence, lambda made: {"bits": 0.0} if made.signal == signal else {})


def without_gate(gate: str) -> AbstractContextManager[None]:
    """A gate multiplies by one."""
    return _rewritten(Gate, lambda made: {"factor": 1.0} if made.gate == gate else {})


def switches(found: Findings, *, signals: bool) -> list[tuple[str, str, AbstractContextManager[None] | None]]:
    """Return what can be switched off, by the names in the code, with a remark; None for what is idle in this log."""
    groups = [(a.evidence, a.gates) for a in found.accounts] + [(c.evidence, ()) for c in found.campaigns]
    spoke = [e for evidence, _ in groups for e in evidence if e.bits != 0]
    families, said = {e.family for e in spoke}, {e.signal for e in spoke}
    fired = {g.gate for _, gates in groups for g in gates if g.factor < 1.0}
    out: list[tuple[str, str, AbstractContextManager[None] | None]] = [
        (
            f"without family {name}",
            "" if name in families else "idle",
            without_family(name) if name in families else None,
        )
        for name in CAPS
    ]
    if signals:
        out += [(f"without signal {name}", "", without_signal(name)) for name in sorted(said)]
    # Gates of groups that were not reported fired too, unseen: every gate is run.
    out += [
        (f"without gate {name}", "" if name in fired else "fires on no account", without_gate(name))
        for name in INNOCENT
    ]
    return out


def ablation(name: str, log: Log, *, signals: bool = False, archetypes: bool = False) -> list[Table]:
    """Return the tables of one log."""
    whole = judge(log)
    matched = match(ranking(whole), log.labels)
    base = figures(evaluate(matched))
    rows: list[dict[str, Any]] = [{"": "everything", **base}]
    recalls = {"everything": by_archetype(matched)} if archetypes else {}
    for title, remark, off in switches(whole, signals=signals):
        if off is None:
            rows.append({"": title, **base, "remark": remark})
            continue
        with off:
            changed = measured(log)
        rows.append({"": title, **figures(evaluate(changed)), "remark": remark})
        if archetypes:
            recalls[title] = by_archetype(changed)
    tables = [Table(f"Ablation, {name}", ("", *COLUMNS, "remark"), tuple(rows))]
    if archetypes:
        whole_recall = recalls["everything"]
        tables.append(
            Table(
                f"Recall at FPR 0.1 % by kind of attack, {name}",
                ("", "accounts", *recalls),
                tuple(
                    {
                        "": kind,
                        "accounts": whole_recall[kind]["accounts"],
                        **{title: found[kind]["recall at FPR 0.1 %"] for title, found in recalls.items()},
                    }
                    for kind in sorted(whole_recall)
                ),
            )
        )
    return tables


def main(arguments: Sequence[str] | None = None) -> None:
    parser = options(__doc__)
    parser.add_argument("paths", nargs="+", metavar="LOG LABELS")
    parser.add_argument("--signals", action="store_true", help="switch off single signals too")
    parser.add_argument("--by-archetype", action="store_true", help="print recall by kind of attack for every row")
    given = parser.parse_args(arguments)
    tables = []
    for log, labels in pairs(parser, given.paths):
        tables += ablation(log, read(log, labels), signals=given.signals, archetypes=given.by_archetype)
    put_out(tables, given)


if __name__ == "__main__":
    main()
