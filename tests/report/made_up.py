"""Findings made up for the report tests: two campaigns, a lone harvester, a look-alike, and the quiet rest."""

import importlib.util
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from extractscan.logs.result import FileSummary, Quarantined
from extractscan.report.interface import Format
from extractscan.verdict.findings import (
    SCHEMA_VERSION,
    AccountFinding,
    BaselineSummary,
    CampaignFinding,
    Evidence,
    Findings,
    Gate,
    NotAssessed,
    RunSummary,
    Tie,
)

FORMATS = [each for each in Format if each is not Format.STIX or importlib.util.find_spec("stix2")]
"""Those that can be written here: STIX needs its extra."""

START = datetime(2026, 3, 1, 0, 4, 11, 250_000, tzinfo=UTC)

COVERAGE = {"n": 1402, "observed": 1399, "unseen_mass": 0.9957203994, "chao1": 48213.5, "rarefied_richness": None}

RESELLER = "One reseller could spread its customers' load over these accounts; many unrelated end users would show it."
LABELLING = "Bulk labelling for one product looks like this; short outputs on one subject would show it."


def evidence(*entries):
    return tuple(
        Evidence(signal, family, value, bits, assessed=value is not None, detail=detail)
        for signal, family, value, bits, detail in entries
    )


HYDRA_EVIDENCE = evidence(
    ("shared_rare_frame", "frames", 0.9812, 7.25, "98 % of prompts share a frame met in 24 of 2,455 accounts."),
    ("task_variety", "content", 6.4, 5.5, "Tasks from 41 of 60 subjects; the median account has 3."),
    (
        "partition",
        "campaign",
        0.002,
        4.0,
        "Members overlap in 0.2 % of payloads; outsiders with the same corpus in 4.1 %.",
    ),
    ("load_evenness", "campaign", 0.08, 1.25, "Members differ by a factor of 1.1 in load; the median app by 3.4."),
    ("response_chaining", "responses", None, 0.0, "No column response."),
)

LONE_EVIDENCE = evidence(
    ("frame_concentration", "frames", 0.91, 5.0, "91 % of prompts share one frame."),
    ("novelty", "coverage", 0.99, 2.125, "99 % of prompts were met once."),
    ("near_duplicates", "clusters", 0.01, -0.5, "1 % of prompts are near-duplicates."),
    ("response_chaining", "responses", None, 0.0, "No column response."),
)

LOOK_ALIKE_EVIDENCE = evidence(
    ("frame_concentration", "frames", 1.0, 5.0, "Every prompt shares one frame."),
    ("response_chaining", "responses", None, 0.0, "No column response."),
)


def account(rank, account_id, **changes):
    base = AccountFinding(
        rank=rank,
        account_id=account_id,
        score=0.9873212345,
        bits=18.0,
        severity="high",
        campaign_id="c-3f9a12",
        requests=1402,
        first_seen=START + timedelta(hours=rank),
        last_seen=START + timedelta(days=11, hours=rank),
        stream="frame:0f31c2",
        evidence=HYDRA_EVIDENCE,
        gates=(),
        coverage=COVERAGE,
        innocent_explanation=RESELLER,
    )
    return replace(base, **changes)


def campaign(rank, campaign_id, members, **changes):
    base = CampaignFinding(
        rank=rank,
        campaign_id=campaign_id,
        score=0.9981,
        bits=21.5,
        severity="high",
        accounts=tuple(sorted(members)),
        requests=1402 * len(members),
        first_seen=START + timedelta(hours=1),
        last_seen=START + timedelta(days=11, hours=9),
        ties=(
            Tie("shared_frame", 0.98, len(members), "All members share a rare frame."),
            Tie("partition", 0.71, len(members) - 1, "Members avoid each other's payloads."),
        ),
        evidence=HYDRA_EVIDENCE,
        gates=(),
        coverage=COVERAGE,
        innocent_explanation=RESELLER,
    )
    return replace(base, **changes)


RUN = RunSummary(
    version="0.1.0",
    schema_version=SCHEMA_VERSION,
    files=(
        FileSummary("logs/2026-03-01.jsonl.zst", "jsonl", "0" * 64, 734_003_200, 203_120, 203_112, 8),
        FileSummary("logs/2026-03-02.parquet", "parquet", "1" * 64, 524_288_000, 200_003, 200_000, 0),
    ),
    rows_read=403_123,
    rows_kept=403_112,
    rows_quarantined=8,
    rows_outside_window=0,
    rows_duplicate=3,
    quarantine=tuple(
        Quarantined("logs/2026-03-01.jsonl.zst", line, reason)
        for line, reason in (
            (17, "The line is not valid JSON."),
            (1804, "The line is not valid UTF-8."),
            (20_441, "The timestamp is missing."),
            (20_442, "The timestamp is missing."),
            (20_443, "The timestamp is missing."),
            (20_444, "The timestamp is missing."),
            (99_001, "The account is missing."),
            (99_002, "The account is missing."),
        )
    ),
    accounts=2455,
    clusters=311_204,
    capped_bands=7,
    first_seen=START,
    last_seen=START + timedelta(days=14, hours=23),
    not_assessed=(
        NotAssessed("response_chaining", "No column response."),
        NotAssessed("rationale_tags", "No column response."),
        NotAssessed("payment_sharing", "No column payment_id."),
    ),
    calibration="No baseline was given, so no error rate is claimed: scores rank accounts against this log's population.",
)

