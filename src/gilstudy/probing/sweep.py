"""The smallest input from which a function releases the GIL, by bisection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isqrt

from gilstudy.probing.probe import Probe


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What a sweep found."""

    low: int
    high: int
    threshold: int | None
    """The smallest size that releases; None if none up to ``high`` does, or if a probe was inconclusive."""
    reason: str
    """Why there is no answer; "" if there is one."""
    probes: tuple[tuple[int, Probe], ...]
    """Every size that was tried, smallest first."""


def sweep(probe_at: Callable[[int], Probe], low: int, high: int) -> Sweep:
    """Find the smallest size from ``low`` to ``high`` at which the GIL is released, if only for a part of the call.

    It takes for granted that whoever releases for some size does so for every larger one. Sizes are halved by their
    geometric mean, so that small ones are told apart as well as large ones.
    """
    tried: dict[int, Probe] = {}

    def releases(size: int) -> bool | None:
        if size not in tried:
            tried[size] = probe_at(size)
        return tried[size].lets_go

    def found(threshold: int | None, reason: str = "") -> Sweep:
        return Sweep(low=low, high=high, threshold=threshold, reason=reason, probes=tuple(sorted(tried.items())))

    holding, releasing = low, high
    for size in (high, low):
        answer = releases(size)
        if answer is None:
            return found(None, tried[size].reason)
        if size == high and not answer:
            return found(None)
        if size == low and answer:
            return found(low)
    while releasing - holding > 1:
        middle = min(max(isqrt(holding * releasing), holding + 1), releasing - 1)
        answer = releases(middle)
        if answer is None:
            return found(None, f"at N = {middle}: {tried[middle].reason}")
        holding, releasing = (holding, middle) if answer else (middle, releasing)
    return found(releasing)
