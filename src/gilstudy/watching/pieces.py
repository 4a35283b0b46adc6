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

ENDED: Final = 6
"""In place of a state: the thread has ended."""
STATES: Final[tuple[State, ...]] = ("running", "ready", "waiting", "blocked", "off-cpu", "holding")
"""The native watch's states by number."""
SLEEPS: Final = ("waiting", "blocked", "off-cpu")

Change = tuple[int, int, int, int]
"""When, the holder (0: free, 1: the GIL is off), the interpreter's hand-off count, the holder's number in the list."""


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

    def __init__(self, changes: Iterable[Change], holders: Sequence[Hold], longest_gap_ns: int) -> None:
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


def pieces(looks: Sequence[Look], holds: Sequence[Stretch], thread: int, gil: Gil, end_ns: int) -> list[Piece]:
    """What a thread did, in order: neighbours alike are one, except holds.

    Args:
        looks: at this thread, oldest first.
        holds: when it held the GIL.
        thread: its place among the holders.
        gil: the GIL's record.
        end_ns: the end of the trace.
    """
    if not looks or looks[0].state == ENDED:
        return [(begin, end, "holding") for begin, end in holds]
    begin = looks[0].looked_ns
    told = [(b, e, s) for b, e, s in _Thread(holds, thread, gil).pieces(looks, end_ns) if e > b]
    end = told[-1][1] if told else begin
    before: list[Piece] = [(b, min(e, begin), "holding") for b, e in holds if b < begin]
    after: list[Piece] = [(max(b, end), e, "holding") for b, e in holds if e > end]
    return list(_joined([*before, *told, *after], {b for b, _ in holds}))


def process_pieces(looks: Sequence[Look], end_ns: int) -> list[Piece]:
    """What a child process did: it changed half-way between two looks."""
    told: list[Piece] = []
    for look, after in zip_longest(looks, looks[1:]):
        begin = look.looked_ns if look is looks[0] else (look.before_ns + look.looked_ns) // 2
        end = (after.before_ns + after.looked_ns) // 2 if after else end_ns
        if look.state != ENDED and end > begin:
            told.append((begin, end, STATES[look.state]))
    return list(_joined(told, set()))


def _joined(told: Iterable[Piece], cuts: set[int]) -> Iterator[Piece]:
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


class _Thread:
    """One thread's holds, and the kind of its last sleep."""

    def __init__(self, holds: Sequence[Stretch], thread: int, gil: Gil) -> None:
        self._holds = holds
        self._thread = thread
        self._gil = gil
        self._kind: State = "off-cpu"
        """The last sleep that was seen: one that lies wholly between two looks is taken to be of this kind."""

    def pieces(self, looks: Sequence[Look], end_ns: int) -> Iterator[Piece]:
        at, state = looks[0].looked_ns, STATES[looks[0].state]
        self._note_kind(state)
        for look in looks[1:]:
            # Woken, and without a CPU until now: that is known only now.
            early = max(0, look.ready_ns - max(0, look.looked_ns - look.before_ns - look.ran_ns))
            ready = max(at, look.before_ns - early) if state in SLEEPS else look.before_ns
            yield from self._steady(at, ready, state)
            yield from self._steady(ready, look.before_ns, "ready")
            if look.state == ENDED:
                if look.looked_ns - look.before_ns <= UNSEEN_AFTER_NS:
                    yield from self._steady(look.before_ns, (look.before_ns + look.looked_ns) // 2, state)
                return
            yield from self._between(look, state)
            at, state = look.looked_ns, STATES[look.state]
        yield from self._steady(at, end_ns, state)

    def _free(self, begin: int, end: int) -> Iterator[Piece]:
        """Holds and, as ``unknown``, what is left beside them."""
        first = max(0, bisect_right(self._holds, (begin, begin)) - 1)
        for hold_begin, hold_end in self._holds[first : bisect_left(self._holds, (end,))]:
            if hold_end > begin:
                yield begin, max(begin, hold_begin), "unknown"
                yield max(begin, hold_begin), min(end, hold_end), "holding"
                begin = min(end, hold_end)
        yield begin, end, "unknown"

    def _steady(self, begin: int, end: int, state: State) -> Iterator[Piece]:
        """One state between looks that all found it so. Who was seen to hold has let the GIL go only for a moment."""
        if begin >= end:
            return
        for b, e, held in self._free(begin, end):
            if held == "holding" or state != "holding":
                yield b, e, held if held == "holding" else state
            else:
                yield b, e, "waiting" if e < end and self._gil.is_taken(e) else "running"

    def _between(self, look: Look, state: State) -> Iterator[Piece]:
        """What happened between two looks, the first of which found ``state``."""
        begin, end, after = look.before_ns, look.looked_ns, STATES[look.state]
        parts = [part for part in self._free(begin, end) if part[1] > part[0]]
        free = sum(e - b for b, e, s in parts if s != "holding")
        held = end - begin - free
        run = min(max(0, look.ran_ns - held), free)
        ready = min(max(0, look.ready_ns - max(0, held - look.ran_ns)), free - run)
        if end - begin > UNSEEN_AFTER_NS and not self._is_proven(look, state, after, run, ready, free):
            yield from parts
            return
        for number, (b, e, held_or_not) in enumerate(parts):
            if held_or_not == "holding":
                yield b, e, "holding"
                continue
            is_first, is_last = number == 0, number == len(parts) - 1
            share = (e - b) / free
            yield from self._filled(
                b, e, state if is_first else "holding", after if is_last else "holding", run * share, ready * share
            )
        self._note_kind(after)

    def _note_kind(self, state: State) -> None:
        self._kind = state if state in SLEEPS else self._kind

    def _is_proven(self, look: Look, state: State, after: State, run: int, ready: int, free: int) -> bool:
        if look.ran_ns == 0 and look.ready_ns == 0 and state in SLEEPS and after in (state, "ready"):
            return True  # it has not run: it is the same sleep
        if 4 * run >= 3 * free:
            return True
        is_steady = state == after in SLEEPS and 4 * (run + ready) <= free
        return is_steady and self._gil.is_elsewhere(self._thread, look.before_ns, look.looked_ns)

    def _filled(self, begin: int, end: int, left: State, right: State, run: float, ready: float) -> Iterator[Piece]:
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
            yield round(at), round(at + length), state
            at += length
