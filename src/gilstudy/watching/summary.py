"""A trace in figures: how long holds were and whose, how often the GIL changed hands, who waited for what."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gilstudy.watching.contention import Stall, merged, overlap, overlaps, waits, worst_stall
from gilstudy.watching.trace import FREE, OFF, UNKNOWN, Hold, State, Stretch, Trace

FEWEST_LOOKS: Final = 20
"""No share of the time is given from fewer looks: each would be worth more than 5 points."""
FEWEST_SEEN: Final = 0.5
"""No share is given of a thread that was seen for less of its time, no median if fewer of the hand-offs were seen."""
MOST_OF_GROUP: Final = 0.9
"""No sum of shares is given of threads together if fewer of them were seen well enough for their own."""

Group = tuple[str, tuple[int, ...]]
"""A name for several threads together, and their places in `Trace.lanes`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """The distribution of holds: unbroken spans in which one thread had the GIL.

    A hold that began before the watch, or outlasted it, is left out: its length is not known. A thread that lets the
    GIL go and takes it back between two looks is seen to hold it all the while.
    """

    count: int
    median_ns: float | None
    """None if the watch missed most hand-offs, and with them the short holds. So is ``p99_ns``."""
    p99_ns: float | None
    longest_ns: int
    longest_by: str
    """The thread that held it longest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """The distribution of waits for the GIL, each from a thread's asking to its getting it: see `contention.waits`."""

    count: int
    whole: int
    """How many were seen from end to end."""
    median_ns: float | None
    """Of the whole ones. None if there is none, or if the watch missed most hand-offs: some would be taken for one."""
    longest_ns: int
    longest_by: str
    longest_is_whole: bool
    """If not, it lasted at least so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneSummary:
    """What one thread, or one child process, did in all; or several of them together."""

    name: str
    native_id: int
    """0 for several."""
    is_process: bool
    is_python: bool
    """Whether it had a Python thread state."""
    holds: Holds | None
    """None if it had no complete hold."""
    waits: Waits | None = None
    """None if it was not seen to wait for the GIL."""
    held_ns: int
    cpu_ns: int | None
    ready_ns: int | None
    """How long it waited for a CPU, by the kernel's own count."""
    turns_on_cpu: int | None
    in_state_ns: dict[State, int]
    """Time by state, as sampled; empty if states are not told. What was not seen is not in it."""
    unseen_ns: int = 0
    """How long it was not seen what it did: its shares are of the rest of the watch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A trace in figures."""

    span_ns: int
    gil_reason: str
    lanes_reason: str
    gil_wanted_by: tuple[str, ...]
    handoffs: int | None
    """By the interpreter's own count: exact."""
    handoffs_seen: int
    handoffs_per_s: float | None
    held: float | None
    """Share of the time in which somebody held the GIL; None if there were too few looks (`FEWEST_LOOKS`)."""
    contended: float | None
    """Share of the time in which somebody held it while another thread waited for it; None if that is not told."""
    holds: Holds | None
    waits: Waits | None
    worst: Stall | None
    """The hold in which another thread waited longest; None if none was seen to wait."""
    lanes: tuple[LaneSummary, ...]
    switch_interval_s: float
    period_ns: int
    polls: int
    longest_gap_ns: int
    watch_cpu_ns: int
    longest_unseen_ns: int = 0

    def share(self, lane: LaneSummary, state: State) -> float | None:
        """The share of a state in the time of the watch in which it was seen what ``lane`` did.

        None if that was less than half of its time (`FEWEST_SEEN`), or too short for `FEWEST_LOOKS`.
        """
        told, seen = sum(lane.in_state_ns.values()), self.span_ns - lane.unseen_ns
        if not self._is_seen(lane) or seen <= 0 or told < FEWEST_SEEN * (told + lane.unseen_ns):
            return None
        return lane.in_state_ns.get(state, 0) / seen

    def ran(self, lane: LaneSummary) -> float | None:
        """The share of the time in which ``lane`` was on a CPU, by its CPU clock; None if it was there too shortly."""
        return lane.cpu_ns / self.span_ns if lane.cpu_ns is not None and self._is_seen(lane) else None

    def _is_seen(self, lane: LaneSummary) -> bool:
        there = sum(lane.in_state_ns.values()) + lane.unseen_ns
        return there > 0 and there >= FEWEST_LOOKS * self.period_ns and self.polls >= FEWEST_LOOKS


def summarise(trace: Trace) -> Summary:
    """The figures of ``trace``."""
    figures = _Figures(trace)
    everybody, span = range(len(trace.lanes)), trace.span_ns
    return Summary(
        span_ns=span,
        gil_reason=trace.gil_reason,
        lanes_reason=trace.lanes_reason,
        gil_wanted_by=trace.gil_wanted_by,
        handoffs=trace.handoffs,
        handoffs_seen=trace.handoffs_seen,
        handoffs_per_s=trace.handoffs / span * 1e9 if trace.handoffs is not None and span else None,
        held=_held(trace) if trace.polls >= FEWEST_LOOKS else None,
        contended=_contended(trace) if trace.polls >= FEWEST_LOOKS else None,
        holds=figures.holds([*everybody, UNKNOWN]),
        waits=figures.waits(everybody),
        worst=worst_stall(trace, figures.waits_of),
        lanes=tuple(figures.lane(place) for place in everybody),
        switch_interval_s=trace.switch_interval_s,
        period_ns=trace.period_ns,
        polls=trace.polls,
        longest_gap_ns=trace.longest_gap_ns,
        watch_cpu_ns=trace.watch_cpu_ns,
        longest_unseen_ns=trace.longest_unseen_ns,
    )


