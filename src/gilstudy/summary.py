"""A trace in figures: how long holds were and whose, how often the GIL changed hands, who waited for what."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gilstudy.trace import FREE, OFF, Lane, Span, State, Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """The distribution of holds: unbroken spans in which one thread had the GIL.

    A hold that began before the watch, or outlasted it, is left out: its length is not known. A thread that lets the
    GIL go and takes it back between two looks is seen to hold it all the while.
    """

    count: int
    median_ns: float
    p99_ns: float
    longest_ns: int
    longest_by: str
    """The thread that held it longest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneSummary:
    """What one thread, or one child process, did in all."""

    name: str
    native_id: int
    is_process: bool
    is_python: bool
    """Whether it had a Python thread state."""
    holds: Holds | None
    """None if it had no complete hold."""
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
    """Share of the time in which somebody held the GIL."""
    contended: float | None
    """Share of the time in which somebody held it while another thread waited for it; None if that is not told."""
    holds: Holds | None
    lanes: tuple[LaneSummary, ...]
    switch_interval_s: float
    period_ns: int
    polls: int
    longest_gap_ns: int
    watch_cpu_ns: int
    longest_unseen_ns: int = 0

    def share(self, lane: LaneSummary, state: State) -> float | None:
        """The share of a state in the time of the watch in which it was seen what ``lane`` did; None if never."""
        seen = self.span_ns - lane.unseen_ns
        return lane.in_state_ns.get(state, 0) / seen if lane.in_state_ns and seen > 0 else None


def summarise(trace: Trace) -> Summary:
    """The figures of ``trace``."""
    whole = list(complete_holds(trace))
    span = trace.span_ns
    return Summary(
        span_ns=span,
        gil_reason=trace.gil_reason,
        lanes_reason=trace.lanes_reason,
        gil_wanted_by=trace.gil_wanted_by,
        handoffs=trace.handoffs,
        handoffs_seen=trace.handoffs_seen,
        handoffs_per_s=trace.handoffs / span * 1e9 if trace.handoffs is not None and span else None,
        held=_held(trace),
        contended=_contended(trace),
        holds=_distribution([(end - begin, trace.holder_name(holder)) for begin, end, holder in whole]),
        lanes=tuple(_lane(place, lane, whole) for place, lane in enumerate(trace.lanes)),
        switch_interval_s=trace.switch_interval_s,
        period_ns=trace.period_ns,
        polls=trace.polls,
        longest_gap_ns=trace.longest_gap_ns,
        watch_cpu_ns=trace.watch_cpu_ns,
        longest_unseen_ns=trace.longest_unseen_ns,
    )


def quantile(ordered: Sequence[int], share: float) -> int:
    """The value with at least ``share`` of the sorted values at or below it (nearest rank)."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _middle(ordered: Sequence[int]) -> float:
    half = len(ordered) // 2
    return float(ordered[half]) if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def complete_holds(trace: Trace) -> Iterable[tuple[int, int, int]]:
    """The holds whose both ends were seen: begin, end, and the holder's place in `Trace.lanes`."""
    inner = trace.holders[1:]
    return (one for one in inner if one[2] not in (FREE, OFF) and one[1] < trace.end_ns)


def _distribution(holds: Sequence[tuple[int, str]]) -> Holds | None:
    if not holds:
        return None
    lengths = sorted(length for length, _ in holds)
    longest, name = max(holds)
    return Holds(
        count=len(lengths),
        median_ns=_middle(lengths),
        p99_ns=quantile(lengths, 0.99),
        longest_ns=longest,
        longest_by=name,
    )


def _lane(place: int, lane: Lane, whole: Iterable[tuple[int, int, int]]) -> LaneSummary:
    own = [(end - begin, lane.name) for begin, end, holder in whole if holder == place]
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
        holds=_distribution(own),
        held_ns=sum(end - begin for begin, end in lane.holds),
        cpu_ns=lane.cpu_ns,
        ready_ns=lane.ready_ns,
        turns_on_cpu=lane.turns_on_cpu,
        in_state_ns=in_state,
        unseen_ns=unseen,
    )


def _held(trace: Trace) -> float | None:
    seen = sum(end - begin for begin, end, holder in trace.holders if holder != OFF)
    held = sum(end - begin for begin, end, holder in trace.holders if holder not in (FREE, OFF))
    return held / seen if seen else None


def _contended(trace: Trace) -> float | None:
    seen = sum(end - begin for begin, end, holder in trace.holders if holder != OFF)
    if not seen or not any(lane.cpu_ns is not None for lane in trace.lanes):
        return None
    waits = [(begin, end) for lane in trace.lanes for begin, end, state in lane.pieces if state == "waiting"]
    held = [(begin, end) for begin, end, holder in trace.holders if holder not in (FREE, OFF)]
    return _overlap(merged(waits), held) / seen


def merged(spans: Iterable[Span]) -> list[Span]:
    """The union of ``spans``, in order."""
    union: list[Span] = []
    for begin, end in sorted(spans):
        if union and begin <= union[-1][1]:
            union[-1] = (union[-1][0], max(end, union[-1][1]))
        else:
            union.append((begin, end))
    return union


def _overlap(one: Sequence[Span], other: Sequence[Span]) -> int:
    """How long both lists of ordered, separate spans are in a span at once."""
    total = mine = theirs = 0
    while mine < len(one) and theirs < len(other):
        total += max(0, min(one[mine][1], other[theirs][1]) - max(one[mine][0], other[theirs][0]))
        if one[mine][1] < other[theirs][1]:
            mine += 1
        else:
            theirs += 1
    return total
