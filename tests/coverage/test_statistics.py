from __future__ import annotations

import warnings
from dataclasses import fields
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractscan.coverage.spectrum import spectrum
from extractscan.coverage.statistics import STATISTICS, CoverageTable, coverage_table

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from skbio.diversity import alpha

COUNT = st.one_of(st.integers(1, 4), st.integers(1, 200), st.integers(1, 10**7))
UNIT = st.lists(COUNT, max_size=25)
UNITS = st.lists(UNIT, min_size=1, max_size=8)


def table(units: list[list[int]], total: int = 1000, draws: int = 50) -> CoverageTable:
    offsets = np.concatenate(([0], np.cumsum([len(unit) for unit in units]))).astype(np.int64)
    return coverage_table(offsets, np.array([c for unit in units for c in unit], dtype=np.int64), total, draws=draws)


def row(unit: list[int], **options: int) -> dict[str, float | int | None]:
    return table([unit], **options).records()[0]


@settings(deadline=None)
@given(UNITS)
def test_every_formula_agrees_with_scikit_bio(units: list[list[int]]) -> None:
    got = table(units)
    for i, unit in enumerate(units):
        if not unit:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Its Esty interval cubes n in int64, which overflows above two million: floats do not.
            low, high = alpha.esty_ci(np.array(unit)) if sum(unit) < 2 * 10**6 else (np.nan, np.nan)
            expected = {
                "n": sum(unit),
                "observed": alpha.sobs(unit),
                "singletons": alpha.singles(unit),
                "doubletons": alpha.doubles(unit),
                "unseen_mass": 1 - alpha.goods_coverage(unit),
                "goods_coverage": alpha.goods_coverage(unit),
                "chao1": alpha.chao1(unit),
                "hill_0": alpha.hill(unit, order=0),
                "hill_1": alpha.hill(unit, order=1),
                "hill_2": alpha.hill(unit, order=2),
            }
            assert np.log(got.hill_1[i]) == pytest.approx(alpha.shannon(unit), rel=1e-9, abs=1e-12)
        for name, value in expected.items():
            assert getattr(got, name)[i] == pytest.approx(float(value), rel=1e-11, abs=1e-15), name
        if not np.isnan(low):
            # Clipped, and the root makes the last digit of a zero variance visible.
            assert got.unseen_low[i] == pytest.approx(max(low, 0.0), rel=1e-9, abs=1e-8)
            assert got.unseen_high[i] == pytest.approx(min(high, 1.0), rel=1e-9, abs=1e-8)


@settings(deadline=None)
@given(UNITS, st.randoms(use_true_random=False))
def test_order_of_counts_and_of_units_changes_no_bit(units: list[list[int]], random: object) -> None:
    first = table(units)
    places = list(range(len(units)))
    random.shuffle(places)
    shuffled = []
    for place in places:
        unit = list(units[place])
        random.shuffle(unit)
        shuffled.append(unit)
    second = table(shuffled)
    for name in STATISTICS:
        before, after = getattr(first, name), getattr(second, name)
        assert before[places].tobytes() == after.tobytes(), name


@given(UNIT.filter(bool))
def test_bounds_hold(unit: list[int]) -> None:
    got = row(unit, draws=3)
    assert 0 <= got["unseen_low"] <= got["unseen_mass"] <= got["unseen_high"] <= 1
    assert 1 <= got["hill_2"] <= got["hill_1"] * (1 + 1e-12)
    assert got["hill_1"] <= got["hill_0"] == len(unit) <= got["chao1"]
    if sum(unit) >= 3:
        assert 1 <= got["rarefied_richness"] <= min(3, len(unit))
        assert 0 <= got["heaps_exponent"] <= 1


def test_one_unit_by_hand() -> None:
    # Four species: one three times, one twice, two once.
    got = row([3, 2, 1, 1], total=8, draws=2)
    assert (got["n"], got["observed"], got["singletons"], got["doubletons"]) == (7, 4, 2, 1)
    assert got["unseen_mass"] == pytest.approx(2 / 7)
    variance = (2 * 5 + 2 * 7 * 1) / 7**3
    assert got["unseen_high"] == pytest.approx(2 / 7 + 1.959963984540054 * variance**0.5)
    assert got["unseen_low"] == 0.0
    assert got["chao1"] == pytest.approx(4 + 2 / 4)
    assert got["hill_2"] == pytest.approx(49 / 15)
    # Two draws are the same species with probability (6 + 2) / 42.
    assert got["rarefied_richness"] == pytest.approx(2 - 8 / 42)
    # Half of seven is three: 1 - C(7 - c, 3) / 35.
    at_three = (1 - 4 / 35) + (1 - 10 / 35) + 2 * (1 - 20 / 35)
    assert got["heaps_exponent"] == pytest.approx(log(4 / at_three) / log(7 / 3))
    assert got["log_share"] == 0.5
    assert got["draws"] == 2


