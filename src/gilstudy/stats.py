"""Estimates over rounds, with intervals that hold although rounds that follow each other are alike.

Where other work comes and goes, a round tells in part what the one before it told, and intervals that take rounds for
independent are too narrow. The variance of an estimate is therefore that of its influence values in their order, with
their covariances up to a lag that grows with the number of rounds (Newey and West 1987), and Student's t with the few
degrees of freedom that such a variance has (Lazarus, Lewis, Stock and Watson 2018, "HAR Inference: Recommendations for
Practice").

Other work takes away and never gives, so that errors lean to one side. An interval therefore also holds the estimates
from the rounds weighted to either side until the estimate has moved as far as its error may (tilting: Efron 1981,
"Nonparametric Standard Errors and Confidence Intervals"). `bench/coverage.py` shows how often such intervals hold.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

METHOD: Final = "midmean over rounds, Newey-West, Student's t, tilted"
LAGS: Final = 1.3
"""Covariances are taken up to this times the root of the number of rounds,"""
FREEDOM: Final = 1.5
"""and leave this times rounds / lags degrees of freedom."""
_STEEPEST: Final = 50.0
"""Beyond this power of e a weight is as good as nothing, or as all."""


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

    @property
    def is_bounded(self) -> bool:
        """Whether there were enough rounds for an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)


def exactly(value: float, level: float) -> Estimate:
    """An estimate of what is so by definition, such as the speedup of a baseline over itself."""
    return Estimate(point=value, low=value, high=value, level=level, method="by definition")


def midmean(values: Sequence[float], weights: Sequence[float] | None = None) -> float:
    """The mean of the middle half of ``values`` (25 % trimmed, with fractional weights at the quartiles).

    Nearly as robust as the median, and its spread is a quarter smaller on normal data.

    Args:
        values: at least one.
        weights: how much each counts, not all 0; None for all alike.
    """
    shares = [1.0] * len(values) if weights is None else weights
    low = 0.25 * math.fsum(shares)
    high, seen, parts, inside = 3 * low, 0.0, [], []
    for value, share in sorted(zip(values, shares, strict=True)):
        part = min(high, seen + share) - max(low, seen)
        seen += share
        if part > 0:
            parts.append(part)
            inside.append(value)
    return math.fsum(map(_product, parts, inside)) / math.fsum(parts)


def look_level(level: float, looks: int) -> float:
    """The level of each interval so that all ``looks`` hold together at ``level`` (Bonferroni's inequality)."""
    return 1 - (1 - level) / looks


def fewest_rounds(level: float) -> int:
    """How many rounds it takes for any interval of this level.

    Even the whole range of n values holds their median only with a probability of 1 - 2 * 0.5**n.
    """
    return max(2, math.ceil(math.log2(2 / (1 - level))))


def over_rounds(values: Sequence[float], level: float, tested: float | None = None) -> Estimate:
    """The midmean of ``values``, one for each round in the order in which they were played.

    Args:
        values: at least one; with fewer than `fewest_rounds` the interval is unbounded.
        level: the level that holds for all looks together.
        tested: the level at which this look's interval is taken; None for ``level``.
    """
    tested = level if tested is None else tested
    point = midmean(values)
    if len(values) < fewest_rounds(tested):
        return Estimate(point=point, low=-math.inf, high=math.inf, level=level, method=METHOD)
    own = influences(values)
    reach = margin(tested, len(values)) * math.sqrt(covariance(own, own))
    tilted = [midmean(values, weights) for weights in tilts(own, reach)]
    low, high = min(point - reach, *tilted), max(point + reach, *tilted)
    return Estimate(point=point, low=low, high=high, level=level, method=METHOD)


def tilts(own: Sequence[float], reach: float) -> tuple[list[float], list[float]]:
    """Weights that move an estimate with these `influences` by about ``reach``, down and up."""
    square = math.fsum(map(_product, own, own)) / len(own)
    slope = reach / square if square else 0.0
    powers = [max(-_STEEPEST, min(_STEEPEST, slope * value)) for value in own]
    return [math.exp(-power) for power in powers], [math.exp(power) for power in powers]


