"""The share of looks that saw something, with an interval that allows for looks near each other being alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from gilstudy.stats import Estimate, student_quantile

LEVEL: Final = 0.95
METHOD: Final = "Wilson score; looks count for fewer as far as near ones are alike (Bartlett window)"
FEWEST: Final = 12
"""Looks without which nothing can be said about how alike near ones are."""


def independent(looks: Sequence[int]) -> float:
    """How many independent looks would tell the share as well as these, of which each is 0 or 1, in their order.

    The variance of their mean is estimated by overlapping means of 1.3 sqrt(n) looks each (which is the Newey-West
    estimator with Bartlett's window). It is never more than there are; where all are alike, which they are, nothing
    speaks against their being independent.
    """
    count = len(looks)
    share = sum(looks) / count if count else 0.0
    if count < FEWEST or not 0 < share < 1:
        return float(count)
    width = _width(count)
    sums = list(accumulate(looks, initial=0))
    squares = sum((sums[at + width] - sums[at] - width * share) ** 2 for at in range(count - width + 1))
    variance = squares / (count - width + 1) / width / (count - width)
    return float(count) if not variance else max(1.0, min(count, share * (1 - share) / variance))


def share_of(share: float, looks: int, effective: float) -> Estimate:
    """A share that was seen in so many looks, as good as ``effective`` independent ones.

    The interval is Wilson's (1927), with Student's quantile for the variance, which is estimated too: 1.5 n / width
    degrees of freedom (Lazarus et al. 2018).
    """
    z = student_quantile((1 + LEVEL) / 2, max(1, round(1.5 * looks / _width(looks)))) if looks >= FEWEST else 2.3
    scale = 1 + z * z / effective
    centre = (share + z * z / (2 * effective)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / effective + z * z / (4 * effective * effective))
    low, high = max(0.0, min(centre - half, share)), min(1.0, max(centre + half, share))
    return Estimate(point=share, low=low, high=high, level=LEVEL, method=METHOD)


def _width(count: int) -> int:
    return max(1, min(count // 3, round(1.3 * math.sqrt(count))))
