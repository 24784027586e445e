"""The table: golden outputs, widths, and what it must say."""

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from made_up import RUN, account, calibrated, made_up, nothing_found, nothing_read
from rich.cells import cell_len

from extractscan.report import phrases
from extractscan.report.interface import RenderOptions
from extractscan.report.table import TableRenderer
from extractscan.verdict.findings import Findings

GOLDEN = Path(__file__).parent / "golden"


def table(findings, **options):
    stream = io.StringIO()
    TableRenderer().render(findings, RenderOptions(**options), stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "findings", "options"),
    [
        ("table-80", made_up(), {"width": 80}),
        ("table-120", made_up(), {"width": 120}),
        ("table-200", made_up(), {"width": 200}),
        ("table-80-ascii", made_up(), {"width": 80, "unicode": False}),
        ("table-120-colour", made_up(), {"width": 120, "colour": True, "top": 2}),
        ("table-80-calibrated", calibrated(), {"width": 80}),
        ("table-120-calibrated", calibrated(), {"width": 120}),
        ("table-200-calibrated", calibrated(), {"width": 200, "top": 14}),
        ("table-nothing-found", nothing_found(), {"width": 80}),
        ("table-nothing-read", nothing_read(), {"width": 80}),
    ],
)
def test_golden(name, findings, options, refresh_golden):
    path = GOLDEN / f"{name}.txt"
    output = table(findings, **options)
    if refresh_golden:
        path.write_text(output, encoding="utf-8", newline="\n")
    assert output == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [50, 60, 79, 80, 100, 110, 120, 160, 200, 300])
@pytest.mark.parametrize("unicode", [True, False])
@pytest.mark.parametrize(("findings", "least"), [(made_up(), 72), (calibrated(), 79)], ids=["plain", "calibrated"])
def test_no_line_is_wider_than_asked_or_ends_in_blanks(width, unicode, findings, least):
    for line in table(findings, width=width, unicode=unicode).splitlines():
        assert cell_len(line) <= max(width, least)  # below, the fixed columns of an account do not fit
        assert line == line.rstrip()


def test_it_says_what_was_read_and_found():
    text = " ".join(table(made_up()).split())
    assert "403,112 of 403,123 requests kept (8 quarantined, 3 duplicates)" in text
    assert "2 campaigns and 23 accounts to look at (accounts: 18 high, 2 medium, 3 low)" in text
    assert "2,432 accounts without a finding" in text
    assert "A score is a lead, not an attribution." in text
    assert RUN.calibration in text
    assert "response chaining, rationale tags: No column response." in text
    assert "7 bands" in text
    assert "logs/2026-03-01.jsonl.zst:17 The line is not valid JSON." in text
    assert "quiet-1" not in text


def test_campaigns_come_before_accounts():
    text = table(made_up())
    assert text.index("CAMPAIGN ") < text.index("ACCOUNT  ")


@pytest.mark.parametrize(("top", "rows"), [(None, 20), (3, 3), (23, 23), (1000, 23)])
def test_top(top, rows):
    text = table(made_up(), top=top)
    accounts = text[text.index("STRONGEST REASONS") :]
    assert len(re.findall(r"^ *\d+  \S.*(?:HIGH|MEDIUM|LOW)", accounts, re.MULTILINE)) == rows
    assert ("more account" in text) == (rows < 23)
    assert len(re.findall(r"tied by", text)) == 2


def test_severity_is_readable_without_colour():
    text = table(made_up(), top=23)
    assert "●●● HIGH" in text
    assert "●●○ MEDIUM" in text
    assert "●○○ LOW" in text
    assert "\x1b" not in text


def test_a_long_id_is_folded_and_not_lost():
    long = "5f0c1e6a-77b1-4b7e-9a53-0d9f2c1f4e11-and-more-of-it"
    for width in (60, 80, 120, 200):
        lines = table(Findings(RUN, (account(1, long, campaign_id=None),), ()), width=width).splitlines()
        head = next(number for number, line in enumerate(lines) if "ACCOUNT " in line)
        column = slice(lines[head].index("ACCOUNT"), lines[head].index("SEVERITY"))
        assert "".join(line[column].strip() for line in lines[head + 2 :]).startswith(long)


def test_without_findings_it_says_so():
    text = table(nothing_found())
    assert "Nothing found: no campaign, and no account that stands out." in text
    assert "CAMPAIGN" not in text
    assert "No request could be kept" in table(nothing_read())


def test_an_account_repeats_not_what_its_campaign_says():
    text = table(made_up(), width=120)
    assert text.count("One reseller could spread") == 2  # once a campaign


def test_naive_times_and_one_account():
    naive = RUN.first_seen.replace(tzinfo=None)
    run = replace(RUN, first_seen=naive, last_seen=naive, accounts=1)
    text = table(Findings(run, (account(1, "a", first_seen=naive, last_seen=naive),), ()))
    assert "0 seconds" in text
    assert "0 campaigns and 1 account to look at" in text


def test_phrases():
    assert phrases.count(1, "account") == "1 account"
    assert phrases.count(2431, "account") == "2,431 accounts"
    assert phrases.fitted(["a +1.0", "b +1.0", "c +1.0"], 16) == "a +1.0, 2 more"
    assert phrases.fitted(["a +1.0", "b +1.0"], 14) == "a +1.0, b +1.0"
    assert phrases.fitted([], 14) == ""
    assert phrases.fitted(["a long one"], 3) == "a long one"
    assert phrases.plain("≥ 3 \u2013 “x” \u00d72") == '>= 3 - "x" x2'
