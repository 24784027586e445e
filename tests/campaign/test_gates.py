import polars as pl
import pytest

from extractscan.campaign.gates import BENCHMARK_DAYS, BENCHMARK_FACTOR, EVALUATES, group_gates

DAY = 86_400_000_000

TYPES = {
    "org_id": pl.UInt32,
    "ip": pl.UInt32,
    "end_users": pl.UInt32,
    "conversing": pl.Float64,
    "requests": pl.Int64,
    "payloads": pl.Int64,
    "first_us": pl.Int64,
    "last_us": pl.Int64,
    "highest_temperature": pl.Float64,
}


def members(k=6, **columns):
    """Accounts with nothing to be said in their favour, then what is given."""
    plain = {"org_id": [None] * k, "ip": [None] * k, "end_users": [0] * k, "conversing": [None] * k}
    plain |= {"requests": [40] * k, "payloads": [40] * k, "first_us": [0] * k, "last_us": [DAY] * k}
    return pl.DataFrame({**plain, "highest_temperature": [None] * k, **columns}, schema=TYPES)


def gated(table, shared=0.0, likeness=None, *, same_test=1.0, handed_out=0.0, on_purpose=False):
    return group_gates(
        table, shared, likeness, same_test=same_test, handed_out=handed_out, repeats_on_purpose=on_purpose
    )


@pytest.mark.parametrize(("same_test", "factor"), [(1.0, 0.12), (0.5, 0.56), (0.2, None), (0.0, None)])
def test_public_items_excuse_a_group_as_far_as_all_may_have_been_given_them(same_test, factor):
    found = gated(members(), 0.8, same_test=same_test)
    assert [g.factor for g in found] == ([] if factor is None else [pytest.approx(factor)])
    assert all("80%" in g.detail for g in found)  # what was observed, whatever is made of it


@pytest.mark.parametrize(("handed_out", "factor"), [(0.0, 0.1), (0.5, 0.55), (0.9, 0.91), (1.0, None)])
def test_runs_are_peoples_conversations_as_far_as_they_are_not_handed_out(handed_out, factor):
    found = gated(members(conversing=[1.0] * 6), handed_out=handed_out)
    assert [(g.gate, g.factor) for g in found] == ([] if factor is None else [("conversations", pytest.approx(factor))])


def test_nothing_known_is_no_explanation():
    assert gated(members()) == []


@pytest.mark.parametrize(
    ("gate", "factor", "columns", "shared", "likeness"),
    [
        ("different_content", 0.4, {}, 0.0, 0.3),
        ("one_organisation", 0.2, {"org_id": [1, 1, 1, 1, 1, 2]}, 0.0, None),
        ("one_network", 0.3, {"ip": [1, 1, 1, 2, 2, 2]}, 0.0, None),
        ("public_items", 0.56, {}, 0.4, None),
        ("public_items", 0.1, {}, 1.0, None),
        ("benchmark", 0.4, {"highest_temperature": [0.0] * 6}, 0.0, None),
        ("conversations", 0.28, {"conversing": [0.9, 0.8, 0.7, 0.9, 0.6, 0.9]}, 0.0, None),
        ("end_users", 0.2, {"end_users": [9, 8, 7, 0, 0, 0]}, 0.0, None),
        ("exact_repetition", 0.2, {"requests": [400] * 6}, 0.0, None),
    ],
)
def test_each_innocent_reason_is_named_with_what_it_leaves(gate, factor, columns, shared, likeness):
    (found,) = gated(members(**columns), shared, likeness)
    assert (found.gate, found.factor) == (gate, pytest.approx(factor))
    assert any(c.isdigit() for c in found.detail)


@pytest.mark.parametrize(
    ("columns", "shared", "likeness"),
    [
        ({}, 0.19, 0.5),
        ({"org_id": [1, 1, 1, 1, 2, 3]}, 0.0, None),
        ({"org_id": [1, 2, 3, 4, 5, 6]}, 0.0, None),
        ({"org_id": [1, 1, None, None, None, None]}, 0.0, None),
        ({"ip": [1, 1, 2, 2, 3, 3]}, 0.0, None),
        ({"ip": [1, 1, 1, None, None, None]}, 0.0, None),
        ({"highest_temperature": [0.0, 0.0, 0.0, 0.0, 0.1, None]}, 0.0, None),
        ({"conversing": [0.4] * 6}, 0.0, None),
        ({"end_users": [4] * 6}, 0.0, None),
        ({"end_users": [9, 9, 0, 0, 0, 0]}, 0.0, None),
    ],
)
def test_a_little_of_a_reason_is_none(columns, shared, likeness):
    assert gated(members(**columns), shared, likeness) == []


def test_repetition_that_a_group_is_about_is_no_reason():
    assert gated(members(requests=[400] * 6), on_purpose=True) == []


def test_all_reasons_at_once():
    everything = members(
        org_id=[1] * 6,
        ip=[1] * 6,
        end_users=[9] * 6,
        conversing=[1.0] * 6,
        requests=[400] * 6,
        highest_temperature=[0.0] * 6,
    )
    gates = gated(everything, 1.0, 0.0)
    assert len({g.gate for g in gates}) == len(gates) == 8
    assert all(0.0 < g.factor < 1.0 for g in gates)


# Benchmarks


@pytest.mark.parametrize(
    ("temperature", "days", "looks_like_one"),
    [
        (0.0, 0.0, True),
        (0.0, 1.0, True),
        (0.0, BENCHMARK_DAYS, True),
        (0.0, BENCHMARK_DAYS + 0.01, False),  # harvests last for weeks
        (0.01, 1.0, False),
        (1.0, 1.0, False),
        (None, 1.0, False),  # what the log does not know is in nobody's favour
    ],
)
def test_an_evaluation_is_cold_throughout_and_soon_over(temperature, days, looks_like_one):
    profile = {"highest_temperature": temperature, "first_us": 7 * DAY, "last_us": 7 * DAY + round(days * DAY)}
    row = pl.DataFrame({name: pl.Series([value], dtype=TYPES[name]) for name, value in profile.items()})
    assert row.select(EVALUATES).item() is looks_like_one


@pytest.mark.parametrize(
    ("k", "cold", "gate"), [(5, 4, True), (5, 3, False), (10, 8, True), (10, 7, False), (2, 2, True), (2, 1, False)]
)
def test_a_group_evaluates_if_four_in_five_members_do(k, cold, gate):
    gates = gated(members(k, highest_temperature=[0.0] * cold + [0.7] * (k - cold)))
    assert [(g.gate, g.factor) for g in gates] == ([("benchmark", BENCHMARK_FACTOR)] if gate else [])
    if gate:
        assert gates[0].detail.startswith(f"{cold} of {k} accounts")


def test_members_that_take_weeks_are_no_benchmark_however_cold():
    assert gated(members(highest_temperature=[0.0] * 6, last_us=[30 * DAY] * 6)) == []
    # Each is over soon, though they come one after another: each is a run.
    relay = members(highest_temperature=[0.0] * 6, first_us=[30 * i * DAY for i in range(6)])
    relay = relay.with_columns(pl.col("first_us").alias("last_us"))
    assert [g.gate for g in gated(relay)] == ["benchmark"]
