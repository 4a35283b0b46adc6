"""How many threads waited for the GIL, at each time, against what is guessed of each.

Between two looks at a thread its clocks say how long it slept, not what for: that is guessed from the GIL's record. How
many waited is known better, from each look at the GIL. So the guesses are made to agree with it: those for whom it was
guessed that they waited did, as far as the number goes round; where it is greater, so did others that slept.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

from gilstudy.watching.pieces import Glimpse, Queue, joined
from gilstudy.watching.trace import Piece, State, Stretch


class Settled(NamedTuple):
    """What one thread did."""

    pieces: list[Piece]
    unplaced_ns: dict[State, int]
    """For how long it did what in ``unknown`` pieces, where that is known, though not when."""


class Thread(NamedTuple):
    """What is known of one thread."""

    parts: Sequence[Glimpse]
    holds: Sequence[Stretch]
    """When it held the GIL."""
    may_wait: bool
    """Whether it is one of Python's, and may wait for the GIL."""


def settled(threads: Sequence[Thread], queues: Sequence[Queue]) -> list[Settled]:
    """The guesses made to agree with the queue; as they are if the queue is not known throughout.

    Args:
        threads: all of them.
        queues: how many waited, oldest first.
    """
    shares = None
    if queues and all(count >= 0 for _, count in queues):
        shares = _shares((part for thread in threads if thread.may_wait for part in thread.parts), queues)
    return [_told(thread, shares if thread.may_wait else None) for thread in threads]


def _told(thread: Thread, shares: _Shares | None) -> Settled:
    told: list[Piece] = []
    unplaced: dict[State, int] = {}
    for part in thread.parts:
        begin, end, state = part[:3]
        if part.asleep == 0.0 or shares is None:
            told.append((begin, end, state))
            continue
        waited = round(min(part.asleep * (end - begin), part.asleep * shares.waited(part)))
        if state == "unknown":
            told.append((begin, end, state))
            slept = round(part.asleep * (end - begin)) - waited
            amounts: tuple[tuple[State, int], ...] = (
                *(("running", round(part.ran * (end - begin))), ("ready", round(part.ready * (end - begin)))),
                *(("waiting", waited), ("blocked", slept)),
            )
            for kind, length in amounts:
                unplaced[kind] = unplaced.get(kind, 0) + length
        else:
            other: State = "blocked" if state == "waiting" else state
            told += [(begin, end - waited, other), (end - waited, end, "waiting")]
    cuts = {begin for begin, _ in thread.holds}
    return Settled(list(joined((piece for piece in told if piece[1] > piece[0]), cuts)), unplaced)


SURE: Final = 0
GUESSED: Final = 1
OTHERS: Final = 2
COUNTED: Final = 3
"""Threads that wait; that are guessed to wait; that sleep, and may wait for all that is known; how many wait."""


def _kind(part: Glimpse) -> int | None:
    if part.asleep == 0.0 and part.state != "off-cpu":
        return SURE if part.state == "waiting" else None
    return GUESSED if part.state == "waiting" else OTHERS


@dataclass(frozen=True, slots=True)
class _Shares:
    """The shares of those guessed to wait, and of the others, that did: each added up over time."""

    at_ns: list[int]
    guessed: list[float]
    others: list[float]

    def waited(self, part: Glimpse) -> float:
        """How much of a part's time one who slept all the while waited, in nanoseconds."""
        added = self.guessed if _kind(part) == GUESSED else self.others
        return self._until(part.end_ns, added) - self._until(part.begin_ns, added)

    def _until(self, at_ns: int, added: Sequence[float]) -> float:
        after = bisect_right(self.at_ns, at_ns)
        if after in (0, len(self.at_ns)):
            return added[0 if after == 0 else -1]
        begin, end = self.at_ns[after - 1], self.at_ns[after]
        return added[after - 1] + (added[after] - added[after - 1]) * (at_ns - begin) / (end - begin)


def _shares(parts: Iterable[Glimpse], queues: Sequence[Queue]) -> _Shares:
    """Played from one change to the next: ``count`` wait, and so many may."""
    changes: list[tuple[int, int, float]] = []
    for part in parts:
        kind = _kind(part)
        if kind is not None:
            weight = part.asleep or 1.0
            changes += [(part.begin_ns, kind, weight), (part.end_ns, kind, -weight)]
    before = 0
    for at_ns, count in queues:
        changes.append((at_ns, COUNTED, count - before))
        before = count
    shares = _Shares([], [], [])
    may = [0.0, 0.0, 0.0, 0.0]
    guessed = others = 0.0
    last_ns = 0
    for at_ns, group in groupby(sorted(changes, key=itemgetter(0)), key=itemgetter(0)):
        left = max(0.0, may[COUNTED] - may[SURE])
        share = min(1.0, left / may[GUESSED]) if may[GUESSED] > 1e-9 else 0.0
        left -= share * may[GUESSED]
        guessed += share * (at_ns - last_ns)
        others += (min(1.0, left / may[OTHERS]) if may[OTHERS] > 1e-9 else 0.0) * (at_ns - last_ns)
        shares.at_ns.append(at_ns)
        shares.guessed.append(guessed)
        shares.others.append(others)
        last_ns = at_ns
        for _, kind, by in group:
            may[kind] += by
    return shares
