"""From the watch's raw entries to a `Trace`: which thread an entry means, from when to when, and under which name."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from gilstudy.trace import FREE, OFF, UNKNOWN, Lane, Lost, Piece, Span, State, Trace

Change = tuple[int, int, int, int]
"""When, the holder (0: free, 1: the GIL is off), the interpreter's hand-off count, the holder's place in the list."""
Turn = tuple[int, int, int, int, int, int]
"""When, the lane's place, its state, and its CPU time, CPU waiting time and turns on a CPU until then."""
Thread = tuple[int, int, int]
"""A thread's ident, its native id, and when it was first seen."""
RawLane = tuple[int, int, bool, str]
"""A thread's native id or a process's id, its parent, whether it is a process, and the system's name for it."""

RAW_FREE: Final = 0
RAW_OFF: Final = 1
STATES: Final[tuple[State, ...]] = ("running", "ready", "waiting", "blocked", "off-cpu")
"""The native watch's states by number; the number after them means that the thread has ended."""
ENDED: Final = len(STATES)
SHARPEST_NS: Final = 1_000_000
"""When a thread began to do something else is known to within this time, or two looks, whichever is longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """What the native watch wrote."""

    facts: Mapping[str, int]
    changes: Sequence[Change]
    turns: Sequence[Turn]
    threads: Sequence[Thread]
    lanes: Sequence[RawLane]
    gil_reason: str
    lanes_reason: str
    gil_wanted_by: tuple[str, ...] = ()
    switch_interval_s: float
    period_ns: int
    names: Mapping[int, str] = field(default_factory=dict)
    """Names of threads (by native id) and of processes (by process id)."""


def assemble(raw: Raw) -> Trace:
    """The trace that the raw entries make."""
    facts = raw.facts
    keys = _keys(raw)
    place = {key: number for number, key in enumerate(keys)}
    begin, end = facts["begin_ns"], facts["end_ns"]
    holders = tuple(_holders(raw.changes, [place[_key(thread, n)] for n, thread in enumerate(raw.threads)], end))
    sees_gil = was_on(raw.changes)
    return Trace(
        begin_ns=begin,
        end_ns=end,
        gil_reason=raw.gil_reason,
        lanes_reason=raw.lanes_reason,
        gil_wanted_by=raw.gil_wanted_by,
        lanes=_lanes(raw, keys, holders),
        holders=holders if sees_gil else (),
        handoffs=facts["last_switches"] - facts["first_switches"] if sees_gil else None,
        handoffs_seen=_handoffs(holders),
        switch_interval_s=raw.switch_interval_s,
        period_ns=raw.period_ns,
        polls=facts["polls"],
        longest_gap_ns=facts["longest_gap_ns"],
        watch_cpu_ns=facts["cpu_ns"],
        lost=Lost(
            changes=facts["lost_changes"],
            turns=facts["lost_turns"],
            threads=facts["lost_threads"],
            lanes=facts["lost_lanes"],
        ),
    )


def was_on(changes: Iterable[Change]) -> bool:
    """Whether there was a GIL at any time: on a free-threaded build it may be off throughout."""
    return any(holder != RAW_OFF for _, holder, _, _ in changes)


# -- who -----------------------------------------------------------------------------------------------------------

Key = tuple[int, int]
"""A native id and 0; or 0 and a number of its own, for a thread that ended before its native id could be read."""


def _key(thread: Thread, number: int) -> Key:
    return (thread[1], 0) if thread[1] else (0, number + 1)


def _keys(raw: Raw) -> list[Key]:
    """Each thread and process once, in the order of its first sight."""
    keys = {_key(thread, number): None for number, thread in enumerate(raw.threads)}
    keys |= {(lane[0], 0): None for lane in raw.lanes}
    return list(keys)


def _name(raw: Raw, key: Key, ident: int | None, lane: RawLane | None) -> str:
    if key[0] in raw.names:
        return raw.names[key[0]]
    if lane is not None and ident is None:
        return f"{lane[3]} {key[0]}"
    return f"thread {key[0]}" if key[0] else "thread that ended at once"


def _lanes(raw: Raw, keys: Sequence[Key], holders: Sequence[tuple[int, int, int]]) -> tuple[Lane, ...]:
    idents = {_key(thread, number): thread[0] for number, thread in enumerate(raw.threads)}
    lanes = {(lane[0], 0): (number, lane) for number, lane in enumerate(raw.lanes)}
    turns: dict[int, list[Turn]] = {}
    for turn in raw.turns:
        turns.setdefault(turn[1], []).append(turn)
    holds: dict[int, list[Span]] = {}
    for begin, end, holder in holders:
        holds.setdefault(holder, []).append((begin, end))
    return tuple(
        _lane(raw, key, idents.get(key), lanes.get(key), turns, tuple(holds.get(place, ())))
        for place, key in enumerate(keys)
    )


def _lane(
    raw: Raw,
    key: Key,
    ident: int | None,
    found: tuple[int, RawLane] | None,
    turns: Mapping[int, Sequence[Turn]],
    holds: tuple[Span, ...],
) -> Lane:
    own = turns.get(found[0], ()) if found else ()
    pieces = _overlay(_pieces(own, raw.facts["end_ns"]), holds, max(SHARPEST_NS, 2 * raw.period_ns))
    is_process = found is not None and found[1][2]
    used = _used(own)
    return Lane(
        name=_name(raw, key, ident, found[1] if found else None),
        ident=ident,
        native_id=key[0],
        is_process=is_process,
        pieces=tuple(pieces),
        holds=holds,
        cpu_ns=used[0],
        ready_ns=None if is_process else used[1],
        turns_on_cpu=None if is_process else used[2],
    )


def _used(turns: Sequence[Turn]) -> tuple[int | None, int | None, int | None]:
    """CPU time, CPU waiting time and turns on a CPU from the first entry to the last."""
    if not turns:
        return None, None, None
    first, last = turns[0], turns[-1]
    return last[3] - first[3], last[4] - first[4], last[5] - first[5]


# -- when ----------------------------------------------------------------------------------------------------------


def _holders(changes: Sequence[Change], places: Sequence[int], end_ns: int) -> Iterator[tuple[int, int, int]]:
    """The GIL's own lane. Two entries alike are one, unless the GIL had been elsewhere between them."""
    begin = before = holder = 0
    for at_ns, raw_holder, switches, thread in changes:
        now = {RAW_FREE: FREE, RAW_OFF: OFF}.get(raw_holder, places[thread] if thread >= 0 else UNKNOWN)
        if begin and now == holder and (switches == before or now < 0):
            before = switches
            continue
        if begin:
            yield begin, at_ns, holder
        begin, holder, before = at_ns, now, switches
    if begin and end_ns > begin:
        yield begin, end_ns, holder


