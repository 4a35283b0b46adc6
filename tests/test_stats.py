"""Statistics by truth: exact values, properties, and the coverage of intervals by simulation with fixed seeds."""

from __future__ import annotations

import math
from random import Random
from statistics import fmean, median

import pytest
from properties import given, st

from gilstudy.stats import (
    Estimate,
    draws,
    exactly,
    fewest_rounds,
    interval,
    look_level,
    midmean,
    replicate,
    student_cdf,
    student_quantile,
    transformed,
)

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40)


def estimate_of(values: list[float], level: float = 0.95, seed: int = 0) -> Estimate:
    resamples = draws(len(values), level, seed)
    return interval(midmean(values), replicate(values, resamples), len(values), level, level)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([7.0], 7.0),
        ([1.0, 2.0], 1.5),
        ([1.0, 2.0, 3.0], 2.0),
        ([4.0, 1.0, 3.0, 2.0], 2.5),
        ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 1e9], 3.5),
    ],
)
def test_midmean_is_the_mean_of_the_middle_half(values: list[float], expected: float) -> None:
    assert midmean(values) == pytest.approx(expected)


def test_midmean_weighs_the_quartiles_by_their_part() -> None:
    # Of five values the middle 2.5 count: 2 and 4 by three quarters each.
    assert midmean([0.0, 2.0, 3.0, 4.0, 100.0]) == pytest.approx((0.75 * 2 + 3 + 0.75 * 4) / 2.5)


@given(VALUES)
def test_midmean_lies_within_the_values(values: list[float]) -> None:
    assert min(values) - 1e-6 <= midmean(values) <= max(values) + 1e-6


@given(VALUES, st.randoms(use_true_random=False))
def test_midmean_knows_no_order(values: list[float], random: Random) -> None:
    shuffled = values[:]
    random.shuffle(shuffled)
    assert midmean(shuffled) == pytest.approx(midmean(values), abs=1e-6)


@given(st.lists(st.floats(-100, 100), min_size=8, max_size=30), st.floats(1e6, 1e9))
def test_one_wild_round_moves_the_midmean_no_further_than_its_neighbours(values: list[float], wild: float) -> None:
    assert midmean([*values, wild]) <= max(values)


@pytest.mark.parametrize(
    ("share", "freedom", "table"),
    [
        (0.975, 1, 12.7062),
        (0.975, 2, 4.3027),
        (0.975, 5, 2.5706),
        (0.995, 11, 3.1058),
        (0.9, 4, 1.5332),
        (0.975, 30, 2.0423),
    ],
)
def test_student_quantiles_agree_with_the_tables(share: float, freedom: int, table: float) -> None:
    assert student_quantile(share, freedom) == pytest.approx(table, abs=1e-4)
    assert student_cdf(table, freedom) == pytest.approx(share, abs=1e-5)


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=25))
def test_an_interval_holds_its_point(values: list[float]) -> None:
    found = estimate_of(values)
    assert found.low <= found.point <= found.high


@given(st.lists(st.floats(0.5, 2), min_size=3, max_size=20))
def test_a_higher_level_gives_no_narrower_interval(values: list[float]) -> None:
    narrow, wide = estimate_of(values, 0.8), estimate_of(values, 0.99)
    assert wide.low <= narrow.low + 0.02
    assert wide.high >= narrow.high - 0.02


@pytest.mark.parametrize(("level", "fewest"), [(0.5, 2), (0.9, 5), (0.95, 6), (0.9875, 8), (0.99975, 13)])
def test_too_few_rounds_give_no_bounds(level: float, fewest: int) -> None:
    assert fewest_rounds(level) == fewest
    found = estimate_of([2.0] * (fewest - 1), level)
    assert (found.point, found.low, found.high) == (2.0, -math.inf, math.inf)
    assert found.half_width == math.inf
    assert estimate_of([2.0] * fewest, level).half_width == 0


def test_the_same_seed_gives_the_same_interval() -> None:
    values = [Random(1).gauss(2, 0.3) for _ in range(12)]
    assert estimate_of(values, seed=5) == estimate_of(values, seed=5)


def test_looks_share_the_risk() -> None:
    assert look_level(0.95, 4) == pytest.approx(0.9875)
    assert look_level(0.95, 1) == pytest.approx(0.95)


def test_a_falling_function_swaps_the_ends() -> None:
    found = transformed(Estimate(point=2, low=1, high=4, level=0.95, method="m"), lambda x: 1 / x)
    assert (found.point, found.low, found.high) == (0.5, 0.25, 1.0)


def test_what_is_so_by_definition_has_no_width() -> None:
    assert exactly(1.0, 0.9).half_width == 0


def _noisy_host(random: Random) -> float:
    """A log ratio as shared hosts give it: mostly narrow, at times a burst to either side."""
    width = 0.04 if random.random() < 0.8 else 0.3
    return random.gauss(0.0, width)


@pytest.mark.parametrize("draw", [lambda random: random.gauss(0, 1), _noisy_host], ids=["normal", "bursts"])
@pytest.mark.parametrize("rounds", [6, 8, 15, 40])
def test_intervals_cover_the_truth_as_often_as_they_say(rounds: int, draw: object) -> None:
    # Deterministic: 300 simulated studies at 90 %. Below 0.85 would be 3 standard errors short of the level.
    random, hits, studies = Random(rounds), 0, 300
    resamples = draws(rounds, 0.9, seed=1)[:600]
    for _ in range(studies):
        values = [draw(random) for _ in range(rounds)]  # type: ignore[operator]
        found = interval(midmean(values), replicate(values, resamples), rounds, 0.9, 0.9)
        hits += found.low <= 0 <= found.high
    assert hits / studies >= 0.85


def test_the_midmean_is_steadier_than_the_median_on_normal_data_and_than_the_mean_in_bursts() -> None:
    def spread(summary: object, draw: object) -> float:
        random = Random(3)
        found = [summary([draw(random) for _ in range(20)]) for _ in range(400)]  # type: ignore[operator]
        return math.sqrt(fmean(value * value for value in found))

    assert spread(midmean, lambda random: random.gauss(0, 1)) < spread(median, lambda random: random.gauss(0, 1))
    assert spread(midmean, _noisy_host) < spread(fmean, _noisy_host)
