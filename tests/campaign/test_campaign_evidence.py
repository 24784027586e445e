import ast
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from made_streams import DAY, REQUESTS, Made, build, zipf

import extractscan
from extractscan.campaign import choose as choosing
from extractscan.campaign.choose import ACCEPT, PLAIN, REPORT, campaign_id, choose
from extractscan.campaign.evidence import (
    ALIKE,
    ORGANIC,
    PLAINLY_SHARED_OUT,
    SUPPORTING,
    UNLIKE,
    Judged,
    judge,
    population,
    ties,
)
from extractscan.campaign.groups import Group
from extractscan.campaign.load import UNEVEN
from extractscan.campaign.members import PLAINLY_EVEN
from extractscan.campaign.overlap import Payloads
from extractscan.campaign.partition import Meetings
from extractscan.coverage.streams import CARRIED_ON, CONVERSATION, NEAR_EMPTY
from extractscan.verdict.signals import CAPS


def names(gates):
    return [g.gate for g in gates]


# Judging


def prepared(made):
    streams, prompts, profiles = build(made)
    return population(profiles, streams.requests, Payloads(streams), Meetings(streams, prompts)), profiles


def judged(made, kind="frame", likeness=1.0, families=(0,)):
    """The judgement of a group of all streams whose account is under 100; others are the population."""
    known, profiles = prepared(made)
    streams = profiles.filter(pl.col("account") < 100)["stream"].to_numpy()
    return judge(Group(kind, streams, likeness, families), known)


CORPUS = zipf(1, 1, 400)
SHARDS = [Made(a, CORPUS[40 * a : 40 * a + 40], family=0) for a in range(8)]
READERS = [Made(100 + a, CORPUS[a::3]) for a in range(3)]
"""Customers who draw on the same corpus: what partition is measured against."""
MANY_READERS = [Made(100 + r, CORPUS[r::20]) for r in range(20)]


def bits(verdict):
    return {e.signal: e.bits for e in verdict.evidence}


def test_even_shards_that_avoid_each_other():
    found = judged(SHARDS + READERS)
    assert found.accounts.tolist() == list(range(8))
    assert found.gates == ()
    assert bits(found)["even_load"] > 4
    assert bits(found)["partition"] > 2
    assert found.bits == pytest.approx(sum(e.bits for e in found.evidence))
    assert not found.organic


def test_without_outsiders_a_few_shards_that_avoid_each_other_are_next_to_nothing():
    """They may draw on a source so large that they would not meet anyhow."""
    assert 0.0 <= bits(judged(SHARDS))["partition"] < 0.5


def test_overlap_as_with_outsiders_speaks_against_a_partition():
    dice = np.random.default_rng(1)
    users = [Made(a, [CORPUS[i] for i in dice.choice(400, 60, replace=False)], family=0) for a in range(8)]
    assert -1.0 <= bits(judged(users + READERS))["partition"] < -0.9


def test_shards_of_a_grid_avoid_each_other_though_nobody_else_draws_on_it():
    """Six by six by six words: independent draws would have to coincide, as their words alone show."""
    grid = [(a, 100 + b, 200 + c) for a in range(6) for b in range(6) for c in range(6)]
    dice = np.random.default_rng(3)
    dealt = [grid[i] for i in dice.permutation(216)]
    shards = [Made(a, dealt[27 * a : 27 * a + 27], family=0) for a in range(8)]
    drawn = [Made(a, [grid[i] for i in dice.choice(216, 27, replace=False)], family=0) for a in range(8)]
    assert bits(judged(shards))["partition"] > 4
    assert -1.0 <= bits(judged(drawn))["partition"] < -0.9


def test_accounts_on_different_data_are_no_partition():
    for likeness in (0.4, UNLIKE, None):
        assert bits(judged(SHARDS + READERS, likeness=likeness))["partition"] == 0.0


def test_partition_counts_as_far_as_the_data_are_alike():
    full = bits(judged(SHARDS + READERS, likeness=ALIKE))["partition"]
    assert bits(judged(SHARDS + READERS, likeness=1.0))["partition"] == full
    half = bits(judged(SHARDS + READERS, likeness=(UNLIKE + ALIKE) / 2))["partition"]
    assert half == pytest.approx(full / 2)


def test_two_accounts_are_no_partition():
    assert bits(judged(SHARDS[:2] + READERS))["partition"] == 0.0


