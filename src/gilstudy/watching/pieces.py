"""What one thread did, from looks at it and from the GIL's own record: states without a gap, and where it was not seen.

A look says what the thread does at that moment, how long it has been on a CPU and how long it has waited for one since
the look before: by the kernel's clocks, exactly. So of the time between two looks it is known how much of it the thread
slept; when, and why, by the states at its ends and the GIL's record. Where two looks are too
far apart for that, and neither clock nor record proves what the thread did, it is ``unknown``.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise, zip_longest
from typing import Final, NamedTuple

from gilstudy.watching.trace import FREE, OFF, UNKNOWN, Hold, Piece, State, Stretch

UNSEEN_AFTER_NS: Final = 10_000_000
"""Two looks at a thread that are further apart than this do not tell by themselves what it did between them."""

REACH: Final = 4
"""Stretches between two looks among which time on a CPU is moved to agree with holds, which are seen less exactly."""

ENDED: Final = 6
"""In place of a state: the thread has ended."""
STATES: Final[tuple[State, ...]] = ("running", "ready", "waiting", "blocked", "off-cpu", "holding")
"""The native watch's states by number."""
SLEEPS: Final = ("waiting", "blocked", "off-cpu")

Change = tuple[int, int, int, int]
"""When, the holder (0: free, 1: the GIL is off), the interpreter's hand-off count, the holder's number in the list."""


Queue = tuple[int, int]
"""When, and how many threads wait for the GIL from then on; -1: it is not known."""


class Look(NamedTuple):
    """One look at a thread or process that told something new."""

    lane: int
    """The number of what was looked at."""
    state: int
    before_ns: int
    """When it was looked at before; until then it had done what the `Look` before says."""
    looked_ns: int
    ran_ns: int
    """CPU time used between the two."""
    ready_ns: int
    """Time for which it waited for a CPU, if it has got one since; part of it may lie before ``before_ns``."""
    cpu_ns: int
    delay_ns: int
    slices: int
    """CPU time, CPU waiting time and turns on a CPU in all."""


