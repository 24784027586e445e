import json
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_profiles import START, canonical, stages

from extractscan.campaign.choose import ACCEPT, REPORT
from extractscan.campaign.gates import EVALUATES
from extractscan.coverage.streams import CONVERSATION, NEAR_EMPTY, SINGLE
from extractscan.engine.load import LogSource
from extractscan.engine.local import judge_logs
from extractscan.logs.schema import CANONICAL
from extractscan.progress import Silent
from extractscan.verdict.assess import HIGH, LOW, MEDIUM, PRIOR, _stream_gates, _total, score, severity
from extractscan.verdict.findings import SEVERITIES, Evidence, Gate
from extractscan.verdict.signals import CAPS

few = settings(max_examples=60, deadline=None, derandomize=True)

# Score and severity


@few
@given(st.floats(0, 1000), st.floats(0, 1000))
def test_the_score_rises_with_bits_and_stays_in_its_range(a, b):
    low, high = sorted((a, b))
    assert 0.0 < score(low) <= score(high) <= 1.0


def test_the_score_is_one_half_at_the_prior():
    assert score(PRIOR) == 0.5
    assert score(0.0) < 0.01


@few
@given(st.floats(0, 1e6))
def test_high_needs_two_families_whatever_the_bits(bits):
    assert severity(bits, 0) != "high"
    assert severity(bits, 1) != "high"
    assert (severity(bits, 2) == "high") == (bits >= HIGH)


@few
@given(st.floats(0, 100), st.floats(0, 100), st.integers(0, 5))
def test_more_bits_are_never_milder(a, b, families):
    low, high = sorted((a, b))
    assert SEVERITIES.index(severity(high, families)) <= SEVERITIES.index(severity(low, families))


@pytest.mark.parametrize(("bits", "grade"), [(LOW - 0.01, "none"), (LOW, "low"), (MEDIUM, "medium"), (HIGH, "high")])
def test_grades_begin_at_their_bits(bits, grade):
    assert severity(bits, 2) == grade


# Families


@few
@given(st.lists(st.tuples(st.sampled_from(sorted(CAPS)), st.floats(-2, 50)), max_size=30))
def test_a_family_brings_its_cap_at_most(drawn):
    evidence = [Evidence("s", f, None, b, assessed=True, detail="d") for f, b in drawn]
    bits, families = _total(evidence)
    sums = {f: sum(b for g, b in drawn if g == f) for f, _ in drawn}
    assert bits == pytest.approx(sum(min(s, CAPS[f]) for f, s in sums.items()))
    assert families == sum(s >= 1.0 for s in sums.values())


def test_no_family_alone_is_high():
    for cap in CAPS.values():
        assert cap < HIGH


# Gates of one stream


DAY = 86_400_000_000
PROFILE = {
    "family": SINGLE,
    "conversing": 0.0,
    "requests": 40,
    "payloads": 40,
    "resampled": 0.0,
    "first_us": 0,
    "last_us": DAY,
    "highest_temperature": None,
}


def gates(shared=0.0, organic=None, users=0, colleagues=0, **profile):
    row = {**PROFILE, **profile}
    row["evaluates"] = pl.DataFrame([row]).cast({"highest_temperature": pl.Float64}).select(EVALUATES).item()
    return {g.gate: g.factor for g in _stream_gates(row, shared, organic, users, colleagues)}


def test_a_plain_stream_has_no_gate():
    assert gates() == {}
    assert gates(conversing=None, resampled=None) == {}


@pytest.mark.parametrize(
    ("name", "given_"),
    [
        ("conversations", {"family": CONVERSATION}),
        ("conversations", {"family": 4, "conversing": 0.8}),
        ("exact_repetition", {"requests": 400}),
        ("exact_repetition", {"requests": 10**9, "payloads": 1}),
        ("public_items", {"shared": 0.5}),
        ("public_items", {"shared": 1.0}),
        ("benchmark", {"highest_temperature": 0.0}),
        ("end_users", {"users": 5}),
        ("one_organisation", {"colleagues": 8}),
        ("organic_load", {"organic": Gate("organic_load", 0.3, "d")}),
    ],
)
def test_each_gate_is_named_and_leaves_something(name, given_):
    found = gates(**given_)
    assert list(found) == [name]
    assert 0.0 < found[name] < 1.0