def test_a_relay_is_seen():
    relay = [Made(a, CORPUS[40 * a : 40 * a + 40], 0, first_us=a * DAY, last_us=a * DAY + DAY // 2) for a in range(8)]
    assert bits(judged(relay))["succession"] > 0.5
    assert bits(judged(SHARDS))["succession"] == 0.0


def test_every_family_is_capped():
    many = [Made(a, [(a, i) for i in range(60)], family=0) for a in range(90)]
    readers = [Made(100 + r, [(a, i) for a in range(90) for i in range(r, 60, 3)]) for r in range(3)]
    found = judged(many + readers)
    for e in found.evidence:
        assert -2.0 <= e.bits <= CAPS[e.family]
    assert bits(found)["even_load"] == CAPS["load"]


def test_more_outsiders_make_a_partition_surer():
    assert bits(judged(SHARDS + MANY_READERS))["partition"] > bits(judged(SHARDS + READERS[:1]))["partition"] + 1


@pytest.mark.parametrize("factor", [10, 1000])
def test_volume_is_no_evidence(factor):
    """Sending all so many times over adds at most what Poisson noise took from the load, and never to other families."""
    uneven = [Made(a, CORPUS[40 * a : 40 * a + size], 0) for a, size in enumerate([14, 20, 26, 30, 35, 40, 40, 40])]
    before, after = (
        judged([Made(m.account, m.payloads, m.family, times=t) for m in uneven] + READERS) for t in (1, factor)
    )
    one, many = bits(before), bits(after)
    assert many.pop("even_load") <= one.pop("even_load") + 0.5
    assert many == one


def test_a_busy_customer_base_is_not_a_campaign_however_busy():
    """Heavy-tailed loads stay organic at any volume."""
    dice = np.random.default_rng(6)
    loads = np.exp(dice.normal(0, 1.3, 30))
    for scale in (20, 2000):
        made = [Made(a, [(a, i) for i in range(20)], 0, times=int(1 + scale * x / 20)) for a, x in enumerate(loads)]
        found = judged(made)
        assert found.organic
        assert np.log2(UNEVEN) <= bits(found)["even_load"] <= ORGANIC
        assert found.bits < ACCEPT


# Uneven loads


BOUNDS = np.cumsum([0, 3, 5, 9, 16, 28, 48, 80, 130]).tolist()
UNEVEN_SHARDS = [Made(a, CORPUS[BOUNDS[a] : BOUNDS[a + 1]], family=0) for a in range(8)]


def test_uneven_loads_speak_against_a_group_and_are_taken_off_its_total():
    found = judged(UNEVEN_SHARDS + MANY_READERS)
    assert found.organic
    assert np.log2(UNEVEN) <= bits(found)["even_load"] <= ORGANIC
    own = sum(e.bits for e in found.evidence if e.family not in {"corpus", "means"})
    assert own == pytest.approx(bits(found)["even_load"] + bits(found)["partition"] + bits(found)["succession"])
    # A partition that outweighs the loads leaves the rest of itself, and no gate hides it.
    assert found.gates == ()
    assert 0.0 < own < bits(found)["partition"]
    assert found.bits == pytest.approx(sum(e.bits for e in found.evidence))


def test_uneven_loads_alone_are_no_bits_and_not_less():
    found = judged(UNEVEN_SHARDS, likeness=None)
    assert bits(found)["even_load"] < 0
    assert found.bits == 0.0


def test_uneven_loads_count_in_full_where_the_group_is_work_on_the_side():
    """What speaks for a group counts as far as it is its members' work; what speaks against it always does."""
    busy = [Made(m.account, zipf(50 + m.account, 60 + m.account, 900), family=-1) for m in SHARDS]
    known, profiles = prepared(UNEVEN_SHARDS + READERS + busy)
    found = judge(Group("frame", by_family(profiles, 0), 1.0, (0,)), known)
    assert bits(found)["even_load"] == bits(judged(UNEVEN_SHARDS + READERS))["even_load"]


def test_uneven_loads_are_no_tie():
    assert "even_load" not in {t.kind for t in ties(judged(UNEVEN_SHARDS + READERS))}


# More of what is weighed


def test_gates_multiply_the_total():
    plain = judged(SHARDS + READERS)
    one_org = [Made(m.account, m.payloads, m.family, org=5) for m in SHARDS]
    both = [Made(m.account, m.payloads, m.family, org=5, users=6) for m in SHARDS]
    found = judged(one_org + READERS)
    assert names(found.gates) == ["one_organisation"]
    assert found.bits == pytest.approx(plain.bits * found.gates[0].factor)
    found = judged(both + READERS)
    assert sorted(names(found.gates)) == ["end_users", "one_organisation"]
    assert found.bits == pytest.approx(plain.bits * found.gates[0].factor * found.gates[1].factor)


def test_one_network_and_conversations_and_public_items():
    found = judged([Made(m.account, m.payloads, m.family, ip=m.account % 2) for m in SHARDS])
    assert names(found.gates) == ["one_network"]
    found = judged([Made(m.account, m.payloads, m.family, more={"conversing": 0.9}) for m in SHARDS])
    assert names(found.gates) == ["conversations"]
    found = judged([Made(a, CORPUS[:30], 0) for a in range(8)])
    assert names(found.gates) == ["public_items"]


def judged_runs(openers, agents):
    """A frame's conversations, whose later turns carry on runs with the first ``agents`` accounts."""
    made = [Made(m.account, m.payloads, 0, more={"conversing": 1.0}) for m in openers]
    made += [
        Made(m.account, zipf(90 + m.account, 9, 60), CARRIED_ON, more={"conversing": 1.0}) for m in openers[:agents]
    ]
    known, profiles = prepared(made)
    return judge(Group("frame", by_family(profiles, 0), 1.0, (0,)), known)


@pytest.mark.parametrize(("agents", "gates"), [(0, ["conversations"]), (6, ["conversations"]), (7, []), (8, [])])
def test_loads_are_numbers_of_runs_where_most_members_carry_runs_on(agents, gates):
    """Eight accounts with as many conversations each; six of eight are fewer than four in five."""
    found = judged_runs(SHARDS, agents)
    assert names(found.gates) == gates
    assert bits(found)["even_load"] >= PLAINLY_EVEN


def test_runs_that_are_not_handed_out_evenly_are_peoples():
    found = judged_runs([Made(a, CORPUS[5 * 2**a : 10 * 2**a]) for a in range(6)], 6)
    assert names(found.gates) == ["conversations"]
    assert found.gates[0].factor == pytest.approx(0.1)


def test_who_shares_out_a_public_list_is_not_excused_by_it():
    shared_out = judged(SHARDS + MANY_READERS + [Made(200 + m.account, m.payloads) for m in MANY_READERS])
    assert bits(shared_out)["partition"] >= PLAINLY_SHARED_OUT
    assert shared_out.gates == ()
    together = judged([Made(a, CORPUS[:30], 0) for a in range(8)] + [Made(200 + r, CORPUS[:30]) for r in range(3)])
    assert names(together.gates) == ["public_items"]


def test_what_only_supports_counts_as_far_as_there_is_a_reason():
    """A group with a tenth of a bit of its own does not get two for what any customers of one source have."""
    loads = [40, 62, 20, 75, 30]
    found = judged([Made(a, CORPUS[80 * a : 80 * a + size], 0) for a, size in enumerate(loads)])
    own = sum(e.bits for e in found.evidence if e.family not in SUPPORTING)
    supports = sum(e.bits for e in found.evidence if e.family in SUPPORTING)
    assert supports > 0.3
    assert found.bits == pytest.approx(max(0.0, own + np.clip(own, 0.0, 1.0) * supports))


def test_a_corpus_alone_is_nothing():
    """Members whose loads say nothing and who do not avoid each other: that they draw on one source is no evidence by itself."""
    uneven = [Made(a, CORPUS[: 5 * 2**a], family=0) for a in range(5)]
    assert judged(uneven, likeness=1.0).bits == 0.0


def test_near_empty_campaigns_need_no_payloads():
    made = [Made(a, [()], family=NEAR_EMPTY, times=30) for a in range(6)]
    found = judged(made, kind="near_empty", likeness=None, families=())
    assert bits(found)["asks_nothing"] == 2.0
    assert found.bits >= ACCEPT
    assert "public_items" not in names(found.gates)


def test_work_on_the_side_is_no_campaign():
    """Load counts as far as the group's streams are their accounts' work."""
    busy = [Made(m.account, zipf(50 + m.account, 60 + m.account, 200), family=-1) for m in SHARDS]
    known, profiles = prepared(SHARDS + READERS + busy)
    streams = profiles.filter(pl.col("family") == 0)["stream"].to_numpy()
    found = judge(Group("frame", streams, 1.0, (0,)), known)
    assert 0.0 < bits(found)["even_load"] < bits(judged(SHARDS + READERS))["even_load"] / 3


def test_two_streams_of_one_account_are_one_member():
    made = SHARDS + [Made(a, CORPUS[330 + a : 332 + a], family=1) for a in range(8)]
    assert judged(made, families=(0, 1)).accounts.tolist() == list(range(8))


def test_ties_are_shares_of_what_is_possible():
    found = ties(judged(SHARDS + READERS))
    assert {t.kind for t in found} == {"even_load", "partition", "one_corpus", "shared_frame"}
    assert all(0.0 < t.strength <= 1.0 and t.accounts == 8 for t in found)
    assert [t.strength for t in found] == sorted((t.strength for t in found), reverse=True)


def test_a_population_with_gaps_in_account_numbers():
    known, _ = prepared([Made(3, [(1,)]), Made(9, [(2,)], family=CONVERSATION, users=2)])
    assert known.senders.height == 10
    assert known.senders["single_turn"].to_list() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    assert known.senders["end_users"][9] == 2
    assert known.senders["org_id"].null_count() == 10


def test_an_account_is_of_its_commonest_organisation_and_the_least_of_equals():
    _, _, profiles = build([Made(0, [(1,)])])
    streams, prompts, _ = build([Made(0, [(1,)])])
    seen = pl.DataFrame(
        {
            "account": [0] * 5,
            "org_id": [7, 3, 3, 7, None],
            "ip": [1, 1, 2, None, None],
            "payment_id": [None] * 5,
            "end_user": [None] * 5,
            "time_us": [0] * 5,
            "model": [None] * 5,
            "stream": [0] * 5,
        },
        schema=REQUESTS,
    )
    for rows in (seen, seen.reverse()):
        row = population(profiles, rows, Payloads(streams), Meetings(streams, prompts)).senders.row(0, named=True)
        assert (row["org_id"], row["ip"], row["payment_id"], row["end_users"]) == (3, 1, None, 0)


# Choosing


def other_shards(first, family, vocabulary=2):
    corpus = zipf(vocabulary, vocabulary, 400)
    return [Made(first + a, corpus[40 * a : 40 * a + 40], family=family) for a in range(6)]


def by_family(profiles, *families):
    return profiles.filter(pl.col("family").is_in(families))["stream"].to_numpy()


def test_an_account_is_in_one_campaign_at_most():
    """Two frames that overlap in four accounts: the stronger takes them, the other is judged without."""
    second = [Made(a, zipf(20 + a, 4, 40), family=1) for a in range(4, 14)]
    known, profiles = prepared(SHARDS + READERS + second)
    groups = [Group("frame", by_family(profiles, f), 1.0, (f,)) for f in (0, 1)]
    chosen, everything = choose(groups, known)
    assert len(everything) == 2
    taken = np.concatenate([c.accounts for c in chosen])
    assert taken.size == np.unique(taken).size
    assert chosen[0].accounts.tolist() == list(range(8))
    assert [c.accounts.tolist() for c in chosen[1:]] == [list(range(8, 14))]


def test_what_a_campaign_leaves_of_a_corpus_must_be_worth_a_proposal_itself():
    """Two readers of a corpus that a hydra took are no campaign; three are judged as what they are, without its frame."""
    for count in (2, 3):
        readers = [Made(200 + r, CORPUS[r::4][:90], times=1) for r in range(count)]
        known, profiles = prepared(SHARDS + readers)
        every = profiles["stream"].to_numpy()
        groups = [Group("frame", by_family(profiles, 0), 1.0, (0,)), Group("corpus", every, 1.0, (0,))]
        chosen, _ = choose(groups, known)
        assert chosen[0].accounts.tolist() == list(range(8))
        assert all(c.accounts.size >= 3 and c.group.families == () for c in chosen[1:])
        if count == 2:
            assert len(chosen) == 1


def test_the_order_of_proposals_changes_nothing():
    known, profiles = prepared(SHARDS + READERS + other_shards(40, 1) + other_shards(60, 2, 3))
    groups = [Group("frame", by_family(profiles, f), 1.0, (f,)) for f in (0, 1, 2)]
    groups += [Group("corpus", by_family(profiles, 0, 1), 0.9, (0, 1))]
    results = []
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]):
        chosen, _ = choose([groups[i] for i in order], known)
        results.append([(c.group.kind, c.accounts.tolist(), c.bits, c.evidence, c.gates) for c in chosen])
    assert results[0] == results[1] == results[2]


