"""Who waited for the GIL, how long, and while who held it; where in a trace most of that is."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, NamedTuple

from gilstudy.watching.trace import FREE, OFF, Hold, Lane, State, Stretch, Trace

CANDIDATES: Final = 4096
"""Beginnings of a stretch that are compared, at most: all that can be the best if there are not more."""


class Wait(NamedTuple):
    """One wait of a thread for the GIL."""

    begin_ns: int
    end_ns: int
    is_whole: bool
    """Whether both its ends were seen; if not, it lasted at least so long."""

    @property
    def length_ns(self) -> int:
        """How long it was seen to last."""
        return self.end_ns - self.begin_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """A hold, by what others waited meanwhile."""

    waited_ns: int
    """The longest that one other thread waited during this hold."""
    waiter: str
    holder: str
    begin_ns: int
    """When that wait, or the hold if it came later, began."""


def waits(lane: Lane, holders: Sequence[Hold]) -> list[Wait]:
    """The waits of a thread for the GIL, in order, each from its asking to its getting it.

    A wait begins with a ``waiting`` piece and ends where the thread holds the GIL or does anything else, except that it
    goes on

    - across ``ready`` pieces, if the thread then waits on or gets the GIL: it was woken, and the CPU came late;
    - across ``running``, ``off-cpu`` and ``unknown`` pieces during which another thread held the GIL without a break,
      if it then waits on or gets the GIL: nothing but getting it ends a wait, and who waits wakes up at every switch
      interval to ask again.

    A wait that borders on what was not seen, or on an end of the lane, is not whole. A thread that gets the GIL between
    two looks and asks again at once is seen to wait all the while.

    Args:
        lane: the thread.
        holders: who held the GIL (`Trace.holders`).
    """
    found: list[Wait] = []
    begin = end = last = -1
    is_whole = is_told = False  # is_told: something known joins on before
    for piece_begin, piece_end, state in lane.pieces:
        joins = piece_begin == last
        last = piece_end
        if begin >= 0 and joins and _goes_on(state, piece_begin, piece_end, holders):
            continue
        if begin >= 0 and not (joins and state == "waiting"):
            got = joins and state == "holding"
            found.append(Wait(begin, piece_begin if got else end, is_whole and joins and state != "unknown"))
            begin = -1
        if state == "waiting":
            if begin < 0:
                begin, is_whole = piece_begin, joins and is_told
            end = piece_end
        is_told = state != "unknown"
    if begin >= 0:
        found.append(Wait(begin, end, False))
    return found


def _goes_on(state: State, begin: int, end: int, holders: Sequence[Hold]) -> bool:
    """Whether a wait may go on across such a piece; whether it does, the next one tells."""
    if state == "ready":
        return True
    if state not in ("running", "off-cpu", "unknown"):
        return False
    place = bisect_right(holders, begin, key=_begin) - 1
    return place >= 0 and holders[place][1] >= end and holders[place][2] not in (FREE, OFF)


def worst_stall(trace: Trace, waits_of: Sequence[Sequence[Wait]]) -> Stall | None:
    """The hold during which another thread waited longest; None if nobody was seen to wait for anybody.

    Args:
        trace: what was seen.
        waits_of: the `waits` of each of its lanes.
    """
    anybody = merged((wait.begin_ns, wait.end_ns) for own in waits_of for wait in own)
    best: Stall | None = None
    held = ((begin, end, holder) for begin, end, holder in trace.holders if holder not in (FREE, OFF))
    for begin, end, holder in sorted(held, key=lambda hold: hold[0] - hold[1]):
        reached = best.waited_ns if best else 0
        if end - begin <= reached:
            break
        if _longest_within(anybody, begin, end)[0] <= reached:
            continue
        for place, own in enumerate(waits_of):
            waited, at = _longest_within(own, begin, end)
            if waited > reached and place != holder:
                reached = waited
                names = {"waiter": trace.lanes[place].name, "holder": trace.holder_name(holder)}
                best = Stall(waited_ns=waited, begin_ns=at, **names)
    return best


def _longest_within(stretches: Sequence[Stretch] | Sequence[Wait], begin: int, end: int) -> tuple[int, int]:
    """The longest part of one of the ordered, separate ``stretches`` from ``begin`` to ``end``, and where it begins."""
    longest = (0, begin)
    for place in range(max(0, bisect_right(stretches, begin, key=_begin) - 1), len(stretches)):
        if stretches[place][0] >= end:
            break
        at = max(begin, stretches[place][0])
        longest = max(longest, (min(end, stretches[place][1]) - at, at))
    return longest


def _begin(stretch: Stretch | Hold | Wait) -> int:
    return stretch[0]


def busiest_stretch(trace: Trace, length_ns: int) -> Stretch:
    """Of all stretches of this length that in which most waiting for the GIL was seen, summed over the threads.

    If nobody waited: that in which the GIL was held most. Of several alike the one that is nearest to the middle; what
    was found is put in the middle of it.
    """
    waiting = [(b, e) for lane in trace.lanes for b, e, state in lane.pieces if state == "waiting"]
    held = [(b, e) for b, e, holder in trace.holders if holder not in (FREE, OFF)]
    middle = (trace.begin_ns + trace.end_ns - length_ns) // 2
    last = trace.end_ns - length_ns
    totals = _Totals(waiting or held)
    edges = totals.edges[:: max(1, 2 * len(totals.edges) // CANDIDATES)]
    candidates = {middle, *edges, *(edge - length_ns for edge in edges)}
    starts = (at for at in candidates if trace.begin_ns <= at <= last)
    best = max(starts, key=lambda at: (totals.before(at + length_ns) - totals.before(at), -abs(at - middle)))
    inside = [edge for edge in totals.edges if best <= edge <= best + length_ns]
    if inside and not totals.at(best) and not totals.at(best + length_ns):
        best = max(trace.begin_ns, min(last, (inside[0] + inside[-1] - length_ns) // 2))
    return best, best + length_ns


class _Totals:
    """How much of many stretches, which may overlap, lies before a time."""

    def __init__(self, stretches: Iterable[Stretch]) -> None:
        steps: dict[int, int] = {}
        for begin, end in stretches:
            steps[begin] = steps.get(begin, 0) + 1
            steps[end] = steps.get(end, 0) - 1
        self.edges = sorted(steps)
        self._counts = list(accumulate(steps[edge] for edge in self.edges))
        lengths = (after - edge for edge, after in zip(self.edges, self.edges[1:], strict=False))
        parts = (count * length for count, length in zip(self._counts, lengths, strict=False))
        self._totals = list(accumulate(parts, initial=0))

    def at(self, at: int) -> int:
        """How many stretches there are at a time."""
        place = bisect_right(self.edges, at) - 1
        return self._counts[place] if place >= 0 else 0

    def before(self, at: int) -> int:
        """How much of them lies before it."""
        place = bisect_left(self.edges, at) - 1
        return self._totals[place] + self._counts[place] * (at - self.edges[place]) if place >= 0 else 0


def merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The union of ``stretches``, in order."""
    union: list[Stretch] = []
    for begin, end in sorted(stretches):
        if union and begin <= union[-1][1]:
            union[-1] = (union[-1][0], max(end, union[-1][1]))
        else:
            union.append((begin, end))
    return union


def overlaps(one: Sequence[Stretch], other: Sequence[Stretch]) -> list[Stretch]:
    """Where both lists of ordered, separate stretches are in one at once."""
    found: list[Stretch] = []
    mine = theirs = 0
    while mine < len(one) and theirs < len(other):
        begin, end = max(one[mine][0], other[theirs][0]), min(one[mine][1], other[theirs][1])
        if begin < end:
            found.append((begin, end))
        if one[mine][1] < other[theirs][1]:
            mine += 1
        else:
            theirs += 1
    return found


def overlap(one: Sequence[Stretch], other: Sequence[Stretch]) -> int:
    """For how long that is so."""
    return sum(end - begin for begin, end in overlaps(one, other))