def together(trace: Trace, summary: Summary, groups: Iterable[Group]) -> list[LaneSummary]:
    """What the threads of each group did in all: times and shares are summed, holds and waits are one distribution."""
    figures = _Figures(trace)
    return [figures.group(name, places, summary) for name, places in groups]


def seen_share(trace: Trace) -> float:
    """The share of the hand-offs that the watch saw; 1 if there were none. Where its memory ran out, of the rest."""
    begin = trace.holders[0][0] if trace.holders else trace.begin_ns
    counted = trace.handoffs or 0
    if trace.lost.changes and trace.span_ns:
        counted = round(counted * (trace.end_ns - begin) / trace.span_ns)
    return min(1.0, trace.handoffs_seen / counted) if counted else 1.0


def quantile(ordered: Sequence[int], share: float) -> int:
    """The value with at least ``share`` of the sorted values at or below it (nearest rank)."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _middle(ordered: Sequence[int]) -> float:
    half = len(ordered) // 2
    return float(ordered[half]) if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def complete_holds(trace: Trace) -> Iterable[Hold]:
    """The holds whose both ends were seen."""
    inner = trace.holders[1:]
    return (one for one in inner if one[2] not in (FREE, OFF) and one[1] < trace.end_ns)


class _Figures:
    """The holds and waits of each lane, found once."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._sees_most = seen_share(trace) >= FEWEST_SEEN
        self._holds_of: dict[int, list[int]] = {}
        for begin, end, holder in complete_holds(trace):
            self._holds_of.setdefault(holder, []).append(end - begin)
        self.waits_of = [waits(lane, trace.holders) for lane in trace.lanes]

    def holds(self, places: Iterable[int]) -> Holds | None:
        found = [(length, place) for place in places for length in self._holds_of.get(place, ())]
        if not found:
            return None
        lengths = sorted(length for length, _ in found)
        longest, place = max(found)
        return Holds(
            count=len(lengths),
            median_ns=_middle(lengths) if self._sees_most else None,
            p99_ns=quantile(lengths, 0.99) if self._sees_most else None,
            longest_ns=longest,
            longest_by=self._trace.holder_name(place),
        )

    def waits(self, places: Iterable[int]) -> Waits | None:
        found = [(wait.length_ns, wait.is_whole, place) for place in places for wait in self.waits_of[place]]
        if not found:
            return None
        whole = sorted(length for length, is_whole, _ in found if is_whole)
        longest, is_whole, place = max(found)
        return Waits(
            count=len(found),
            whole=len(whole),
            median_ns=_middle(whole) if whole and self._sees_most else None,
            longest_ns=longest,
            longest_by=self._trace.lanes[place].name,
            longest_is_whole=is_whole,
        )

    def lane(self, place: int) -> LaneSummary:
        lane = self._trace.lanes[place]
        in_state: dict[State, int] = {}
        if lane.cpu_ns is not None:
            for begin, end, state in lane.pieces:
                in_state[state] = in_state.get(state, 0) + end - begin
        unseen = in_state.pop("unknown", 0)
        return LaneSummary(
            name=lane.name,
            native_id=lane.native_id,
            is_process=lane.is_process,
            is_python=lane.ident is not None,
            holds=self.holds([place]),
            waits=self.waits([place]),
            held_ns=sum(end - begin for begin, end in lane.holds),
            cpu_ns=lane.cpu_ns,
            ready_ns=lane.ready_ns,
            turns_on_cpu=lane.turns_on_cpu,
            in_state_ns=in_state,
            unseen_ns=unseen,
        )

    def group(self, name: str, places: Sequence[int], summary: Summary) -> LaneSummary:
        lanes = [summary.lanes[place] for place in places]
        if len(lanes) == 1:
            return replace(lanes[0], name=name)
        seen = [lane for lane in lanes if summary.ran(lane) is not None]
        sees_most = len(seen) >= MOST_OF_GROUP * len(lanes)
        in_state: dict[State, int] = {}
        for lane in seen if sees_most else ():
            for state in lane.in_state_ns:
                in_state[state] = in_state.get(state, 0) + round((summary.share(lane, state) or 0) * summary.span_ns)
        return LaneSummary(
            name=name,
            native_id=0,
            is_process=all(lane.is_process for lane in lanes),
            is_python=any(lane.is_python for lane in lanes),
            holds=self.holds(places),
            waits=self.waits(places),
            held_ns=sum(lane.held_ns for lane in lanes),
            cpu_ns=_sum(lane.cpu_ns for lane in seen) if sees_most else None,
            ready_ns=_sum(lane.ready_ns for lane in lanes),
            turns_on_cpu=_sum(lane.turns_on_cpu for lane in lanes),
            in_state_ns=in_state,
        )


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _held(trace: Trace) -> float | None:
    seen = sum(end - begin for begin, end, holder in trace.holders if holder != OFF)
    held = sum(end - begin for begin, end, holder in trace.holders if holder not in (FREE, OFF))
    return held / seen if seen else None


def _contended(trace: Trace) -> float | None:
    """Time in which a thread was not seen counts only if another one was seen to wait meanwhile."""
    on = merged((begin, end) for begin, end, holder in trace.holders if holder != OFF)
    if not any(lane.cpu_ns is not None for lane in trace.lanes):
        return None
    waiting = merged((b, e) for lane in trace.lanes for b, e, state in lane.pieces if state == "waiting")
    unseen = merged((b, e) for lane in trace.lanes for b, e, state in lane.pieces if state == "unknown")
    held = [(begin, end) for begin, end, holder in trace.holders if holder not in (FREE, OFF)]
    whole = _length(on)
    told = whole - overlap(unseen, on) + overlap(overlaps(unseen, waiting), on)
    return overlap(waiting, held) / told if told > FEWEST_SEEN * whole else None


def _length(spans: Iterable[Stretch]) -> int:
    return sum(end - begin for begin, end in spans)
