"""The Markdown report: what it says, and golden outputs."""

from dataclasses import replace
from pathlib import Path

import pytest
from made_up import account, calibrated, campaign, made_up, nothing_found, nothing_read
from test_report_formats import check_markdown, render

from extractscan.report import digest
from extractscan.report.interface import Format
from extractscan.verdict.findings import Evidence, Findings, Gate
from extractscan.verdict.signals import CAPS

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize(
    ("name", "findings"),
    [("found", made_up()), ("calibrated", calibrated()), ("nothing", nothing_found()), ("empty", nothing_read())],
    ids=["found", "calibrated", "nothing", "empty"],
)
def test_golden(name, findings, refresh_golden):
    shown = render(findings, Format.MARKDOWN)
    path = GOLDEN / f"markdown-{name}.md"
    if refresh_golden:
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8")
    check_markdown(shown)


def test_only_findings_are_listed_and_the_rest_is_counted():
    shown = render(made_up(), Format.MARKDOWN)
    assert "quiet" not in shown
    assert "2,432 accounts without a finding" in shown.replace("\\", "")
    assert "22 more accounts with a finding." in render(made_up(), Format.MARKDOWN, top=1)


def test_members_beyond_the_limit_are_counted():
    run = made_up().run
    many = campaign(1, "c-1", [f"a{number:03}" for number in range(60)])
    shown = render(Findings(run, (), (many,)), Format.MARKDOWN)
    assert "a049 and 10 more" in shown
    assert "a050" not in shown


@pytest.mark.parametrize("bits", [0.0, 4.0, 18.0, -1.0])
@pytest.mark.parametrize("factors", [(), (0.2,), (0.5, 0.8), (1.0,)])
def test_steps_sum_to_the_bits(bits, factors):
    gates = tuple(Gate(f"g{number}", factor, "") for number, factor in enumerate(factors))
    entries = (Evidence("a", "f", 1.0, 6.0, True, ""), Evidence("b", "f", None, 0.0, False, ""))
    steps = digest.steps(account(1, "x", bits=bits, evidence=entries, gates=gates))
    assert sum(step[2] for step in steps) == pytest.approx(bits, abs=0.05)
    assert [step[0] for step in steps if step[1] == "evidence"] == ["a"]


def test_steps_name_a_gate_by_what_it_takes():
    entries = (Evidence("a", "f", 1.0, 6.0, True, "seen"),)
    finding = replace(account(1, "x"), bits=3.0, evidence=entries, gates=(Gate("one_network", 0.5, "why"),))
    assert digest.steps(finding) == [("a", "evidence", 6.0, "seen"), ("one network ×0.50", "gate", -3.0, "why")]


def test_a_cap_is_a_step_of_its_own():
    entries = (
        Evidence("near_empty_prompts", "pattern", 1.0, 5.0, True, "one"),
        Evidence("chained_prompts", "pattern", 1.0, 4.5, True, "two"),
    )
    steps = digest.steps(replace(account(1, "x"), bits=CAPS["pattern"], evidence=entries, gates=()))
    cap = ("cap of pattern", "rest", CAPS["pattern"] - 9.5, "signals that say the same count no further")
    assert [step[0] for step in steps] == ["near empty prompts", "chained prompts", "cap of pattern"]
    assert steps[2] == cap
