"""From the watch's raw entries to a `Trace`: which thread an entry means, from when to when, and under which name."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, takewhile, zip_longest
from typing import Final, NamedTuple

from gilstudy.trace import FREE, OFF, UNKNOWN, Lane, Lost, Piece, Span, State, Trace

Change = tuple[int, int, int, int]
"""When, the holder (0: free, 1: the GIL is off), the interpreter's hand-off count, the holder's place in the list."""
Turn = tuple[int, int, int, int, int, int, int]
"""When it changed, the lane's place, its new state; CPU time, CPU waiting time and turns on a CPU at the look that
found it so; when that look was."""
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
"""When a thread began to do something else is known to within this time, or two looks, at best."""


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


def _name(raw: Raw, key: Key, ident: int | None, lane: RawLane | None, own: str) -> str:
    """The name that Python gave it; else the system's, unless it is only ``own``, this process's, handed down."""
    if key[0] in raw.names:
        return raw.names[key[0]]
    if lane is not None and lane[2]:
        return f"child process {key[0]}" if lane[3] == own else f"{lane[3]} {key[0]}"
    if lane is not None and lane[3] not in ("", own):
        return lane[3]
    if not key[0]:
        return "thread that ended at once"
    return f"native thread {key[0]}" if ident is None else f"thread {key[0]}"


def _own_name(raw: Raw) -> str:
    """The system's name for this process: that of its main thread, which the system lists first."""
    return next((lane[3] for lane in raw.lanes if not lane[2]), "")


def _lanes(raw: Raw, keys: Sequence[Key], holders: Sequence[tuple[int, int, int]]) -> tuple[Lane, ...]:
    idents = {_key(thread, number): thread[0] for number, thread in enumerate(raw.threads)}
    lanes = {(lane[0], 0): (number, lane) for number, lane in enumerate(raw.lanes)}
    turns: dict[int, list[Turn]] = {}
    for turn in raw.turns:
        turns.setdefault(turn[1], []).append(turn)
    holds: dict[int, list[Span]] = {}
    for begin, end, holder in holders:
        holds.setdefault(holder, []).append((begin, end))
    own_name = _own_name(raw)
    return tuple(
        _lane(raw, key, idents.get(key), lanes.get(key), turns, tuple(holds.get(place, ())), own_name)
        for place, key in enumerate(keys)
    )


def _lane(
    raw: Raw,
    key: Key,
    ident: int | None,
    found: tuple[int, RawLane] | None,
    turns: Mapping[int, Sequence[Turn]],
    holds: tuple[Span, ...],
    own_name: str,
) -> Lane:
    own = turns.get(found[0], ()) if found else ()
    pieces = _pieces(own, holds, raw.facts["end_ns"], max(SHARPEST_NS, 2 * raw.period_ns))
    is_process = found is not None and found[1][2]
    used = _used(own)
    return Lane(
        name=_name(raw, key, ident, found[1] if found else None, own_name),
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


# -- what ----------------------------------------------------------------------------------------------------------


class _Stretch(NamedTuple):
    """A state from one entry to the next."""

    begin_ns: int
    end_ns: int
    state: State
    is_remnant: bool
    """Whether it is only left over from before: see `_is_remnant`."""


def _pieces(turns: Sequence[Turn], holds: Sequence[Span], end_ns: int, blur_ns: int) -> Iterator[Piece]:
    """What a thread did: its states, with the GIL's own record laid over them; neighbours alike are one."""
    last: Piece | None = None
    for piece in _overlay(list(_stretches(turns, holds, end_ns, blur_ns)), holds):
        if last and last[2] == piece[2] != "holding" and last[1] == piece[0]:
            last = (last[0], piece[1], piece[2])
            continue
        if last:
            yield last
        last = piece
    if last:
        yield last


def _stretches(turns: Sequence[Turn], holds: Sequence[Span], end_ns: int, blur_ns: int) -> Iterator[_Stretch]:
    for turn, after in zip_longest(turns, turns[1:]):
        end = after[0] if after else end_ns
        if turn[2] != ENDED and end > turn[0]:
            is_remnant = after is not None and _is_remnant(turn, after, holds, blur_ns)
            yield _Stretch(turn[0], end, STATES[turn[2]], is_remnant)


def _is_remnant(turn: Turn, after: Turn, holds: Sequence[Span], blur_ns: int) -> bool:
    """Whether the thread did without the GIL what it is said to have done until the next entry.

    It is looked at only now and then, and mostly when the GIL has just changed hands. Whoever has lost it runs on for a
    moment, and is said to run until the next look. Its CPU clock tells whether it really ran beside its holds.
    """
    begin, end, state = turn[6], after[6], STATES[turn[2]]
    if not holds or state not in ("running", "ready"):
        return False
    held = _overlap(holds, begin, end)
    elsewhere = end - begin - held
    if state == "ready":
        return held > 0 and elsewhere <= blur_ns
    return (held > 0 or elsewhere <= 4 * blur_ns) and 2 * (after[3] - turn[3] - held) < elsewhere


def _overlap(holds: Sequence[Span], begin: int, end: int) -> int:
    first = max(0, bisect_right(holds, (begin, begin)) - 1)
    return sum(max(0, min(e, end) - max(b, begin)) for b, e in takewhile(lambda hold: hold[0] < end, holds[first:]))


def _overlay(stretches: Sequence[_Stretch], holds: Sequence[Span]) -> Iterator[Piece]:
    if not stretches:
        yield from ((begin, end, "holding") for begin, end in holds)
        return
    at = stretches[0].begin_ns
    for begin, end in holds:
        yield from _between(stretches, at, begin, "waiting")
        yield begin, end, "holding"
        at = max(at, end)
    yield from _between(stretches, at, stretches[-1].end_ns, None)


def _between(stretches: Sequence[_Stretch], begin: int, end: int, before_next: State | None) -> Iterator[Piece]:
    """What the thread did from ``begin`` to ``end``, where it does not hold the GIL.

    A remnant becomes what came next; if that is a hold, it is ``before_next``.
    """
    if begin >= end:
        return
    first = max(0, bisect_right(stretches, begin, key=_begin) - 1)
    inside: list[Piece] = []
    following = (end, before_next)
    for b, e, state, is_remnant in reversed(stretches[first : bisect_right(stretches, end, key=_begin)]):
        b, e = max(begin, b), min(end, e)
        if b < e:
            if is_remnant and following[0] == e and following[1]:
                state = following[1]
            inside.append((b, e, state))
            following = (b, state)
    yield from reversed(inside)


def _begin(stretch: _Stretch) -> int:
    return stretch.begin_ns
