"""From the watch's raw entries to a `Trace`: which thread an entry means, from when to when, and under which name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

from gilstudy.watching.pieces import Change, Gil, Look, pieces, process_pieces
from gilstudy.watching.trace import FREE, OFF, UNKNOWN, Hold, Lane, Lost, Piece, Stretch, Trace

RawLook = tuple[int, int, int, int, int, int, int, int, int]
"""The fields of a `Look`."""
Thread = tuple[int, int, int, int]
"""A thread's number, its ident, its native id, and when it was first seen."""
RawLane = tuple[int, int, int, bool, str]
"""The number of what is looked at; its native id or process id, its parent, whether it is a process, and the system's
name for it."""

RAW_FREE: Final = 0
RAW_OFF: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """What the native watch wrote."""

    facts: Mapping[str, int]
    changes: Sequence[Change]
    turns: Sequence[RawLook]
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
    people = _people(raw)
    begin, end = facts["begin_ns"], facts["end_ns"]
    place = {number: place for place, person in enumerate(people) for number in person.threads}
    holders = tuple(_holders(raw.changes, place, end))
    sees_gil = was_on(raw.changes)
    lanes = _lanes(raw, people, holders)
    return Trace(
        begin_ns=begin,
        end_ns=end,
        gil_reason=raw.gil_reason,
        lanes_reason=raw.lanes_reason,
        gil_wanted_by=raw.gil_wanted_by,
        lanes=lanes,
        holders=holders if sees_gil else (),
        handoffs=facts["last_switches"] - facts["first_switches"] if sees_gil else None,
        handoffs_seen=_handoffs(holders),
        switch_interval_s=raw.switch_interval_s,
        period_ns=raw.period_ns,
        polls=facts["polls"],
        longest_gap_ns=facts["longest_gap_ns"],
        watch_cpu_ns=facts["cpu_ns"],
        longest_unseen_ns=max((e - b for lane in lanes for b, e, s in lane.pieces if s == "unknown"), default=0),
        opened_anew=facts["opened_anew"],
        last_interval_s=facts["interval_us"] / 1e6,
        interval_changes=facts["interval_changes"],
        other_interpreters=facts["others"],
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


class _Person(NamedTuple):
    """A thread or process: once, however often it was noted."""

    native_id: int
    """0 for a thread that ended before it could be read."""
    ident: int | None
    threads: tuple[int, ...]
    """Its numbers among the thread states."""
    lane: RawLane | None
    is_named: bool
    """Whether a name noted for its id is its own: the system may have given the id to another one since."""


def _people(raw: Raw) -> list[_Person]:
    """Each thread and process once, in the order of its first sight."""
    last_lane = {lane[1]: lane for lane in raw.lanes}
    last_ident = {native_id: ident for _, ident, native_id, _ in raw.threads}
    # A thread's next state has both ids of the one before; one whose own thread has not begun has those of its maker.
    states: dict[tuple[int, int, int], list[int]] = {}
    for number, ident, native_id, _ in raw.threads:
        states.setdefault((native_id, ident, 0 if native_id else number), []).append(number)
    people = [
        _Person(native_id, ident, tuple(numbers), last_lane.get(native_id) if is_last else None, is_last)
        for (native_id, ident, _), numbers in states.items()
        for is_last in [native_id > 0 and last_ident[native_id] == ident]
    ]
    others = [lane for lane in raw.lanes if lane[1] not in last_ident or last_lane[lane[1]] is not lane]
    return people + [_Person(lane[1], None, (), lane, last_lane[lane[1]] is lane) for lane in others]


def _name(raw: Raw, person: _Person, own: str) -> str:
    """The name that Python gave it; else the system's, unless it is only ``own``, this process's, handed down."""
    native_id, lane = person.native_id, person.lane
    if person.is_named and native_id in raw.names:
        return raw.names[native_id]
    if lane is not None and lane[3]:
        return f"child process {native_id}" if lane[4] == own else f"{lane[4]} {native_id}"
    if lane is not None and lane[4] not in ("", own):
        return lane[4]
    if not native_id:
        return "thread that ended at once"
    return f"native thread {native_id}" if person.ident is None else f"thread {native_id}"


def _own_name(raw: Raw) -> str:
    """The system's name for this process: that of its main thread, which the system lists first."""
    return next((lane[4] for lane in raw.lanes if not lane[3]), "")


def _lanes(raw: Raw, people: Sequence[_Person], holders: Sequence[Hold]) -> tuple[Lane, ...]:
    looks: dict[int, list[Look]] = {}
    for turn in raw.turns:
        looks.setdefault(turn[0], []).append(Look(*turn))
    holds: dict[int, list[Stretch]] = {}
    for begin, end, holder in holders:
        holds.setdefault(holder, []).append((begin, end))
    own_name = _own_name(raw)
    gil = Gil(raw.changes, holders, raw.facts["longest_gap_ns"])

    def lane(place: int, person: _Person) -> Lane:
        own = looks.get(person.lane[0], []) if person.lane else []
        is_process = person.lane is not None and person.lane[3]
        used = _used(own)
        return Lane(
            name=_name(raw, person, own_name),
            ident=person.ident,
            native_id=person.native_id,
            is_process=is_process,
            pieces=tuple(did(place, own, is_process)),
            holds=tuple(holds.get(place, ())),
            cpu_ns=used[0],
            ready_ns=None if is_process else used[1],
            turns_on_cpu=None if is_process else used[2],
        )

    def did(place: int, own: Sequence[Look], is_process: bool) -> Sequence[Piece]:
        end = raw.facts["end_ns"]
        return process_pieces(own, end) if is_process else pieces(own, holds.get(place, ()), place, gil, end)

    return tuple(lane(place, person) for place, person in enumerate(people))


def _used(looks: Sequence[Look]) -> tuple[int | None, int | None, int | None]:
    """CPU time, CPU waiting time and turns on a CPU from the first look to the last."""
    if not looks:
        return None, None, None
    first, last = looks[0], looks[-1]
    return last.cpu_ns - first.cpu_ns, last.delay_ns - first.delay_ns, last.slices - first.slices


# -- when ----------------------------------------------------------------------------------------------------------


def _holders(changes: Sequence[Change], places: Mapping[int, int], end_ns: int) -> Iterator[Hold]:
    """The GIL's own lane. Two entries alike are one, unless the GIL had been elsewhere between them."""
    begin = before = holder = 0
    for at_ns, raw_holder, switches, thread in changes:
        now = {RAW_FREE: FREE, RAW_OFF: OFF}.get(raw_holder, places.get(thread, UNKNOWN))
        if begin and now == holder and (switches == before or now < 0):
            before = switches
            continue
        if begin:
            yield begin, at_ns, holder
        begin, holder, before = at_ns, now, switches
    if begin and end_ns > begin:
        yield begin, end_ns, holder


def _handoffs(holders: Iterable[Hold]) -> int:
    known = [holder for _, _, holder in holders if holder not in (FREE, OFF)]
    return sum(1 for before, after in pairwise(known) if before != after)
