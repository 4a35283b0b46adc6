"""What a probe saw of a call, and what follows from it. Nothing here measures."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final, Literal

from gilstudy.probing.shares import LEVEL, share_of
from gilstudy.stats import Estimate, student_quantile

Verdict = Literal["releases", "holds", "mixed", "inconclusive", "not-judged", "not-applicable"]

RELEASES_FROM: Final = 0.5
"""A call during which the GIL is free for this share of its time, or more, releases it; if for less, it is mixed."""
INSTANT_NS: Final = 50_000
INSTANT_SHARE: Final = 1 / 3
"""If it is free for less than both in the usual call, it is so but for an instant: waking a thread takes as long."""
OTHERS_FROM: Final = 0.05
"""If the call's own threads hold the GIL for this share of its time, and it is not free for most, they do the work."""
OTHERS_MUCH: Final = 0.2
OTHERS_PART: Final = 0.5
"""If they hold it for this share, and for this part of the CPU time that they use, they may well do."""
HELPERS_FROM: Final = 0.05
HELPERS_PART: Final = 0.25
"""Other threads do a part of the work if they use CPUs for such a share of the time, and of what the caller uses."""
ENOUGH_LOOKS: Final = 100
"""Looks without which a share near the border between two verdicts decides nothing."""
FEWEST_LOOKS: Final = 12
FEWEST_VOTES: Final = 5
LONG_RELEASE_NS: Final = 5_000_000
"""A thread that asks every half millisecond gets the GIL when it is free for so long."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why there is no answer, and the word for that."""

    reason: str
    verdict: Verdict = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Three witnesses of the same calls: a mark on the caller's hold, looks at the GIL, and a thread that asked for it.

    All of it was seen while nobody could be made to give the GIL up (see `heartbeat.switch_interval`).
    """

    calls: int = 0
    """How many calls began with a mark on the GIL, which is gone once it is let go, be it for an instant: exact."""
    calls_released: int = 0
    """In how many of them the mark was gone at the end."""
    window_ns: int = 0
    """The time within these calls."""
    calls_looked: int = 0
    """In how many of them the GIL was looked at."""
    times_released: int = 0
    """How often it was let go in those, at the least: once for the mark, or as often as looks saw it."""
    looks: int = 0
    """How many looks at the GIL fell into it, and came when they were due. Late ones are no fair sample: what keeps the
    watch from a CPU often has to do with what the call does. If there are enough of them without those at calls that
    the host kept from a CPU, these are left out."""
    looks_late: int = 0
    """How many more came late."""
    looks_free: int = 0
    """How many of ``looks`` found that nobody had the GIL."""
    looks_others: int = 0
    """How many found it with other threads of this process."""
    looks_effective: float = 0.0
    """How many independent looks would be worth as much: see `shares.independent`."""
    votes: int = 0
    """How many calls were looked at on time. Each has one vote: the share of its looks that found the GIL free.
    A call that the host has stretched, by taking the CPU away from it, has many looks and one vote."""
    votes_free: float = 0.0
    """The sum of the votes."""
    votes_squared: float = 0.0
    """The sum of their squares."""
    looks_against: int = 0
    """How many found that the caller had let go in a call whose mark says that it did not."""
    longest_hold_ns: int = 0
    """The longest time within a call in which it was not seen to let go."""
    longest_release_ns: int = 0
    """The longest time within a call in which no look found the GIL with the caller."""
    looked_ns: int = 0
    """The time of the phases in which the GIL was looked at, what is between calls included."""
    cpu_ns: int = 0
    """The CPU time that the caller used in these phases."""
    others_cpu_ns: int = 0
    """The CPU time that other threads of this process used in them, ours left out."""
    beats: int = 0
    """How often the heartbeat thread got the GIL during the calls."""
    beat_window_ns: int = 0
    """The time in which it tried."""
    longest_stall_ns: int = 0
    """The longest time within a call for which it did not get it."""

    def __add__(self, other: Evidence) -> Evidence:
        """Both together."""
        longest = ("longest_hold_ns", "longest_release_ns", "longest_stall_ns")
        return Evidence(
            **{
                name: max(own, its) if name in longest else own + its
                for name in Evidence.__dataclass_fields__
                for own, its in [(getattr(self, name), getattr(other, name))]
            }
        )

    def with_looks_of(self, other: Evidence) -> Evidence:
        """The same, with another's looks that were on time."""
        names = (*("looks", "looks_free", "looks_others", "looks_effective"), *("votes", "votes_free", "votes_squared"))
        return replace(self, **{name: getattr(other, name) for name in names})

    @property
    def released(self) -> Estimate | None:
        """The share of the calls' time for which the GIL was free; None without looks."""
        if not self.looks:
            return None
        return share_of(self.looks_free / self.looks, self.looks_effective or 1.0)

    @property
    def others(self) -> float:
        """The share of the calls' time in which threads of their own had the GIL."""
        return self.looks_others / self.looks if self.looks else 0.0

    @property
    def is_done_by_others(self) -> bool:
        """Whether threads of the call's own do its work, and have the GIL meanwhile."""
        return self.others >= OTHERS_FROM and self.looks_free < RELEASES_FROM * self.looks

    @property
    def may_be_done_by_others(self) -> bool:
        """Whether that cannot be told: the GIL is free, perhaps because the host keeps them waiting for a CPU."""
        held_ns = self.others * self.call_ns * self.calls_looked
        return self.others >= OTHERS_MUCH and held_ns >= OTHERS_PART * self.others_cpu_ns

    @property
    def has_helpers(self) -> bool:
        """Whether other threads do a part of the work that matters."""
        helped = self.others_cpu_ns
        return helped > HELPERS_FROM * self.looked_ns and helped > HELPERS_PART * self.cpu_ns

    @property
    def call_ns(self) -> float:
        """How long a call took, on average."""
        return self.window_ns / self.calls if self.calls else 0.0


