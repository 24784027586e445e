"""A log against clean periods: what is reduced, compared, refused and said."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from extractscan.engine.load import LogSource
from extractscan.engine.local import assess_logs
from extractscan.errors import UsageError
from extractscan.logs.result import FileSummary
from extractscan.progress import Silent
from extractscan.simulate.attacks.registry import ATTACKS
from extractscan.simulate.benign.registry import BENIGN
from extractscan.simulate.registry import choose
from extractscan.simulate.settings import Settings
from extractscan.simulate.write import LogFormat, write_log
from extractscan.verdict.baseline import NO_STREAM, Period, calibrate, check_periods, differences, disjoint, period
from extractscan.verdict.report import findings

START = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 20


def made(bits, groups=(), *, start=0, days=DAYS, tag="a", **changes):
    """A period of accounts with these bits, each by itself, whose groups have those bits."""
    size = len(bits)
    first = START + timedelta(days=start)
    base = Period(
        bits=np.array(bits, float),
        cluster=np.arange(size),
        requests=np.resize(np.array([5, 20, 80, 300]), size),
        kind=np.resize(np.array([0, -1, -2]), size),
        groups=np.array(groups, float),
        campaigns=0,
        high=0,
        names=frozenset(f"{tag}{i}" for i in range(size)),
        first=first,
        last=first + timedelta(days=days),
        present=frozenset({"prompt", "output_tokens"}),
        files=(FileSummary(f"{tag}.jsonl", "jsonl", tag * 8, 1, 1, 1, 0),),
    )
    return replace(base, **changes)


def quiet(size=400, seed=1):
    return np.abs(np.random.default_rng(seed).normal(size=size))


def clean(count=20):
    return [made(quiet(seed=i), quiet(20, seed=i), start=-30 * i, tag=f"p{i}") for i in range(1, count + 1)]


# P- and q-values


def test_what_exceeds_twenty_clean_periods_passes():
    log = made([9.0] * 12 + list(quiet(388)), [8.0, *quiet(19)], campaigns=1)
    found = calibrate(log, clean(), 0.05)
    assert found.campaign_p[0] == pytest.approx(1 / 401)
    assert found.campaign_q[0] == pytest.approx(20 / 401)
    assert (found.account_q[:12] <= 0.05).all()
    assert (found.account_q[12:] > 0.05).all()
    assert "12 accounts and 1 campaign pass at q <= 0.05" in found.sentence
    assert (found.summary.periods, found.summary.accounts, found.summary.groups) == (20, 8000, 400)
    assert found.summary.warnings == ()


def test_a_cluster_counts_once():
    bits = [9.0] * 12 + list(quiet(388))
    log = made(bits, cluster=np.r_[np.zeros(12, int), np.arange(1, 389)])
    assert calibrate(log, clean(), 0.05).account_q.min() > 0.05
    weaker = replace(log, bits=np.r_[9.0, np.zeros(11), log.bits[12:]])
    assert calibrate(weaker, clean(), 0.05).account_p[1] > 0.9  # a member answers for its own bits


def test_a_cluster_of_the_baseline_counts_once_too():
    """Fifty accounts of one product that exceed the log together are one exception, not fifty."""
    product = made(
        [8.0] * 50 + list(quiet(150)), cluster=np.r_[np.zeros(50, int), np.arange(1, 151)], start=-30, tag="b"
    )
    found = calibrate(made([7.0, *quiet(99)]), [product], 0.05)
    assert found.summary.accounts == 200
    assert found.summary.independent == 151
    assert found.account_p[0] == pytest.approx(2 / 152)


def test_innocent_accounts_pass_as_often_as_is_stated_and_no_more():
    """With independent accounts Benjamini-Yekutieli realises the stated rate over 1 + 1/2 + ... + 1/m, and something passes at all."""
    dice = np.random.default_rng(5)
    rate, accounts, runs = 0.3, 20, 2000
    passing = 0
    for _ in range(runs):
        bits = dice.exponential(size=420)
        found = calibrate(made(bits[:accounts]), [made(bits[accounts:], start=-30, tag="b")], rate)
        passing += bool((found.account_q <= rate).any())
    stated = rate / sum(1 / k for k in range(1, accounts + 1))
    assert 0.4 * stated < passing / runs < 1.3 * stated


def test_innocent_campaigns_pass_as_often_as_is_stated_and_no_more():
    dice = np.random.default_rng(6)
    rate, groups, runs = 0.2, 10, 2000
    passing = 0
    for _ in range(runs):
        bits = dice.exponential(size=210)
        log = made(quiet(20), np.sort(bits[:groups])[::-1], campaigns=groups)
        found = calibrate(log, [made(quiet(20, 2), bits[groups:], start=-30, tag="b")], rate)
        passing += bool((found.campaign_q <= rate).any())
    assert 0.5 * rate < passing / runs < 1.2 * rate


def test_a_small_baseline_says_that_nothing_can_pass():
    log = made([9.0, *quiet(99)], [8.0, 1.0], campaigns=1)
    found = calibrate(log, [made(quiet(20), [0.5], start=-30, tag="b")], 0.05)
    assert (found.account_q > 0.05).all()
    assert (found.campaign_q > 0.05).all()
    assert "too small for any account or any campaign to pass" in found.sentence
    assert "0 accounts and 0 campaigns pass" in found.sentence


def test_a_middling_baseline_says_how_many_must_stand_out():
    found = calibrate(made(quiet(), quiet(20)), clean(5), 0.05)
    assert "To pass, 27 accounts or 4 campaigns together would have to exceed all of the baseline." in found.sentence
    assert "More clean periods" in found.sentence


def test_severity_is_taken_back_only_from_high():
    found = calibrate(made([9.0, *quiet(99)]), [made(quiet(20), start=-30, tag="b")], 0.05)
    assert "0.300 is over the stated rate of 0.05" in found.reason("high", 0.3)
    assert found.reason("high", 0.05) is None
    assert found.reason("medium", 0.3) is None


def test_no_groups_no_accounts():
    nothing = made([], days=0, first=None, last=None)
    found = calibrate(made([3.0], days=0), [nothing], 0.05)
    assert found.account_p.tolist() == [1.0]
    assert calibrate(nothing, clean(1), 0.05).account_q.size == 0
    assert found.summary.warnings == ("the log or the baseline has no accounts",)


# Groups


def group(bits, *accounts):
    return SimpleNamespace(
        bits=bits, accounts=np.array(accounts), group=SimpleNamespace(streams=np.array(sorted(accounts)))
    )


def test_a_group_under_another_name_is_no_second_test():
    chosen = [group(6.0, 1, 2, 3)]
    again, half, other, weak = group(9.0, 1, 2, 3, 4), group(2.0, 3, 5), group(1.0, 3, 5, 6), group(-2.0, 7, 8)
    assert disjoint(chosen, [*chosen, weak, other, half, again]) == [*chosen, other, weak]


# What speaks against the comparison


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, None),
        ({"requests": np.full(400, 500)}, "another size"),
        ({"requests": np.r_[np.resize([5, 20, 80, 300], 398), 601, 9000]}, "2 accounts sent more than 2 times"),
        ({"kind": np.full(400, -1)}, "mix of conversations"),
        ({"last": START + timedelta(days=41)}, "41.0 days long, the baseline 20.0"),
        ({"last": START + timedelta(days=9)}, "9.0 days long"),
        ({"present": frozenset({"prompt", "ip"})}, "ip, output_tokens"),
        ({"first": START - timedelta(days=20), "names": frozenset({"b1", "b2"})}, "overlaps the log in time and in 2"),
    ],
)
def test_what_differs_is_said(changes, said):
    log = made(quiet(), **changes)
    found = differences(log, [made(quiet(seed=2), start=-30, tag="b")])
    assert (found == ()) if said is None else (len(found) == 1 and said in found[0])


def test_a_baseline_that_is_not_clean_is_said():
    (found,) = differences(made(quiet()), [made(quiet(), start=-30, tag="b", high=3)])
    assert "3 accounts of the baseline would be graded high" in found


def test_few_accounts_are_no_reason_to_warn():
    log = made([0.0] * 4, requests=np.array([300, 300, 80, 80]))
    assert differences(log, [made([0.0] * 4, start=-30, tag="b", requests=np.array([200, 5, 5, 300]))]) == ()


def test_periods_that_overlap_count_twice_and_are_told():
    a, b = made(quiet(), start=-30, tag="b"), made(quiet(), start=-40, tag="b")
    assert any("which count twice" in each for each in differences(made(quiet()), [a, b]))


def test_a_file_is_one_period_only():
    a, b = clean(2)
    check_periods([a, b])
    with pytest.raises(UsageError, match=r"p1\.jsonl"):
        check_periods([a, b, a])
    empty = replace(a, files=(FileSummary("e", "jsonl", "0", 0, 0, 0, 0),))
    check_periods([empty, empty])


# Whole logs


def simulated(folder, seed, attacks="none"):
    settings = Settings(
        seed=seed,
        requests=2500,
        languages=("en", "es"),
        attacks=choose(attacks, ATTACKS, "--attacks"),
        benign=choose("all", BENIGN, "--benign"),
    )
    written = write_log(settings, folder / str(seed), LogFormat.parquet, clobber=False, observer=Silent())
    return assess_logs(LogSource(tuple(str(f) for f in written.files if f.suffix == ".parquet")), observer=Silent())


@pytest.fixture(scope="module")
def innocent(tmp_path_factory):
    folder = tmp_path_factory.mktemp("innocent")
    return [simulated(folder, seed) for seed in range(1, 7)]


def test_a_period_holds_every_account_of_a_log(innocent):
    for scored in innocent[:2]:
        kept = period(scored.assessment, scored.measured)
        total = len(scored.measured.accounts)
        assert {a.size for a in (kept.bits, kept.cluster, kept.requests, kept.kind)} == {total}
        reported = {a.account_id: a for a in findings(scored.assessment, scored.measured).accounts}
        for name, bits, sent in zip(scored.measured.accounts, kept.bits, kept.requests, strict=True):
            assert reported[name].bits == pytest.approx(bits)
            assert reported[name].requests == sent
        assert kept.campaigns == len(scored.assessment.campaigns) <= kept.groups.size
        assert kept.groups[: kept.campaigns].tolist() == [c.bits for c in scored.assessment.campaigns]
        assert set(np.unique(kept.kind)) <= {0, -1, -2, -3, -4, NO_STREAM}
        assert kept.high == sum(a.severity == "high" for a in reported.values())


@pytest.mark.parametrize("rate", [0.05, 0.1])
def test_innocent_logs_keep_the_stated_rate(innocent, rate):
    """Every discovery is false, so that the realised rate is the share of logs with any. See benchmarks/detection/calibration.py."""
    periods = [period(each.assessment, each.measured) for each in innocent]
    false = np.zeros(2)
    runs = 0
    for i, log in enumerate(periods):
        others = periods[:i] + periods[i + 1 :]
        for baseline in (*([other] for other in others), others):
            found = calibrate(log, baseline, rate)
            false += [(found.account_q <= rate).any(), (found.campaign_q <= rate).any()]
            runs += 1
    assert (false / runs <= rate).all()


def test_attacks_are_told_from_clean_periods_or_taken_back(tmp_path, innocent):
    attacked = simulated(tmp_path, 78, attacks="hydra_replay")
    calibration = calibrate(
        period(attacked.assessment, attacked.measured), [period(s.assessment, s.measured) for s in innocent], 0.05
    )
    plain = findings(attacked.assessment, attacked.measured)
    found = findings(attacked.assessment, attacked.measured, calibration)
    assert plain.run.baseline is None
    assert "no error rate is claimed" in plain.run.calibration
    assert found.run.baseline == calibration.summary
    # Six small periods are too few for an account to pass: what was high is taken back, and nothing else changes.
    assert any(each.severity == "high" for each in plain.accounts)
    assert not any(each.severity == "high" for each in found.accounts)
    for before, after in ((plain.accounts, found.accounts), (plain.campaigns, found.campaigns)):
        for old, new in zip(before, after, strict=True):
            assert (old.p_value, old.q_value, old.severity_reason) == (None, None, None)
            assert 0 < new.p_value <= new.q_value <= 1
            taken_back = old.severity == "high" and new.q_value > 0.05
            assert new.severity == ("medium" if taken_back else old.severity)
            assert (new.severity_reason is not None) == taken_back
            assert replace(new, p_value=None, q_value=None, severity_reason=None, severity=old.severity) == old
        q = [each.q_value for each in after]
        assert q == sorted(q)  # ranks and q-values go the same way