def influences(values: Sequence[float]) -> list[float]:
    """How far each value moves the midmean of all, times their number: they sum to 0."""
    ordered = sorted(values)
    low, high = _quantile(ordered, 0.25), _quantile(ordered, 0.75)
    clipped = [2 * min(high, max(low, value)) for value in values]
    middle = sum(clipped) / len(clipped)
    return [value - middle for value in clipped]


def covariance(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The covariance of two midmeans, from their `influences` in the same rounds (the variance, of one with itself)."""
    count, lags = len(ours), _lags(len(ours))
    total, kept = math.fsum(map(_product, ours, theirs)), 1 - 1 / count
    for lag in range(1, min(lags, count)):
        weight = 1 - lag / lags
        apart = math.fsum(map(_product, ours[lag:], theirs)) + math.fsum(map(_product, ours, theirs[lag:]))
        total += weight * apart
        kept -= 2 * weight * (1 - lag / count) / count
    # Influences sum to 0, so their products sum to less than those of errors do: to this part, of independent ones.
    # Half of the values, less one for the middle that they share, tell the spread of a midmean of few (Yuen 1974).
    return max(0.0, total) / count**2 / kept * (count - 1) / max(1, count - 2)


def margin(level: float, rounds: int) -> float:
    """How many standard errors an interval of this level reaches to either side of its point."""
    return student_quantile((1 + level) / 2, FREEDOM * rounds / _lags(rounds))


def ratio_bounds(above: float, below: float, spread: tuple[float, float, float], reach: float) -> tuple[float, float]:
    """The ratios of two estimates that their errors allow (Fieller 1954): unbounded if the lower one may be 0.

    Args:
        above: the one estimate.
        below: the other, by which it is divided.
        spread: the variance of the one above, the covariance, the variance of the one below.
        reach: how many standard errors are allowed.
    """
    square = reach * reach
    variance, both, variance_below = (square * part for part in spread)
    # All r with (above - r below)^2 <= reach^2 Var(above - r below): a quadratic inequality.
    first, middle, last = below * below - variance_below, above * below - both, above * above - variance
    if first <= 0:
        return -math.inf, math.inf
    root = math.sqrt(max(0.0, middle * middle - first * last))
    return (middle - root) / first, (middle + root) / first


def transformed(estimate: Estimate, function: Callable[[float], float]) -> Estimate:
    """The estimate of a monotonic function of what ``estimate`` estimates."""
    ends = sorted((function(estimate.low), function(estimate.high)))
    point = function(estimate.point)
    return Estimate(point=point, low=ends[0], high=ends[1], level=estimate.level, method=estimate.method)


def _lags(rounds: int) -> int:
    return math.ceil(LAGS * math.sqrt(rounds))


def _product(one: float, other: float) -> float:
    return one * other


def _quantile(ordered: Sequence[float], share: float) -> float:
    position = share * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])


@lru_cache(maxsize=4096)
def student_quantile(share: float, freedom: float) -> float:
    """Quantile of Student's t for ``share`` above 0.5 and ``freedom`` degrees of freedom, to about 1e-9."""
    low, high = 0.0, 1e6
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if student_cdf(middle, freedom) < share else (low, middle)
    return (low + high) / 2


def student_cdf(t: float, freedom: float) -> float:
    """Distribution function of Student's t at ``t >= 0``, by the incomplete beta function (DLMF 8.17)."""
    if t == 0:
        return 0.5
    near, half = freedom / (freedom + t * t), freedom / 2
    scale = math.exp(
        math.lgamma(half + 0.5)
        - math.lgamma(half)
        - math.lgamma(0.5)
        + half * math.log(near)
        + 0.5 * math.log(t * t / (freedom + t * t))
    )
    if near < (half + 1) / (half + 2.5):
        return 1 - 0.5 * scale * _beta_fraction(half, 0.5, near) / half
    return 0.5 + 0.5 * scale * _beta_fraction(0.5, half, 1 - near) / 0.5


def _beta_fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method."""
    tiny = 1e-300
    value, above, below = 1.0, 1.0, 1 - (a + b) * x / (a + 1)
    below = 1 / (below or tiny)
    value = below
    for step in range(1, 500):
        for part in (
            step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step)),
            -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1)),
        ):
            below = 1 / (1 + part * below or tiny)
            above = 1 + part / above or tiny
            value *= above * below
        if abs(above * below - 1) < 1e-14:
            break
    return value