@pytest.mark.parametrize(
    "given_",
    [
        {"conversing": 0.4},
        {"requests": 159},
        {"shared": 0.19},
        {"users": 4},
        {"colleagues": 7},
        {"highest_temperature": 0.1},
        {"highest_temperature": 0.0, "last_us": 6 * DAY},
        {"family": NEAR_EMPTY, "requests": 5000, "payloads": 1, "shared": 1.0},  # bound to repeat itself and others
        {"requests": 400, "resampled": 0.9},  # many samples of each of many prompts are no test
    ],
)
def test_a_little_is_no_gate(given_):
    assert gates(**given_) == {}


def test_sampling_a_few_prompts_again_is_a_load_test():
    assert list(gates(requests=400, payloads=19, resampled=0.9)) == ["exact_repetition"]


def test_more_of_an_innocent_reason_leaves_less():
    assert gates(shared=0.3)["public_items"] > gates(shared=0.6)["public_items"]
    assert gates(requests=200)["exact_repetition"] > gates(requests=600)["exact_repetition"]
    assert gates(conversing=0.6)["conversations"] > gates(conversing=1.0)["conversations"]


# Whole logs

FRAME = "You are a careful expert; think step by step, show the whole reasoning, and answer the following task: "
PRODUCT = "Please sort the customer's ticket below into billing, delivery or other and answer with one word. Ticket: "


