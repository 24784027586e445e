import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_streams import Made, build, zipf

from extractscan.campaign import propose
from extractscan.campaign.groups import SAME_CORPUS, Group, _communities, frame_groups, near_empty_groups
from extractscan.campaign.load import load_bits
from extractscan.campaign.members import (
    BYSTANDERS,
    CANNOT_LINK_MIN,
    OUTSIZED_FACTOR,
    PLAINLY_EVEN,
    without_foreign_customers,
    without_outsized,
)
from extractscan.campaign.overlap import Payloads
from extractscan.coverage.streams import CONVERSATION, NEAR_EMPTY


def crowd(first, count=8):
    """Unframed senders, each with a subject of its own: what a log has beside a campaign."""
    return [Made(first + i, zipf(700 + i, 300 + i, 40)) for i in range(count)]


def proposals(made):
    """Proposed groups as (kind, accounts, families, likeness)."""
    streams, prompts, profiles = build(made)
    account = profiles["account"].to_numpy()
    found = propose.proposals(profiles, streams, prompts, Payloads(streams)).groups
    return [(g.kind, sorted({int(a) for a in account[g.streams]}), g.families, g.likeness) for g in found]


# Frames


def test_accounts_of_one_frame_are_a_group_and_a_lone_user_is_none():
    made = [Made(a, zipf(a, 1, 20), family=7) for a in range(5)] + [Made(9, zipf(9, 2, 20), family=8)]
    found = [p for p in proposals(made + crowd(20)) if p[0] == "frame"]
    assert [(p[1], p[2]) for p in found] == [([0, 1, 2, 3, 4], (7,))]


def test_variants_that_the_same_accounts_use_go_together():
    made = [Made(a, zipf(10 * a + f, 1, 20), family=f) for a in range(6) for f in (3, 4, 5)]
    made += [Made(a, zipf(a, 2, 20), family=9) for a in (5, 6, 7, 8, 9)]  # one account in common is a coincidence
    found = [p for p in proposals(made + crowd(20)) if p[0] == "frame"]
    assert [(p[1], p[2]) for p in found] == [([0, 1, 2, 3, 4, 5], (3, 4, 5)), ([5, 6, 7, 8, 9], (9,))]


def test_each_family_is_in_one_frame_group():
    dice = np.random.default_rng(2)
    pairs = {(int(a), int(f)) for a, f in dice.integers(0, 12, (60, 2))}
    profiles = pl.DataFrame(
        [(s, a, f) for s, (a, f) in enumerate(sorted(pairs))], schema=["stream", "account", "family"], orient="row"
    )
    families = [f for g in frame_groups(profiles) for f in g.families]
    assert len(families) == len(set(families))
    several = profiles.group_by("family").len().filter(pl.col("len") >= 2)["family"]
    assert sorted(families) == sorted(several.to_list())


def test_the_group_has_every_stream_of_its_families():
    made = [Made(a, zipf(10 * a + f, 1, 20), family=f) for a in range(4) for f in (3, 4)]
    _, _, profiles = build(made)
    (group,) = frame_groups(profiles)
    assert group.streams.tolist() == list(range(8))
    assert np.all(np.diff(group.streams) > 0)


# One corpus


def test_unframed_shards_of_one_corpus_are_found_and_others_are_not():
    corpus = zipf(1, 1, 300)
    shards = [Made(a, corpus[50 * a : 50 * a + 50]) for a in range(6)]
    found = [p for p in proposals(shards + crowd(10)) if p[0] == "corpus"]
    assert [p[1] for p in found] == [[0, 1, 2, 3, 4, 5]]
    assert found[0][3] == pytest.approx(1.0, abs=0.15)


