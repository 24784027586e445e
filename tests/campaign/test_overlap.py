import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_streams import Made, build

from extractscan.campaign.overlap import OTHERS, SHARED_WITH, Payloads

few = settings(max_examples=80, deadline=None, derandomize=True)

# (account, family) to payloads, drawn from a small space so that they meet.
logs = st.dictionaries(
    st.tuples(st.integers(0, 7), st.integers(-1, 1)),
    st.sets(st.integers(0, 25), min_size=1, max_size=15),
    min_size=1,
    max_size=14,
)


def made(log):
    streams, _, _ = build([Made(a, [(p,) for p in sorted(held)], family=f) for (a, f), held in log.items()])
    return streams, [(a, f, log[a, f]) for a, f in sorted(log)]


@few
@given(logs, st.integers(0, 3))
def test_shared_share_is_counted_over_accounts(log, others):
    streams, rows = made(log)
    share = Payloads(streams).shared_share(others)
    for s, (account, _, held) in enumerate(rows):
        more = sum(len({a for a, _, other in rows if p in other} - {account}) >= others for p in held)
        expected = more / len(held)
        if others == 0:  # payloads of one account only are not indexed: no caller asks for them
            continue
        assert share[s] == pytest.approx(expected)


@few
@given(logs, st.data())
def test_overlap_is_what_sets_say(log, data):
    streams, rows = made(log)
    chosen = data.draw(st.lists(st.sampled_from(range(len(rows))), min_size=1, unique=True))
    group = np.array(sorted(chosen), np.int64)
    members, owner = np.unique([rows[s][0] for s in group], return_inverse=True)
    found = Payloads(streams).overlap(group, owner)
    held = [set().union(*(rows[s][2] for s in group if rows[s][0] == a)) for a in members]
    met = np.zeros(len(held), int)
    for (i, a), (j, b) in itertools.combinations(enumerate(held), 2):
        met[[i, j]] += len(a & b)
    assert found.met.tolist() == met.tolist()
    assert found.inside == met.sum() // 2
    # A member who sends a payload in a stream of another kind only is counted with those outside.
    everyone = {account: set().union(*(h for a, _, h in rows if a == account)) for account in {r[0] for r in rows}}
    senders = {p: sum(p in h for h in everyone.values()) - sum(p in h for h in held) for p in range(26)}
    items = sum(len(rows[s][2]) for s in group)  # by stream
    assert found.public == pytest.approx(sum(senders[p] >= OTHERS for mine in held for p in mine) / items)
    assert found.common == pytest.approx(met.sum() / max(items * (len(held) - 1), 1))
    # Outside streams that hold at least SHARED_WITH of the group's payloads, and the rate at which members meet them.
    indexed = {p for p in range(26) if sum(p in h for h in everyone.values()) > 1}
    group_payloads = set().union(*held) & indexed
    outside = [h for s, (_, _, h) in enumerate(rows) if s not in chosen and len(h & group_payloads) >= SHARED_WITH]
    assert found.outsiders == len(outside)
    sizes = np.array([sum(len(rows[s][2]) for s in group if rows[s][0] == a) for a in members], float)
    assert found.pairs == sum(a * b for a, b in itertools.combinations(sizes, 2))
    if outside:
        meetings = np.array([sum(len(h & a & indexed) for h in outside) for a in held], float)
        rate = meetings.sum() / (sizes.sum() * sum(map(len, outside)))
        fair = rate * sum(map(len, outside)) * sizes
        own = rate * (meetings + 1) / (fair + 1)
        expected = sum(
            sizes[i] * sizes[j] * np.sqrt(own[i] * own[j]) for i, j in itertools.combinations(range(sizes.size), 2)
        )
        assert found.expected == pytest.approx(expected)
    else:
        assert found.expected == 0.0


def test_who_meets_no_outsider_is_not_expected_to_meet_members():
    """Half of the members ask for single items, as outsiders do, the others for five at a time: these can meet nobody."""
    dice = np.random.default_rng(2)

    def drawn():
        return dice.choice(400, 100, replace=False).tolist()

    single = [Made(a, [(p,) for p in drawn()]) for a in range(4)]
    by_five = [Made(4 + a, [tuple(five) for five in np.reshape(drawn(), (20, 5)).tolist()]) for a in range(4)]
    outside = [Made(8 + a, [(p,) for p in drawn()]) for a in range(10)]
    streams, _, _ = build(single + by_five + outside)
    payloads = Payloads(streams)
    alone = payloads.overlap(np.arange(4), np.arange(4))
    mixed = payloads.overlap(np.arange(8), np.arange(8))
    assert mixed.inside == alone.inside
    assert alone.expected == pytest.approx(alone.inside, rel=0.3)
    assert mixed.expected == pytest.approx(
        alone.inside, rel=0.45
    )  # a common rate would expect more than half as much again
    everyones = (mixed.met.sum() / 2) / alone.pairs * mixed.pairs
    assert mixed.expected < 0.75 * everyones


def test_a_partition_is_expected_to_overlap_as_it_does_with_others_of_the_source():
    """Shards of forty, and outsiders who draw at random from the same four hundred: members should meet like outsiders do."""
    dice = np.random.default_rng(1)
    space = [(p,) for p in range(400)]
    shards = [Made(a, space[40 * a : 40 * a + 40]) for a in range(10)]
    others = [Made(10 + a, [space[i] for i in dice.choice(400, 100, replace=False)]) for a in range(5)]
    streams, _, _ = build(shards + others)
    found = Payloads(streams).overlap(np.arange(10), np.arange(10))
    assert found.inside == 0
    assert found.outsiders == 5
    assert found.pairs == 45 * 40 * 40
    # 45 pairs of members, each of 40 by 40 items out of 400.
    assert found.expected == pytest.approx(45 * 40 * 40 / 400, rel=0.1)


def test_an_outsider_with_little_in_common_is_no_yardstick():
    streams, _, _ = build([Made(0, [(1,), (2,), (9,)]), Made(1, [(3,), (4,)]), Made(2, [(1,), (3,)])])
    found = Payloads(streams).overlap(np.array([0, 1]), np.array([0, 1]))
    assert (found.outsiders, found.expected, found.inside, found.pairs) == (0, 0.0, 0, 6.0)


def test_nothing_at_all():
    streams, _, _ = build([Made(0, [(1,)])])
    empty = Payloads(streams)
    assert empty.shared_share(1).tolist() == [0.0]
    found = empty.overlap(np.array([0]), np.array([0]))
    assert (found.inside, found.expected, found.outsiders, found.met.tolist()) == (0, 0.0, 0, [0])
    none, _, _ = build([])
    assert Payloads(none).shared_share(1).size == 0