def test_heaps_exponent_is_log2_of_the_ratio_for_an_even_unit() -> None:
    # Two species twice each; two draws of four miss one of them with probability 1/6.
    assert row([2, 2])["heaps_exponent"] == pytest.approx(np.log2(2 / (2 * (1 - 1 / 6))))


def test_an_empty_unit_is_undefined_not_zero() -> None:
    got = row([])
    counted = {"n", "observed", "singletons", "doubletons", "log_share", "draws"}
    assert {name: got[name] for name in counted} == {
        "n": 0, "observed": 0, "singletons": 0, "doubletons": 0, "log_share": 0.0, "draws": 50,
    }  # fmt: skip
    assert all(value is None for name, value in got.items() if name not in counted)


def test_one_individual() -> None:
    got = row([1])
    assert (got["unseen_mass"], got["goods_coverage"], got["chao1"]) == (1.0, 0.0, 1.0)
    assert (got["hill_0"], got["hill_1"], got["hill_2"]) == (1.0, 1.0, 1.0)
    assert got["heaps_exponent"] is None
    assert got["rarefied_richness"] is None
    assert row([1], draws=1)["rarefied_richness"] == 1.0


def test_all_singletons_never_repeat() -> None:
    got = row([1] * 101)
    assert got["unseen_mass"] == got["unseen_high"] == 1.0
    assert got["hill_1"] == pytest.approx(101)
    assert got["hill_2"] == pytest.approx(101)
    assert got["rarefied_richness"] == pytest.approx(50)
    assert got["heaps_exponent"] == pytest.approx(1.0)
    assert got["chao1"] == 101 + 101 * 100 / 2


def test_one_species_ten_million_times() -> None:
    got = row([10**7], total=10**6)
    assert (got["unseen_mass"], got["unseen_low"], got["unseen_high"]) == (0.0, 0.0, 0.0)
    assert (got["hill_1"], got["hill_2"], got["rarefied_richness"], got["heaps_exponent"]) == (1.0, 1.0, 1.0, 0.0)
    assert got["log_share"] == 1e-6


def test_no_units_and_an_unknown_total() -> None:
    empty = coverage_table(np.array([0]), np.array([], dtype=np.int64), 0)
    assert all(len(values) == 0 for values in empty.columns().values())
    assert empty.records() == []
    assert row([1, 2], total=0)["log_share"] is None


def test_types_and_names_are_stable() -> None:
    got = table([[1, 2], []])
    assert [field.name for field in fields(got)] == [*STATISTICS, "draws"]
    whole = {"n", "observed", "singletons", "doubletons"}
    assert {name for name, values in got.columns().items() if values.dtype == np.int64} == whole
    assert all(values.dtype in (np.int64, np.float64) and len(values) == 2 for values in got.columns().values())
    assert isinstance(got.records()[0]["n"], int)


def test_keys_too_large_to_pack_are_sorted_by_two_columns() -> None:
    # 6,000 units times a count of 2**52 does not fit 63 bits.
    counts = np.array([2**52, 1, 3, 1, 3], dtype=np.int64)
    offsets = np.concatenate(([0, 2, 5], np.full(5998, 5)))
    got = spectrum(offsets, counts)
    assert got.unit.tolist() == [0, 0, 1, 1]
    assert got.count.tolist() == [1, 2**52, 1, 3]
    assert got.species.tolist() == [1, 1, 1, 2]
    assert got.individuals[:3].tolist() == [2**52 + 1, 7, 0]


@pytest.mark.parametrize(
    ("offsets", "counts", "message"),
    [
        ([], [], "at least one value"),
        ([0, 2], [1], "number of counts"),
        ([1, 1], [1], "number of counts"),
        ([0, 2, 1, 2], [1, 1], "number of counts"),
        ([0, 1], [0], "at least 1"),
        ([0, 1], [2**53], "2\\*\\*53"),
        ([[0, 1]], [1], "one dimension"),
    ],
)
def test_bad_shapes_are_refused(offsets: list[int], counts: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        coverage_table(np.array(offsets, dtype=np.int64), np.array(counts, dtype=np.int64), 1)


def test_negative_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        row([1], draws=-1)
