"""Estimates with bootstrap intervals, made for few and noisy rounds.

The unit of resampling is the round: all trials of a round saw about the same host, so they are drawn together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from statistics import NormalDist
from typing import Final

METHOD: Final = "midmean over rounds, expanded percentile bootstrap"
FEWEST_RESAMPLES: Final = 2000
MOST_RESAMPLES: Final = 20_000
TAIL_RESAMPLES: Final = 10
"""How many resamples should lie beyond an end of an interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number that never travels without its interval."""

    point: float
    low: float
    high: float
    level: float
    """Confidence level, such as 0.95, that holds for the last of all looks that the study may take."""
    method: str

    @property
    def half_width(self) -> float:
        """Half of the interval's width, relative to the point (infinite at a point of 0)."""
        return (self.high - self.low) / 2 / abs(self.point) if self.point else math.inf


def exactly(value: float, level: float) -> Estimate:
    """An estimate of what is so by definition, such as the speedup of a baseline over itself."""
    return Estimate(point=value, low=value, high=value, level=level, method="by definition")


def midmean(values: Sequence[float]) -> float:
    """The mean of the middle half of ``values`` (25 % trimmed, with fractional weights at the quartiles).

    Nearly as robust as the median, and its spread is a quarter smaller on normal data.
    """
    ordered = sorted(values)
    count = len(ordered)
    cut = count / 4
    whole = int(cut)
    inner = ordered[whole : count - whole]
    if len(inner) == 1:
        return inner[0]
    rest = cut - whole
    return (sum(inner) - rest * (inner[0] + inner[-1])) / (count - 2 * cut)


def look_level(level: float, looks: int) -> float:
    """The level of each interval so that all ``looks`` hold together at ``level`` (Bonferroni's inequality)."""
    return 1 - (1 - level) / looks


def fewest_rounds(level: float) -> int:
    """How many rounds it takes for any interval of this level.

    Even the whole range of n values holds their median only with a probability of 1 - 2 * 0.5**n.
    """
    return max(2, math.ceil(math.log2(2 / (1 - level))))


def draws(rounds: int, level: float, seed: int) -> list[list[int]]:
    """Resamples of ``rounds`` rounds with replacement: enough of them for an interval of this level."""
    tail = (1 - level) / 2
    wanted = math.ceil(TAIL_RESAMPLES / _expanded_tail(tail, rounds)) if rounds >= fewest_rounds(level) else 1
    count = min(MOST_RESAMPLES, max(FEWEST_RESAMPLES, wanted))
    random = Random(seed)
    return [random.choices(range(rounds), k=rounds) for _ in range(count)]


def interval(point: float, replicates: Sequence[float], rounds: int, tested: float, level: float) -> Estimate:
    """An estimate from bootstrap replicates of it.

    The percentiles are expanded for the small number of rounds: a plain percentile interval is too narrow, as a normal
    interval is beside Student's (Hesterberg 2015, "What Teachers Should Know About the Bootstrap", section 3.5).

    Args:
        point: the estimate from the rounds themselves.
        replicates: the estimate from each resample.
        rounds: how many rounds there are; with fewer than `fewest_rounds` the interval is unbounded.
        tested: the level at which this look's interval is taken.
        level: the level that holds for all looks together.
    """
    if rounds < fewest_rounds(tested):
        return Estimate(point=point, low=-math.inf, high=math.inf, level=level, method=METHOD)
    ordered = sorted(replicates)
    tail = _expanded_tail((1 - tested) / 2, rounds)
    low, high = _quantile(ordered, tail), _quantile(ordered, 1 - tail)
    return Estimate(point=point, low=min(low, point), high=max(high, point), level=level, method=METHOD)


def replicate(values: Sequence[float], resamples: Sequence[Sequence[int]]) -> list[float]:
    """The midmean of each resample of ``values``."""
    return [midmean([values[index] for index in resample]) for resample in resamples]


def transformed(estimate: Estimate, function: Callable[[float], float]) -> Estimate:
    """The estimate of a monotonic function of what ``estimate`` estimates."""
    ends = sorted((function(estimate.low), function(estimate.high)))
    point = function(estimate.point)
    return Estimate(point=point, low=ends[0], high=ends[1], level=estimate.level, method=estimate.method)


def _expanded_tail(tail: float, count: int) -> float:
    return NormalDist().cdf(-math.sqrt(count / (count - 1)) * student_quantile(1 - tail, count - 1))


def _quantile(ordered: Sequence[float], share: float) -> float:
    position = share * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])


def student_quantile(share: float, freedom: int) -> float:
    """Quantile of Student's t for ``share`` above 0.5 and ``freedom`` degrees of freedom, to about 1e-9."""
    low, high = 0.0, 1e6
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if student_cdf(middle, freedom) < share else (low, middle)
    return (low + high) / 2


def student_cdf(t: float, freedom: int) -> float:
    """Distribution function of Student's t at ``t >= 0``: the sums of Abramowitz and Stegun, 26.7.3 and 26.7.4."""
    theta = math.atan2(t, math.sqrt(freedom))
    cosine, sine = math.cos(theta), math.sin(theta)
    if freedom % 2:
        total, term = 0.0, cosine
        for step in range(1, freedom - 1, 2):
            total += term
            term *= cosine * cosine * (step + 1) / (step + 2)
        inside = 2 / math.pi * (theta + sine * total)
    else:
        total, term = 0.0, 1.0
        for step in range(0, freedom - 1, 2):
            total += term
            term *= cosine * cosine * (step + 1) / (step + 2)
        inside = sine * total
    return 0.5 + inside / 2