def judge(evidence: Evidence) -> tuple[Verdict, str]:
    """The verdict, and why there is none: the witnesses must not contradict each other."""
    if not evidence.calls:
        return "inconclusive", "no call came to its end"
    if not evidence.calls_released:
        return _judge_held(evidence)
    released = evidence.released
    if released is None or evidence.looks < FEWEST_LOOKS:
        return "inconclusive", _too_few(evidence)
    if evidence.is_done_by_others:
        return "not-judged", (
            f"it works in threads of its own, which had the GIL for {evidence.others:.0%} of the call's time"
        )
    if evidence.may_be_done_by_others:
        return "inconclusive", (
            f"threads of its own had the GIL for {evidence.others:.0%} of the call's time: "
            "whether they do its work with it cannot be told, the host is too busy"
        )
    if is_for_an_instant(evidence):
        return "holds", ""
    if evidence.longest_release_ns >= LONG_RELEASE_NS and evidence.beat_window_ns and not evidence.beats:
        return "inconclusive", (
            f"the GIL was seen free for {evidence.longest_release_ns / 1e6:.0f} ms, "
            "but the heartbeat thread never got it"
        )
    if evidence.looks < ENOUGH_LOOKS and released.low < RELEASES_FROM <= released.high:
        return "inconclusive", _too_few(evidence)
    return ("releases" if released.point >= RELEASES_FROM else "mixed"), ""


def _judge_held(evidence: Evidence) -> tuple[Verdict, str]:
    """Of calls none of which let go, by the mark."""
    if evidence.beats:
        return "inconclusive", (
            f"the heartbeat thread got the GIL {evidence.beats} times, "
            f"but the call was never found to let it go in {evidence.calls} calls"
        )
    if evidence.looks_against:
        return "inconclusive", (
            f"the GIL was seen free {evidence.looks_against} times in {evidence.looks + evidence.looks_late} looks, "
            f"but the call was never found to let it go in {evidence.calls} calls"
        )
    return "holds", ""


def _too_few(evidence: Evidence) -> str:
    every = evidence.looks + evidence.looks_late
    if evidence.looks_late > evidence.looks:
        return f"of {every} looks at the GIL {evidence.looks} were on time: the host is too busy"
    return f"the GIL could be looked at only {evidence.looks} times during the calls: they are too short, or too few"


def is_for_an_instant(evidence: Evidence) -> bool:
    """Whether the usual call lets the GIL go, and nothing shows that it is for more than an instant."""
    if not evidence.calls_released or not evidence.votes:
        return False
    usual, least = _usual(evidence)
    return usual < INSTANT_SHARE and least * evidence.call_ns < INSTANT_NS


def _usual(evidence: Evidence) -> tuple[float, float]:
    """The share of a call's time for which the GIL is free, of all calls alike: the mean, and its lower limit."""
    count, released = evidence.votes, evidence.released
    mean = evidence.votes_free / count
    if count < FEWEST_VOTES:
        return mean, released.low if released else 0.0
    variance = max(0.0, evidence.votes_squared - count * mean * mean) / (count - 1)
    return mean, mean - student_quantile((1 + LEVEL) / 2, count - 1) * math.sqrt(variance / count)


def is_firm(evidence: Evidence) -> bool:
    """Whether more evidence would hardly change the verdict."""
    verdict, _ = judge(evidence)
    released = evidence.released
    if verdict == "holds" and not evidence.calls_released:
        return True
    if verdict == "inconclusive" or released is None:
        return False
    if verdict == "not-judged" or evidence.looks > 5000:
        return evidence.looks >= ENOUGH_LOOKS
    if verdict == "holds":
        return evidence.looks >= ENOUGH_LOOKS and _usual(evidence)[0] * evidence.call_ns < INSTANT_NS
    return not released.low < RELEASES_FROM <= released.high and evidence.looks >= FEWEST_LOOKS