def _handoffs(holders: Iterable[tuple[int, int, int]]) -> int:
    known = [holder for _, _, holder in holders if holder not in (FREE, OFF)]
    return sum(1 for before, after in pairwise(known) if before != after)


def _pieces(turns: Sequence[Turn], end_ns: int) -> list[Piece]:
    """Turns as spans; neighbours in one state are one."""
    pieces: list[Piece] = []
    for number, turn in enumerate(turns):
        begin, state = turn[0], turn[2]
        end = turns[number + 1][0] if number + 1 < len(turns) else end_ns
        if state == ENDED or end <= begin:
            continue
        if pieces and pieces[-1][2] == STATES[state] and pieces[-1][1] == begin:
            begin = pieces.pop()[0]
        pieces.append((begin, end, STATES[state]))
    return pieces


def _overlay(pieces: Sequence[Piece], holds: Sequence[Span], blur_ns: int) -> Iterator[Piece]:
    """What a thread did, with the GIL's own record laid over it.

    The thread is looked at after the GIL, at times a little later. So what it is said to do just after it lost the GIL
    is often still what it did while it held it. Such a remnant, up to ``blur_ns`` long, becomes what came next.
    """
    if not pieces:
        yield from ((begin, end, "holding") for begin, end in holds)
        return
    starts = [begin for begin, _, _ in pieces]
    at = starts[0]
    for begin, end in holds:
        yield from _between(pieces, starts, at, begin, blur_ns)
        yield begin, end, "holding"
        at = max(at, end)
    yield from _between(pieces, starts, at, pieces[-1][1], blur_ns)


def _between(pieces: Sequence[Piece], starts: Sequence[int], begin: int, end: int, blur_ns: int) -> Iterator[Piece]:
    """The pieces from ``begin`` to ``end``, where the thread does not hold the GIL."""
    if begin >= end:
        return
    first = max(0, bisect_right(starts, begin) - 1)
    inside = [
        (max(begin, b), min(end, e), state) for b, e, state in pieces[first : bisect_right(starts, end)] if e > begin
    ]
    inside = [piece for piece in inside if piece[0] < piece[1]]
    if len(inside) > 1 and inside[0][2] in ("running", "ready") and pieces[first][0] < begin:
        remnant, following = inside[0], inside[1]
        if remnant[1] - remnant[0] <= blur_ns and following[0] == remnant[1]:
            inside[:2] = [(remnant[0], following[1], following[2])]
    yield from inside
