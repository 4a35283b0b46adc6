"""The share of looks that saw something, with an interval that allows for looks near each other being alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from gilstudy.stats import Estimate, student_quantile

LEVEL: Final = 0.95
METHOD: Final = "Wilson score; looks count for fewer as far as near ones are alike (overlapping batch means)"
BATCHES: Final = 8
"""The variance of the share is estimated from means of an eighth of the looks each: what is alike for longer than that,
as where the host's load changes once, is not seen. Smaller batches miss more, larger ones leave less to compare
(`tests/probing/test_shares.py` simulates it)."""
FREEDOM: Final = 12
"""Degrees of freedom of that estimate, 1.5 for each batch (as for Bartlett's window: Lazarus et al. 2018)."""
FEWEST: Final = 2 * BATCHES
"""Looks without which nothing can be said about how alike near ones are."""


def independent(looks: Sequence[int]) -> float:
    """How many independent looks would tell the share as well as these, of which each is 0 or 1, in their order.

    It is never more than there are. Where all are the same, nothing speaks against their being independent.
    """
    count = len(looks)
    share = sum(looks) / count if count else 0.0
    if count < FEWEST or not 0 < share < 1:
        return float(count)
    width = round(count / BATCHES)
    sums = list(accumulate(looks, initial=0))
    squares = sum((sums[at + width] - sums[at] - width * share) ** 2 for at in range(count - width + 1))
    variance = squares / (count - width + 1) / width / (count - width)
    return max(1.0, min(count, share * (1 - share) / variance)) if variance else float(count)


def share_of(share: float, effective: float) -> Estimate:
    """A share that was seen in looks as good as so many independent ones: Wilson's interval (1927).

    It has Student's quantile in the place of the normal one, since the variance is estimated too.
    """
    z = student_quantile((1 + LEVEL) / 2, FREEDOM)
    scale = 1 + z * z / effective
    centre = (share + z * z / (2 * effective)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / effective + z * z / (4 * effective * effective))
    low, high = max(0.0, min(centre - half, share)), min(1.0, max(centre + half, share))
    return Estimate(point=share, low=low, high=high, level=LEVEL, method=METHOD)