def test_a_frame_goes_before_a_corpus_of_the_same_accounts():
    known, profiles = prepared(SHARDS + READERS)
    streams = by_family(profiles, 0)
    groups = [Group("corpus", streams, 1.0, (0,)), Group("frame", streams, 1.0, (0,))]
    chosen, _ = choose(groups, known)
    assert [c.group.kind for c in chosen] == ["frame"]


def chosen_of(monkeypatch, unframed, frame, corpus):
    """Kinds and sizes of what is chosen of a frame that eight accounts use and a corpus of these and some others, bits given."""
    known, profiles = prepared(SHARDS + [Made(20 + a, CORPUS[320 + 20 * a :][:20]) for a in range(unframed)])
    bits_of = {"frame": frame, "corpus": corpus}

    def fixed(group, population):
        members = np.unique(population.profiles[group.streams.tolist()]["account"].to_numpy().astype(np.int64))
        return Judged(group, members, (), (), bits_of[group.kind], organic=False)

    monkeypatch.setattr(choosing, "judge", fixed)
    groups = [
        Group("corpus", profiles["stream"].to_numpy(), 1.0, (0,)),
        Group("frame", by_family(profiles, 0), 1.0, (0,)),
    ]
    found = []
    for order in (groups, groups[::-1]):
        campaigns, everything = choose(order, known)
        assert len(everything) == 2
        found.append([(c.group.kind, c.accounts.size) for c in campaigns])
    assert found[0] == found[1]
    return found[0]


