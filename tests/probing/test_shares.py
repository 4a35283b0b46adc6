"""The share's interval: it holds the true share as often as it says, of looks that are alike near each other too."""

from __future__ import annotations

import math
from random import Random

import pytest

from gilstudy.probing.shares import LEVEL, independent, share_of

STUDIES = 300


def alone(random: Random, count: int, share: float) -> list[int]:
    return [int(random.random() < share) for _ in range(count)]


def by_turns(random: Random, count: int, on: float, off: float) -> list[int]:
    """Runs of ones and noughts, of exponential lengths with these means: calls in the midst of which it changes."""
    looks: list[int] = []
    state = random.random() < on / (on + off)
    while len(looks) < count:
        looks += [int(state)] * (1 + int(random.expovariate(1 / (on if state else off))))
        state = not state
    return looks[:count]


def share_by_turns(on: float, off: float) -> float:
    lengths = [1 / (1 - math.exp(-1 / mean)) for mean in (on, off)]
    return lengths[0] / sum(lengths)


def drifting(random: Random, count: int, near: float = 30) -> list[int]:
    """The chance of a one wanders: the host is busy for a while, and then it is not."""
    stays = math.exp(-1 / near)
    state, looks = random.gauss(0, 1), []
    for _ in range(count):
        state = stays * state + math.sqrt(1 - stays * stays) * random.gauss(0, 1)
        looks.append(int(random.random() < 1 / (1 + math.exp(-0.8 - state))))
    return looks


def covers(looks: list[int], truth: float) -> bool:
    found = share_of(sum(looks) / len(looks), independent(looks))
    return found.low <= truth <= found.high


@pytest.mark.parametrize(("share", "count"), [(0.7, 150), (0.7, 1000), (0.99, 1000), (0.998, 1000)])
def test_it_covers_where_looks_are_independent(share: float, count: int) -> None:
    random = Random(1)
    held = sum(covers(alone(random, count, share), share) for _ in range(STUDIES))
    assert held >= 0.94 * STUDIES


@pytest.mark.parametrize(("on", "off", "count"), [(5, 5, 150), (5, 5, 1000), (20, 10, 1000)])
def test_it_covers_where_looks_near_each_other_are_alike(on: float, off: float, count: int) -> None:
    random = Random(2)
    held = sum(covers(by_turns(random, count, on, off), share_by_turns(on, off)) for _ in range(STUDIES))
    assert held >= 0.91 * STUDIES


def test_it_nearly_covers_where_the_host_is_busy_by_turns() -> None:
    truth_looks = drifting(Random(3), 500_000)
    random = Random(4)
    truth = sum(truth_looks) / len(truth_looks)
    every = [drifting(random, 1000) for _ in range(STUDIES)]
    assert sum(covers(looks, truth) for looks in every) >= 0.88 * STUDIES
    naive = [share_of(sum(looks) / len(looks), len(looks)) for looks in every]
    assert sum(found.low <= truth <= found.high for found in naive) <= 0.7 * STUDIES


def test_independent_looks_count_for_nearly_as_many_as_there_are() -> None:
    assert independent(alone(Random(5), 1000, 0.5)) > 300
    assert independent([0] * 500 + [1] * 500) < 10
    assert independent([1] * 300) == 300
    assert independent([]) == 0
    assert independent([0, 1] * 5) == 10


def test_it_is_wilsons_interval_with_students_quantile() -> None:
    # 10 of 100, z = 2.1788 (12 degrees of freedom): (0.1 + z^2 / 200 -+ z sqrt(0.0009 + z^2 / 40000)) / (1 + z^2 / 100)
    found = share_of(0.1, 100)
    assert found.low == pytest.approx(0.05174, abs=1e-5)
    assert found.high == pytest.approx(0.18452, abs=1e-5)
    assert (share_of(0.0, 100).low, share_of(1.0, 100).high, found.level) == (0.0, 1.0, LEVEL)
