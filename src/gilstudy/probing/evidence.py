"""What a probe saw of a call, and what follows from it. Nothing here measures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from gilstudy.stats import Estimate

Verdict = Literal["releases", "holds", "mixed", "inconclusive", "not-applicable"]

RELEASES_FROM: Final = 0.5
"""A call that lets the GIL go for this share of its time, or more, releases it; if for less, it is mixed."""
ENOUGH_LOOKS: Final = 100
"""Looks at the GIL without which nothing is concluded from its having been held at all of them."""
ENOUGH_BEATS: Final = 3
LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why there is no answer, and the word for that."""

    reason: str
    verdict: Verdict = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Two witnesses of the same call: the GIL itself, and a thread that asked for it meanwhile.

    All of it was seen while nobody could be made to give the GIL up (see `heartbeat.switch_interval`).
    """

    looks: int = 0
    """How often the GIL was looked at during the calls."""
    window_ns: int = 0
    """The time in which it was looked at."""
    released_ns: int = 0
    """For how long of it the calling thread did not have the GIL."""
    times_released: int = 0
    """How often it was seen to have let it go."""
    longest_hold_ns: int = 0
    """The longest unbroken hold that was seen, be it one call's or that of several in a row."""
    beats: int = 0
    """How often the heartbeat thread got the GIL during the calls."""
    beat_window_ns: int = 0
    """The time in which it tried."""
    longest_stall_ns: int = 0
    """The longest time for which it did not get it."""

    def __add__(self, other: Evidence) -> Evidence:
        """Both together."""
        return Evidence(
            looks=self.looks + other.looks,
            window_ns=self.window_ns + other.window_ns,
            released_ns=self.released_ns + other.released_ns,
            times_released=self.times_released + other.times_released,
            longest_hold_ns=max(self.longest_hold_ns, other.longest_hold_ns),
            beats=self.beats + other.beats,
            beat_window_ns=self.beat_window_ns + other.beat_window_ns,
            longest_stall_ns=max(self.longest_stall_ns, other.longest_stall_ns),
        )

    @property
    def released(self) -> Estimate | None:
        """The share of the calls' time without the GIL (Wilson's interval, Wilson 1927); None without looks."""
        if not self.looks or not self.window_ns:
            return None
        return wilson(self.released_ns / self.window_ns, self.looks)


def wilson(share: float, count: int) -> Estimate:
    """Wilson's score interval for a share that was seen in ``count`` looks."""
    z = 1.959964  # the normal distribution's quantile for LEVEL
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    low, high = max(0.0, min(centre - half, share)), min(1.0, max(centre + half, share))
    return Estimate(point=share, low=low, high=high, level=LEVEL, method="Wilson score over looks")


def judge(evidence: Evidence) -> tuple[Verdict, str]:
    """The verdict, and if it is inconclusive, why: the two witnesses must agree."""
    released = evidence.released
    if released is None or (evidence.looks < ENOUGH_LOOKS and evidence.times_released < ENOUGH_BEATS):
        return "inconclusive", f"the GIL could be looked at only {evidence.looks} times: the host is too busy"
    seen, felt = evidence.times_released > 0, evidence.beats > 0
    if not seen and not felt:
        return "holds", ""
    if seen and not felt:
        return "inconclusive", (
            f"the GIL was seen free {evidence.times_released} times in {evidence.looks} looks, "
            "but the heartbeat thread never got it"
        )
    if not seen:
        return "inconclusive", (
            f"the heartbeat thread got the GIL {evidence.beats} times, "
            f"but it was never seen free in {evidence.looks} looks"
        )
    return ("releases" if released.point >= RELEASES_FROM else "mixed"), ""


def is_firm(evidence: Evidence) -> bool:
    """Whether more evidence would hardly change the verdict."""
    verdict, _ = judge(evidence)
    released = evidence.released
    if verdict == "inconclusive" or released is None:
        return False
    return verdict == "holds" or released.low > RELEASES_FROM or released.high < RELEASES_FROM or evidence.looks > 5000