FRAME_FIRST = [("frame", 8), ("corpus", 4)]
"""The corpus is judged again without those whom the frame has taken."""


@pytest.mark.parametrize(
    ("frame", "corpus", "chosen"),
    [
        (5.0, 5.0, FRAME_FIRST),
        (4.6, 5.4, FRAME_FIRST),  # as good as five
        (4.6, 5.6, [("corpus", 12)]),
        (8.0, 3.0, FRAME_FIRST),
        (ACCEPT, ACCEPT + 0.4, FRAME_FIRST),
        (ACCEPT - 0.01, ACCEPT + 0.4, [("corpus", 12)]),
        (PLAIN, PLAIN + 4.0, FRAME_FIRST),  # both are plain
        (PLAIN - 1.0, PLAIN + 4.0, [("corpus", 12)]),
        (ACCEPT - 0.01, ACCEPT, [("corpus", 12)]),
        (ACCEPT, ACCEPT - 0.01, [("frame", 8)]),
        (ACCEPT - 0.01, ACCEPT - 0.01, []),
    ],
)
def test_a_frame_goes_before_a_corpus_that_is_about_as_good(monkeypatch, frame, corpus, chosen):
    assert chosen_of(monkeypatch, 4, frame, corpus) == chosen


@pytest.mark.parametrize(
    ("unframed", "frame", "chosen"),
    [
        (2, REPORT, [("frame", 8)]),  # eight of ten
        (3, REPORT, [("corpus", 11)]),
        (2, REPORT - 0.01, [("corpus", 10)]),  # a frame that is no campaign by itself
        (0, REPORT, [("frame", 8)]),
    ],
)
def test_a_corpus_that_adds_but_a_few_to_a_frame_is_the_frame(monkeypatch, unframed, frame, chosen):
    assert chosen_of(monkeypatch, unframed, frame, 6.0) == chosen