_HYDRA = [f"acct-{number:04d}" for number in range(1, 25)]
_SECOND = ["org_8812/key-a", "org_8812/key-b", "org_8812/key-main"]


def made_up():
    accounts = [account(rank, name, requests=1402 - 7 * rank) for rank, name in enumerate(_HYDRA[:18], start=1)]
    accounts += [
        account(19, _SECOND[2], score=0.91, bits=9.5, severity="medium", campaign_id="c-77b0e4", requests=88_120),
        account(
            20,
            "lone-harvester",
            score=0.874,
            bits=7.125,
            severity="medium",
            campaign_id=None,
            requests=12_044,
            evidence=LONE_EVIDENCE,
            innocent_explanation=LABELLING,
            gates=(Gate("one_narrow_subject", 0.8, "Payloads come from two subjects."),),
        ),
    ]
    accounts += [
        account(
            rank,
            name,
            score=0.61,
            bits=4.0,
            severity="low",
            campaign_id="c-77b0e4",
            requests=311,
            evidence=LONE_EVIDENCE,
        )
        for rank, name in enumerate(_SECOND[:2], start=21)
    ]
    accounts += [
        account(
            23,
            "нейтральный-клиент",
            score=0.31,
            bits=1.0,
            severity="low",
            campaign_id=None,
            evidence=LOOK_ALIKE_EVIDENCE,
            gates=(Gate("exact_repetition", 0.2, "96 % of requests repeat another exactly."),),
            innocent_explanation="A continuous-integration job repeats its prompts like this.",
        ),
        account(
            24, "quiet-1", score=0.01, bits=0.0, severity="none", campaign_id=None, evidence=(), innocent_explanation=""
        ),
        account(
            25, "quiet-2", score=0.0, bits=-0.0, severity="none", campaign_id=None, evidence=(), innocent_explanation=""
        ),
    ]
    campaigns = (
        campaign(1, "c-3f9a12", _HYDRA),
        campaign(
            2,
            "c-77b0e4",
            _SECOND,
            score=0.9312,
            bits=10.25,
            severity="medium",
            requests=88_742,
            last_seen=START + timedelta(hours=7),
            evidence=LONE_EVIDENCE,
        ),
    )
    return Findings(run=RUN, accounts=tuple(accounts), campaigns=campaigns)


BASELINE = BaselineSummary(
    stated_rate=0.05,
    periods=2,
    files=(
        FileSummary("clean/2026-01.parquet", "parquet", "2" * 64, 524_288_000, 190_000, 190_000, 0),
        FileSummary("clean/2026-02.parquet", "parquet", "3" * 64, 524_288_000, 195_004, 195_003, 1),
    ),
    accounts=4816,
    independent=4310,
    groups=212,
    warnings=("Columns differ: ip.", "One account of the baseline would be graded high."),
)
TAKEN_BACK = "high by its bits, but q 0.214 is over the stated rate of 0.05"


def calibrated():
    """The same findings against a baseline: the first campaign passes, its last accounts do not."""
    plain = made_up()
    accounts = [
        replace(each, p_value=0.0002, q_value=0.0003)
        if each.rank <= 12
        else replace(each, p_value=0.0091, q_value=0.2142, severity="medium", severity_reason=TAKEN_BACK)
        if each.severity == "high"
        else replace(each, p_value=0.4, q_value=1.0)
        for each in plain.accounts
    ]
    passing, failing = plain.campaigns
    campaigns = (
        replace(passing, p_value=0.0047, q_value=0.0366),
        replace(failing, p_value=0.0329, q_value=0.2142, severity_reason=TAKEN_BACK),
    )
    run = replace(plain.run, calibration="Compared with a baseline of 2 periods.", baseline=BASELINE)
    return Findings(run, tuple(accounts), campaigns)


def nothing_found():
    quiet = tuple(each for each in made_up().accounts if each.severity == "none")
    run = replace(RUN, accounts=2, rows_quarantined=0, quarantine=(), rows_duplicate=0, capped_bands=0, not_assessed=())
    return Findings(run=run, accounts=quiet, campaigns=())


def nothing_read():
    run = replace(
        RUN, accounts=0, rows_kept=0, rows_read=8, first_seen=None, last_seen=None, rows_duplicate=0, files=()
    )
    return Findings(run=run, accounts=(), campaigns=())