class Gil:
    """The GIL's record, and where it has holes."""

    def __init__(
        self, changes: Iterable[Change], holders: Sequence[Hold], longest_gap_ns: int, period_ns: int = 0
    ) -> None:
        self.unsure_ns = 4 * period_ns
        """What both ends of a hold together may be wrong by: looks are up to two periods apart."""
        self._holders = holders
        self._begins = [begin for begin, _, _ in holders]
        self._holes = [
            (before[0], after[0] + longest_gap_ns // 2)  # a change is noted half-way between two looks
            for before, after in pairwise(changes)
            if after[2] - before[2] > (after[1] > 1)  # also one to somebody who let it go before the look
        ]

    def is_taken(self, begin_ns: int) -> bool:
        """Whether the hold that begins then follows another's at once: whoever got it had waited for it."""
        place = bisect_left(self._begins, begin_ns)
        return 0 < place < len(self._holders) and self._holders[place - 1][2] not in (FREE, OFF)

    def is_elsewhere(self, thread: int, begin_ns: int, end_ns: int) -> bool:
        """Whether it is proven that ``thread`` did not get the GIL in this time.

        Each time that it goes to another thread is counted by the interpreter. All of them must have been seen; and the
        last one to have it before must be another, since taking it back is not counted.
        """
        if not self._holders:
            return True
        if begin_ns < self._begins[0]:
            return False
        hole = bisect_left(self._holes, (end_ns,))
        if hole and self._holes[hole - 1][1] > begin_ns:
            return False
        first, end = bisect_right(self._begins, begin_ns) - 1, bisect_left(self._begins, end_ns)
        seen = {holder for _, _, holder in self._holders[first:end]}
        while first and self._holders[first][2] == FREE:
            first -= 1
        last = self._holders[first][2]
        return not {UNKNOWN if last == FREE else last, *seen} & {thread, UNKNOWN}


class Glimpse(NamedTuple):
    """What was seen of some of a thread's time: what it did, or how much of what."""

    begin_ns: int
    end_ns: int
    state: State
    """``unknown`` where it is not known when it did what."""
    asleep: float = 0.0
    """The share of it in which it slept, though what for is a guess; 0: nothing is guessed."""
    ran: float = 0.0
    ready: float = 0.0
    """Of an ``unknown`` part that is known by the clocks: the shares in which it ran, and waited for a CPU."""


def parts(looks: Sequence[Look], holds: Sequence[Stretch], thread: int, gil: Gil, end_ns: int) -> list[Glimpse]:
    """What a thread did, in order.

    Args:
        looks: at this thread, oldest first.
        holds: when it held the GIL.
        thread: its place among the holders.
        gil: the GIL's record.
        end_ns: the end of the trace.
    """
    if not looks or looks[0].state == ENDED:
        return [Glimpse(begin, end, "holding") for begin, end in holds]
    begin = looks[0].looked_ns
    told = [part for part in _Thread(holds, thread, gil).parts(looks, end_ns) if part.end_ns > part.begin_ns]
    end = told[-1].end_ns if told else begin
    before = [Glimpse(b, min(e, begin), "holding") for b, e in holds if b < begin]
    after = [Glimpse(max(b, end), e, "holding") for b, e in holds if e > end]
    return [*before, *told, *after]


def process_pieces(looks: Sequence[Look], end_ns: int) -> list[Piece]:
    """What a child process did: it changed half-way between two looks."""
    told: list[Piece] = []
    for look, after in zip_longest(looks, looks[1:]):
        begin = look.looked_ns if look is looks[0] else (look.before_ns + look.looked_ns) // 2
        end = (after.before_ns + after.looked_ns) // 2 if after else end_ns
        if look.state != ENDED and end > begin:
            told.append((begin, end, STATES[look.state]))
    return list(joined(told, set()))


def joined(told: Iterable[Piece], cuts: set[int]) -> Iterator[Piece]:
    """Neighbours alike as one, except holds that begin at one of the ``cuts``."""
    last: Piece | None = None
    for piece in told:
        if last and last[2] == piece[2] and last[1] == piece[0] and not (piece[2] == "holding" and piece[0] in cuts):
            last = (last[0], piece[1], piece[2])
            continue
        if last:
            yield last
        last = piece
    if last:
        yield last


def _pay(most: int, owed: list[int]) -> int:
    """Takes up to so much of what is owed, from the first on. Returns how much it took."""
    left = most
    for place, each in enumerate(owed):
        owed[place] -= min(left, each)
        left -= min(left, each)
    return most - left


class _Thread:
    """One thread's holds, and the kind of its last sleep."""

    def __init__(self, holds: Sequence[Stretch], thread: int, gil: Gil) -> None:
        self._holds = holds
        self._thread = thread
        self._gil = gil
        self._kind: State = "off-cpu"
        """The last sleep that was seen: one that lies wholly between two looks is taken to be of this kind."""

    def parts(self, looks: Sequence[Look], end_ns: int) -> Iterator[Glimpse]:
        at, state = looks[0].looked_ns, STATES[looks[0].state]
        self._note_kind(state)
        for look, (run, ready_ns) in zip(looks[1:], self._awake(looks[1:]), strict=True):
            # Woken, and without a CPU until now: that is known only now.
            early = max(0, look.ready_ns - max(0, look.looked_ns - look.before_ns - look.ran_ns))
            ready = max(at, look.before_ns - early) if state in SLEEPS else look.before_ns
            yield from self._steady(at, ready, state)
            yield from self._steady(ready, look.before_ns, "ready")
            if look.state == ENDED:
                if look.looked_ns - look.before_ns <= UNSEEN_AFTER_NS:
                    yield from self._steady(look.before_ns, (look.before_ns + look.looked_ns) // 2, state)
                return
            yield from self._between(look, state, run, ready_ns)
            at, state = look.looked_ns, STATES[look.state]
        yield from self._steady(at, end_ns, state)

    def _awake(self, looks: Sequence[Look]) -> list[list[int]]:
        """How long before each look it ran, and waited for a CPU, beside its holds.

        When a hold began and ended is known to half the time between two looks at the GIL: what is too much for the
        clocks in one stretch was in the next one, or in the one before.
        """
        holds = [self._held(look.before_ns, look.looked_ns) for look in looks]
        told = [
            [max(0, look.ran_ns - held), max(0, look.ready_ns - max(0, held - look.ran_ns))]
            for look, held in zip(looks, holds, strict=True)
        ]
        over = [
            min(max(0, held - look.ran_ns - look.ready_ns), self._gil.unsure_ns)
            for look, held in zip(looks, holds, strict=True)
        ]
        follows = [before.looked_ns == look.before_ns for before, look in pairwise(looks)]
        for distance in range(1, REACH + 1):
            for place in range(len(looks) - distance):
                if all(follows[place : place + distance]):
                    over[place] -= _pay(over[place], told[place + distance])
                    over[place + distance] -= _pay(over[place + distance], told[place])
        return told

    def _held(self, begin: int, end: int) -> int:
        return sum(e - b for b, e, state in self._free(begin, end) if state == "holding")

    def _free(self, begin: int, end: int) -> Iterator[Piece]:
        """Holds and, as ``unknown``, what is left beside them."""
        first = max(0, bisect_right(self._holds, (begin, begin)) - 1)
        for hold_begin, hold_end in self._holds[first : bisect_left(self._holds, (end,))]:
            if hold_end > begin:
                yield begin, max(begin, hold_begin), "unknown"
                yield max(begin, hold_begin), min(end, hold_end), "holding"
                begin = min(end, hold_end)
        yield begin, end, "unknown"

    def _steady(self, begin: int, end: int, state: State) -> Iterator[Glimpse]:
        """One state between looks that all found it so. Who was seen to hold has let the GIL go only for a moment."""
        if begin >= end:
            return
        for b, e, held in self._free(begin, end):
            if held == "holding" or state != "holding":
                yield Glimpse(b, e, held if held == "holding" else state)
            else:
                yield Glimpse(b, e, "waiting" if e < end and self._gil.is_taken(e) else "running")

    def _between(self, look: Look, state: State, run: int, ready: int) -> Iterator[Glimpse]:
        """What happened between two looks, the first of which found ``state``."""
        begin, end, after = look.before_ns, look.looked_ns, STATES[look.state]
        spans = [one for one in self._free(begin, end) if one[1] > one[0]]
        free = sum(e - b for b, e, s in spans if s != "holding")
        run = min(run, free)
        ready = min(ready, free - run)
        is_same = self._is_same_sleep(look, state, after, run + ready, free)
        is_seen = is_same or end - begin <= UNSEEN_AFTER_NS or 4 * run >= 3 * free
        for number, (b, e, held_or_not) in enumerate(spans):
            if held_or_not == "holding":
                yield Glimpse(b, e, "holding")
            elif not is_seen:
                yield Glimpse(b, e, "unknown", asleep=(free - run - ready) / free, ran=run / free, ready=ready / free)
            else:
                left: State = state if number == 0 else "holding"
                right: State = after if number == len(spans) - 1 else "holding"
                share = (e - b) / free
                filled = self._filled(b, e, left, right, run * share, ready * share)
                yield from (part._replace(asleep=0.0) for part in filled) if is_same else filled
        if is_seen:
            self._note_kind(after)

    def _note_kind(self, state: State) -> None:
        self._kind = state if state in SLEEPS else self._kind

    def _is_same_sleep(self, look: Look, state: State, after: State, awake: int, free: int) -> bool:
        """Whether it is proven that both looks found it in the same sleep, or in another like it."""
        if look.ran_ns == 0 and look.ready_ns == 0 and state in SLEEPS and after in (state, "ready"):
            return True
        is_steady = state == after in SLEEPS and 4 * awake <= free
        return is_steady and self._gil.is_elsewhere(self._thread, look.before_ns, look.looked_ns)

    def _filled(self, begin: int, end: int, left: State, right: State, run: float, ready: float) -> Iterator[Glimpse]:
        """A stretch without the GIL, from one state to another: so much running, so much ready, the rest asleep.

        ``holding`` at an end means that a hold lies there.
        """
        sleep = end - begin - run - ready
        last: State = right if right in (*SLEEPS, "ready") else left if left in SLEEPS else self._kind
        if right == "holding" and self._gil.is_taken(end):
            last = "waiting"
        first = left if left in SLEEPS else last
        runs_first = run / 2 if left == right == "running" else run if left in ("running", "holding") else 0
        rests_first = 0 if left in ("running", "holding") else sleep / 2
        rests_last = sleep / 2 if right in (*SLEEPS, "ready") and rests_first else 0
        order: list[tuple[State, float]]
        if left == "ready":
            order = [("ready", ready), ("running", run), (last, sleep)]
        elif runs_first:
            order = [("running", runs_first), ("ready", ready), (last, sleep), ("running", run - runs_first)]
        elif rests_last:
            order = [(first, rests_first), ("ready", ready), ("running", run), (last, rests_last)]
        else:
            order = [(first, rests_first), (last, sleep - rests_first), ("ready", ready), ("running", run)]
        at = float(begin)
        for state, length in order:
            yield Glimpse(round(at), round(at + length), state, asleep=1.0 if state in SLEEPS else 0.0)
            at += length