def word(number):
    return "".join(chr(97 + number // 26**i % 26) for i in range(3)) + "ox"


def sentence(dice, source, size=14):
    ranks = np.minimum(np.exp(dice.random(size) * np.log(300)).astype(int), 299)
    return " ".join(word(300 * source + int(r)) for r in ranks)


def small_log():
    """Twenty who talk, a product of seven unlike customers, a hydra of eight even accounts and two readers of its corpus."""
    dice = np.random.default_rng(11)
    rows = []
    for person in range(20):
        for chat in range(4):
            for turn in range(3):
                marks = {
                    "conversation_id": f"{person}-{chat}",
                    "turn": turn,
                    "output_tokens": int(dice.integers(50, 300)),
                }
                rows.append((f"person-{person:02}", sentence(dice, person % 5, 8), marks))
    for customer, size in enumerate((6, 11, 19, 34, 60, 110, 200)):
        rows += [
            (
                f"product-{customer}",
                PRODUCT + sentence(dice, 10 + customer),
                {"output_tokens": int(dice.integers(2, 5))},
            )
            for _ in range(size)
        ]
    corpus = [sentence(dice, 8) for _ in range(400)]
    for shard in range(8):
        rows += [
            (f"hydra-{shard}", FRAME + item, {"output_tokens": int(dice.integers(500, 900))})
            for item in corpus[40 * shard : 40 * shard + 40]
        ]
    rows += [
        (f"reader-{r}", corpus[i], {"output_tokens": 4}) for r in range(2) for i in dice.choice(400, 90, replace=False)
    ]
    return [rows[i] for i in dice.permutation(len(rows))]


def verdicts(frame):
    """Bits, families and gates by account and kind of stream, and campaigns as sets of accounts."""
    prints, found = stages(frame)
    names = prints.accounts.to_list()
    account, family = found.profiles["account"].to_list(), found.profiles["family"].to_list()
    # Family numbers are names: a frame is a frame.
    by_stream = sorted(
        (
            names[account[v.stream]],
            min(family[v.stream], 0),
            v.bits,
            v.families,
            sorted((g.gate, g.factor) for g in v.gates),
        )
        for v in found.verdicts
    )
    campaigns = [(c.group.kind, frozenset(names[a] for a in c.accounts), c.bits) for c in found.campaigns]
    return by_stream, campaigns


HYDRA = frozenset(f"hydra-{i}" for i in range(8))


@pytest.fixture(scope="module")
def log():
    return canonical(small_log())


@pytest.fixture(scope="module")
def judged(log):
    return verdicts(log)


def test_the_hydra_is_found_and_nobody_else(judged):
    by_stream, campaigns = judged
    assert [members for _, members, _ in campaigns] == [HYDRA]
    bits = {}
    for account, _, b, *_ in by_stream:
        bits[account] = max(b, bits.get(account, 0.0))
    assert min(bits[a] for a in HYDRA) >= HIGH
    assert max(b for a, b in bits.items() if a not in HYDRA) < MEDIUM


def test_a_product_is_organic(judged):
    found = {account: dict(named) for account, family, _, _, named in judged[0] if family == 0}
    assert all("organic_load" in found[f"product-{i}"] for i in range(7))
    assert not any(found[a] for a in HYDRA)


def test_an_account_is_in_one_campaign_at_most(judged):
    members = [a for _, group, _ in judged[1] for a in group]
    assert len(members) == len(set(members))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_rows_changes_nothing(log, judged, seed):
    assert verdicts(log.sample(fraction=1.0, shuffle=True, seed=seed)) == judged


def test_other_account_names_change_nothing(log, judged):
    """Accounts are numbered by name: no result may hang on a number."""
    names = sorted(log["account_id"].unique())
    renamed = dict(zip(names, [f"k-{i:03}" for i in range(len(names), 0, -1)], strict=True))
    back = {new: old for old, new in renamed.items()}
    by_stream, campaigns = verdicts(log.with_columns(pl.col("account_id").replace(renamed)))
    assert [(kind, frozenset(back[a] for a in group)) for kind, group, _ in campaigns] == [c[:2] for c in judged[1]]
    restored = sorted((back[account], *rest) for account, *rest in by_stream)
    assert [r[:2] for r in restored] == [r[:2] for r in judged[0]]
    np.testing.assert_allclose([r[2] for r in restored], [r[2] for r in judged[0]], atol=1e-9)


def test_ten_times_the_requests_are_not_more_evidence(log, judged):
    """Everything is sent ten times over: repetition may explain streams away, volume must not add to them."""
    copies = [
        log.with_columns(
            pl.format("{}-{}", "request_id", pl.lit(i)).alias("request_id"),
            pl.col("timestamp") + timedelta(days=30 * i),
        )
        for i in range(10)
    ]
    before = {r[:2]: r[2] for r in judged[0]}
    for account, family, bits, *_ in verdicts(pl.concat(copies))[0]:
        assert bits <= before.get((account, family), 0.0) + 0.5


# What is reported


def askers(*loads):
    """Accounts that send nothing and are answered at length, so many times each, and others; verdicts of the former."""
    rows = [(f"m{m}", "", {"output_tokens": 700 + i}) for m, load in enumerate(loads) for i in range(load)]
    rows += [(f"p{i % 7}", f"{word(i)} {word(2 * i)} and {word(5 * i)}") for i in range(70)]
    dice = np.random.default_rng(1)
    prints, found = stages(canonical([rows[i] for i in dice.permutation(len(rows))]))
    names, account = prints.accounts.to_list(), found.profiles["account"].to_list()
    return found.campaigns, [v for v in found.verdicts if names[account[v.stream]].startswith("m")]


@pytest.mark.parametrize(
    ("loads", "passed_on", "reported"),
    [((30, 30, 30, 30), True, True), ((20, 30, 45, 65), True, False), ((12, 25, 50, 100), True, False)],
    ids=["even", "fairly even", "uneven"],
)
def test_members_answer_for_a_group_that_is_too_weak_to_be_reported(loads, passed_on, reported):
    campaigns, members = askers(*loads)
    assert len(members) == 4
    for verdict in members:
        inherited = {e.signal: e.bits for e in verdict.evidence if e.family in {"load", "corpus"}}
        assert set(inherited) == ({"even_load", "asks_nothing"} if passed_on else set())
        if passed_on:
            assert (sum(inherited.values()) >= REPORT) is reported
            assert sum(inherited.values()) >= ACCEPT
    assert [c.accounts.size for c in campaigns] == ([4] if reported else [])
    assert all(c.bits >= REPORT for c in campaigns)


# Tiny logs


def scored(tmp_path, rows):
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    return judge_logs(LogSource((str(path),)), observer=Silent())[0]


def row(i, account="a", **more):
    moment = (START + timedelta(minutes=i)).isoformat()
    return {"request_id": f"r{i}", "timestamp": moment, "account_id": account, **more}


@pytest.mark.parametrize(
    "rows",
    [
        [row(0)],
        [row(0, prompt="")],
        [row(0, prompt="hello")],
        [row(i, prompt="hello") for i in range(40)],
        [row(i, prompt=f"{word(i)} {word(i + 9)} {word(3 * i)}") for i in range(60)],
        [row(i, account=f"a{i}") for i in range(5)],
        [row(i, account=f"a{i % 3}", prompt=word(i)) for i in range(60)],
        [row(i, account=f"a{i % 3}", prompt="", output_tokens=900) for i in range(60)],
        [row(i, account=f"a{i % 3}", prompt="" if i % 2 else None, conversation_id="c") for i in range(60)],
        [row(0, account="\u202e\x1b[31m", prompt="\x00")],
        [
            row(i, **{c: None for c in CANONICAL if c not in {"request_id", "timestamp", "account_id"}})
            for i in range(9)
        ],
    ],
)
def test_tiny_logs_are_scored(tmp_path, rows):
    found = scored(tmp_path, rows)
    assert len(found.accounts) == len({r["account_id"] for r in rows})
    assert [a.rank for a in found.accounts] == list(range(1, len(found.accounts) + 1))
    for a in found.accounts:
        assert 0.0 <= a.score <= 1.0
        assert np.isfinite(a.bits)
        assert a.severity in SEVERITIES
        assert a.innocent_explanation
        assert all(e.detail for e in a.evidence)


def test_a_log_without_prompts_says_what_is_missing(tmp_path):
    found = scored(tmp_path, [row(i) for i in range(5)])
    missing = {n.signal for n in found.run.not_assessed}
    assert any("prompt" in n.reason for n in found.run.not_assessed)
    assert {"conversations", "long_outputs", "harvest_flags", "one_organisation", "one_network", "end_users"} <= missing
    (only,) = found.accounts
    assert (only.stream, only.bits, only.severity, only.evidence) == ("no prompts", 0.0, "none", ())


def test_near_empty_accounts_are_a_campaign(tmp_path):
    rows = [row(i, account=f"m{i % 6}", prompt="", output_tokens=700 + i) for i in range(240)]
    rows += [row(300 + i, account=f"p{i % 7}", prompt=f"{word(i)} {word(2 * i)} and {word(5 * i)}") for i in range(70)]
    found = scored(tmp_path, rows)
    assert [c.accounts for c in found.campaigns] == [tuple(f"m{i}" for i in range(6))]
    assert {a.campaign_id for a in found.accounts if a.account_id.startswith("m")} == {found.campaigns[0].campaign_id}
    assert {a.campaign_id for a in found.accounts if a.account_id.startswith("p")} == {None}


def test_findings_are_ranked_and_bounded(tmp_path, log):
    path = tmp_path / "log.parquet"
    log.write_parquet(path)
    found = judge_logs(LogSource((str(path),)), observer=Silent())[0]
    bits = [a.bits for a in found.accounts]
    assert bits == sorted(bits, reverse=True)
    (campaign,) = found.campaigns
    assert campaign.accounts == tuple(sorted(HYDRA))
    assert campaign.requests == 320
    assert campaign.severity == "high"
    assert {a.account_id for a in found.accounts if a.campaign_id} == HYDRA
    for each in (*found.accounts, *found.campaigns):
        if each.severity == "high":
            sums = {}
            for e in each.evidence:
                sums[e.family] = sums.get(e.family, 0.0) + e.bits
            assert sum(s >= 1.0 for s in sums.values()) >= 2