def test_what_is_reported_is_more_than_what_passes_to_members():
    assert 0.0 < ACCEPT < REPORT


def test_weak_groups_are_not_chosen_but_are_reported():
    made = [Made(a, [(a, i) for i in range(5 * 3**a)], family=0) for a in range(6)]
    known, profiles = prepared(made)
    chosen, everything = choose([Group("frame", by_family(profiles, 0), None, (0,))], known)
    assert chosen == []
    assert len(everything) == 1


def test_nothing_to_choose_from():
    known, _ = prepared([])
    assert choose([], known) == ([], [])


def test_a_campaign_is_named_after_its_members_alone():
    ids = ["acct-9", "acct-10", "zoë", "\udcff"]
    assert campaign_id(ids) == campaign_id(ids[::-1])
    assert campaign_id(ids) == campaign_id([min(ids)])
    assert campaign_id(["a"]) != campaign_id(["b"])
    assert campaign_id(ids).startswith("c-")


# Names that reports rely on


def named(kind):
    """First argument of every literal call of ``kind`` in the package's sources."""
    found = {}
    for path in sorted(Path(extractscan.__file__).parent.glob("**/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == kind:
                found.setdefault(node.args[0].value if isinstance(node.args[0], ast.Constant) else None, path.name)
    return found


def test_gates_are_named_by_literals():
    assert None not in named("Gate")
    assert len(named("Gate")) >= 8
