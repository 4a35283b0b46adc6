"""Whether the later calls were still the same call as the first one. Nothing here measures."""

from __future__ import annotations

from typing import Final

from gilstudy.probing.evidence import Doubt, Evidence, Verdict, judge

MUCH: Final = 10
"""If later calls are shorter than the first by this factor, it did something that they do not."""
WORTH_NS: Final = 1_000_000
"""A first call that is shorter than this did nothing that would be missed: caches of the CPU, a name looked up."""


def change(first: Evidence, first_delay_ns: int, later: Evidence, verdict: Verdict) -> Doubt | str:
    """What is to be said of later calls that are much shorter than the first one; "" if they are not.

    The first is taken for shorter by the time for which it had to wait for a CPU.

    If the first let the GIL go for most of its time, and the later ones do not, there is nothing to be judged: the
    arguments may have been used up, and what was probed is a call that has nothing left to do.
    """
    first_ns = first.window_ns - first_delay_ns
    if first_ns < WORTH_NS or later.call_ns * MUCH > first_ns:
        return ""
    told = f"the first call took {_time(first_ns)}, later ones {_time(later.call_ns)}"
    cause = "what it works on was used up by the first call, or is kept from then on"
    if judge(first)[0] == "releases" and verdict not in ("releases", "inconclusive"):
        return Doubt(
            f"{told}, and only the first let the GIL go for most of its time: {cause}. "
            "Have its arguments made anew for each call; or, if the later ones are meant, call it once in --setup",
            "not-judged",
        )
    return f"{told}: {cause}; this is about the later ones"


def _time(ns: float) -> str:
    return f"{ns / 1e6:.3g} ms" if ns >= 1e6 else f"{ns / 1e3:.3g} us"