def test_paraphrases_of_a_frame_over_one_corpus_are_one_group():
    corpus = zipf(1, 1, 400)
    shards = [Made(a, corpus[50 * a : 50 * a + 50], family=a // 2) for a in range(8)]
    found = [p for p in proposals(shards + crowd(10)) if p[0] == "corpus"]
    assert [(p[1], p[2]) for p in found] == [(list(range(8)), (0, 1, 2, 3))]


def test_streams_that_are_too_small_are_not_compared():
    corpus = zipf(1, 1, 66)
    shards = [Made(a, corpus[11 * a : 11 * a + 11]) for a in range(6)]
    assert not [p for p in proposals(shards + crowd(10)) if p[0] == "corpus"]


def test_those_who_send_public_items_are_no_shards():
    items = zipf(1, 1, 60)
    users = [Made(a, items) for a in range(6)]
    assert not [p for p in proposals(users + crowd(10)) if p[0] == "corpus"]


def test_a_community_is_alike_on_average_and_disjoint():
    dice = np.random.default_rng(4)
    label = np.repeat([0, 1, 2, 3], [12, 8, 5, 15])
    similarity = np.where(label[:, None] == label, 1.0, 0.3) + dice.normal(0, 0.05, (40, 40))
    similarity = np.triu(similarity, 1) + np.triu(similarity, 1).T
    found = _communities(similarity)
    assert sorted(sorted(label[m].tolist()) for m in found) == [[0] * 12, [1] * 8, [2] * 5, [3] * 15]
    assert np.unique(np.concatenate(found)).size == 40


def test_single_links_do_not_chain():
    """A path in which only neighbours are alike: no community may hold both ends."""
    n = 30
    distance = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    similarity = np.where(distance == 0, 0.0, np.maximum(0.0, 1.0 - 0.1 * distance))
    found = _communities(similarity)
    assert found
    for members in found:
        inner = similarity[np.ix_(members, members)].sum(axis=1) / (members.size - 1)
        assert inner.min() >= SAME_CORPUS
        assert members.max() - members.min() < 8


def test_one_like_pair_does_not_pull_an_outsider_in():
    n = 9
    similarity = np.full((n, n), 1.0)
    similarity[8] = similarity[:, 8] = 0.2
    similarity[8, 0] = similarity[0, 8] = 0.95
    np.fill_diagonal(similarity, 0.0)
    assert [m.tolist() for m in _communities(similarity)] == [list(range(8))]


@pytest.mark.parametrize("n", [0, 1])
def test_nobody_to_be_alike(n):
    assert _communities(np.zeros((n, n))) == []


# Foreign customers


def split(made):
    streams, _, profiles = build(made)
    account = profiles["account"].to_numpy().astype(np.int64)
    group = Group("frame", profiles["stream"].to_numpy(), None, (0,))
    kept = without_foreign_customers(group, account, profiles["requests"].to_numpy(), Payloads(streams))
    return sorted({int(a) for a in account[kept.streams]})


def test_a_customer_who_overlaps_the_shards_is_taken_out():
    corpus = [(p,) for p in range(200)]
    shards = [Made(a, corpus[40 * a : 40 * a + 40]) for a in range(5)]
    assert split([*shards, Made(7, corpus[::3])]) == [0, 1, 2, 3, 4]
    assert split(shards) == [0, 1, 2, 3, 4]


def test_one_who_has_the_whole_corpus_is_taken_out_and_then_one_who_has_a_little_less():
    corpus = [(p,) for p in range(1000)]
    shards = [Made(a, corpus[200 * a : 200 * a + 200]) for a in range(5)]
    assert split([*shards, Made(7, corpus)]) == [0, 1, 2, 3, 4]
    assert split([*shards, Made(7, corpus), Made(8, corpus[::25])]) == [0, 1, 2, 3, 4]


def test_those_who_all_overlap_stay_together():
    corpus = [(p,) for p in range(60)]
    assert split([Made(a, corpus[10 * a : 10 * a + 30]) for a in range(4)]) == [0, 1, 2, 3]


def test_a_few_repeats_take_nobody_out():
    corpus = [(p,) for p in range(200)]
    shards = [Made(a, corpus[40 * a : 40 * a + 40]) for a in range(5)]
    shards[2].payloads = shards[2].payloads + corpus[: CANNOT_LINK_MIN - 1]
    assert split(shards) == [0, 1, 2, 3, 4]


# Outsized members


def kept_of(loads, streams_each=1):
    """Numbers of the members that are kept, whose requests are spread evenly over some streams of each."""
    account = np.repeat(np.arange(len(loads)), streams_each)
    requests = np.repeat(np.array(loads, np.int64), streams_each)
    streams = np.arange(account.size)
    kept = without_outsized(Group("frame", streams, 0.9, (3,)), account, requests)
    assert (kept.kind, kept.likeness, kept.families) == ("frame", 0.9, (3,))
    # A member goes with all of its streams or with none.
    assert (np.bincount(account[kept.streams], minlength=len(loads)) % streams_each == 0).all()
    return np.unique(account[kept.streams]).tolist()


@pytest.mark.parametrize(
    ("loads", "dropped"),
    [
        ([100] * 12 + [10_000], [12]),
        ([10_000] + [90, 100, 110] * 4, [0]),
        ([100] * 20 + [10_000, 50_000], [20, 21]),
        ([100] * 12 + [399], []),  # not four times as much
        ([100] * 12 + [401], [12]),
        ([100] * 12 + [1], []),  # who came late or was banned has sent less
        ([100] * 8 + [10_000], [8]),
        ([100] * 9 + [10_000], [9]),
        ([100] * 12 + [10_000] * 4, [12, 13, 14, 15]),  # a quarter
        ([100] * 12 + [10_000] * 5, []),
        ([3, 9, 27, 81, 100, 243, 300, 729, 900, 2000, 5000, 900_000], []),  # the largest of customers
        ([100] * 3, []),
        ([100], []),
    ],
)
def test_who_has_sent_many_times_what_the_others_have_is_no_shard(loads, dropped):
    expected = [a for a in range(len(loads)) if a not in dropped]
    assert kept_of(loads) == expected
    assert kept_of([load * 7 for load in loads], streams_each=3) == expected  # times three streams of each


loads_of_groups = st.one_of(
    st.lists(st.integers(1, 10**6), min_size=1, max_size=40),
    # Mostly alike, so that there is something to drop.
    st.tuples(st.lists(st.integers(80, 120), min_size=5, max_size=40), st.lists(st.integers(1, 10**6), max_size=4)).map(
        lambda both: both[0] + both[1]
    ),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(loads_of_groups, st.randoms(use_true_random=False))
def test_only_a_few_outsized_members_are_dropped_and_only_of_an_even_group(loads, dice):
    kept = kept_of(loads)
    dropped = [a for a in range(len(loads)) if a not in kept]
    assert len(dropped) <= BYSTANDERS * len(loads)
    if dropped:
        assert load_bits(np.array(loads)[kept]) >= PLAINLY_EVEN - 1e-9
        assert min(loads[a] for a in dropped) > OUTSIZED_FACTOR * np.exp(np.median(np.log(loads))) * (1 - 1e-9)
        assert min(loads[a] for a in dropped) > max(loads[a] for a in kept)
    order = list(range(len(loads)))
    dice.shuffle(order)
    assert sorted(order[i] for i in kept_of([loads[i] for i in order])) == kept


def test_outsized_members_are_taken_out_of_proposals():
    corpus = zipf(1, 1, 800)
    made = [Made(a, corpus[40 * a : 40 * a + 40], family=7) for a in range(12)]
    made.append(Made(12, corpus[480:], family=7, times=3))
    found = [p for p in proposals(made + crowd(20)) if p[0] == "frame"]
    assert [p[1] for p in found] == [list(range(12))]


# Those who ask nothing


def asking(account, requests=30, output=600.0):
    return Made(account, [()], family=NEAR_EMPTY, times=requests, more={"output_tokens": output})


def test_accounts_that_ask_nothing_and_are_answered_at_length_are_one_group():
    made = [asking(a) for a in range(4)]
    made += [
        asking(4, output=20.0),
        asking(5, requests=9),
        asking(6),
        Made(8, [(n,) for n in range(40)], family=NEAR_EMPTY, more={"output_tokens": 600.0}),  # a quiz
    ]  # a ping, too few, and one who mostly does other work:
    made += [Made(6, zipf(1, 1, 40)), asking(7, output=None)]
    _, _, profiles = build(made)
    (group,) = near_empty_groups(profiles)
    assert sorted(profiles[group.streams.tolist()]["account"].to_list()) == [0, 1, 2, 3]


def test_one_who_asks_nothing_is_no_group():
    _, _, profiles = build([asking(0), *crowd(5)])
    assert near_empty_groups(profiles) == []


# All together


def test_conversations_are_never_proposed():
    made = [Made(a, zipf(a, 1, 60), family=CONVERSATION) for a in range(6)]
    assert proposals(made) == []


def test_the_order_of_rows_changes_nothing():
    corpus = zipf(1, 1, 300)
    made = [Made(a, corpus[50 * a : 50 * a + 50]) for a in range(6)] + crowd(10)
    made += [Made(30 + a, zipf(10 * a + f, 9, 20), family=f) for a in range(5) for f in (3, 4)]
    made += [asking(50 + a) for a in range(3)]
    shuffled = [made[i] for i in np.random.default_rng(1).permutation(len(made))]
    for m in shuffled:
        m.payloads = m.payloads[::-1]
    assert proposals(made) == proposals(shuffled)
    assert {p[0] for p in proposals(made)} == {"frame", "corpus", "near_empty"}


@pytest.mark.parametrize("made", [[], [Made(0, [()])], [Made(3, zipf(1, 1, 40))]])
def test_tiny_logs_propose_nothing(made):
    assert proposals(made) == []


def test_a_log_that_is_one_app_does_not_make_its_accounts_unlike():
    """With one frame family alone there is nothing to weigh words by, and yet likeness is not zero."""
    (found,) = proposals([Made(a, zipf(a, 1, 60), family=0) for a in range(6)])
    assert found[0] == "frame"
    assert found[3] == pytest.approx(1.0, abs=0.2)
