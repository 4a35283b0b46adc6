"""What the witnesses saw within calls: glances at the GIL, and beats of the heartbeat. Nothing here measures."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

from gilstudy.probing.evidence import Evidence
from gilstudy.probing.shares import independent

ON_TIME_NS: Final = 100_000
"""A look that comes later than it was due by more than this is not counted in shares."""

USUAL: Final = 4
SWITCHING_NS: Final = 50_000
"""A call that uses so many times the usual CPU time, and so much for being switched out and in, is an unusual one."""

Glance = tuple[int, int, int, int]
"""When it was due, the times just before and after it, and who had the GIL (see `_gilwatch.Glances.kept`)."""
FREE: Final = 0
HELD, OPEN, OTHERS = range(3)
"""What a glance found: the caller had the GIL, nobody had it, or another thread of the process."""


class Made(NamedTuple):
    """One call that was made."""

    begin_ns: int
    end_ns: int
    let_go: bool
    """Whether the caller has let the GIL go, be it for an instant."""
    cpu_ns: int = 0
    """The CPU time that the caller used."""
    preemptions: int = 0
    """How often the system took the CPU away from it."""


class Sight(NamedTuple):
    """What the looks that were on time found, in their order, and all that follows from them."""

    states: Sequence[int]
    evidence: Evidence

    def __add__(self, other: Sight) -> Sight:  # type: ignore[override]
        """Both, one after the other."""
        states = (*self.states, *other.states)
        both = self.evidence + other.evidence
        return Sight(states, replace(both, looks_effective=independent([int(state == OPEN) for state in states])))


def seen_in(glances: Sequence[Glance], spans: Sequence[Made], caller: int) -> Sight:
    """What glances within calls found.

    Args:
        glances: in order.
        spans: the calls, in order.
        caller: the calling thread, as glances tell it.
    """
    states: list[int] = []
    votes: list[float] = []
    late = against = times = longest_hold = longest_release = 0
    befores = [glance[1] for glance in glances]
    for span in spans:
        within = [
            (glance, HELD if glance[3] == caller else OPEN if glance[3] == FREE else OTHERS)
            for glance in glances[bisect_left(befores, span.begin_ns) : bisect_right(befores, span.end_ns)]
            if glance[2] <= span.end_ns
        ]
        on_time = [state for glance, state in within if glance[2] - glance[0] <= ON_TIME_NS]
        states += on_time
        if on_time:
            votes.append(on_time.count(OPEN) / len(on_time))
        late += len(within) - len(on_time)
        held, freed, runs = _runs(within)
        if span.let_go:
            times += max(1, runs)
            longest_hold = max(longest_hold, held)
            longest_release = max(longest_release, freed)
        else:
            against += sum(state != HELD for _, state in within)
            longest_hold = max(longest_hold, span.end_ns - span.begin_ns)
    free = [int(state == OPEN) for state in states]
    return Sight(
        states,
        Evidence(
            calls=len(spans),
            calls_released=sum(span.let_go for span in spans),
            calls_looked=len(spans) if glances else 0,
            times_released=times if glances else 0,
            window_ns=sum(span.end_ns - span.begin_ns for span in spans),
            looks=len(states),
            looks_late=late,
            looks_free=sum(free),
            looks_others=states.count(OTHERS),
            looks_effective=independent(free),
            votes=len(votes),
            votes_free=sum(votes),
            votes_squared=sum(vote * vote for vote in votes),
            looks_against=against,
            longest_hold_ns=longest_hold,
            longest_release_ns=longest_release,
        ),
    )


def undisturbed(spans: Sequence[Made]) -> Sequence[Made]:
    """The calls that are as they would be on an idle host.

    What is left out was preempted, and used no more of a CPU than is usual: that it took longer is the host's doing.
    """
    if not any(span.preemptions for span in spans):
        return spans
    most_ns = USUAL * median(span.cpu_ns for span in spans) + SWITCHING_NS
    return [span for span in spans if not span.preemptions or span.cpu_ns > most_ns]


def _runs(within: Sequence[tuple[Glance, int]]) -> tuple[int, int, int]:
    """The longest time from look to look with the GIL held by the caller, without, and how many runs without."""
    longest, runs = [0, 0], 0
    begin = before = -1
    for glance, state in within:
        now = int(state != HELD)
        if now != before:
            begin, before = glance[2], now
            runs += now
        longest[now] = max(longest[now], glance[1] - begin)
    return longest[0], longest[1], runs


def felt_in(beats: Sequence[int], spans: Sequence[Made]) -> Evidence:
    """What the heartbeat felt, whose beats came at these times, in order."""
    count = longest = 0
    for span in spans:
        within = beats[bisect_right(beats, span.begin_ns) : bisect_left(beats, span.end_ns)]
        count += len(within)
        edges = (span.begin_ns, *within, span.end_ns)
        longest = max(longest, *(after - before for before, after in pairwise(edges)))
    return Evidence(
        beats=count, beat_window_ns=sum(span.end_ns - span.begin_ns for span in spans), longest_stall_ns=longest
    )
