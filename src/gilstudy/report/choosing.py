"""Which threads of a trace get a row and a lane of their own, and what becomes of the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gilstudy.report.figures import count, thousands
from gilstudy.report.labels import Speller, by_stem
from gilstudy.watching.summary import Group, LaneSummary, Summary, together
from gilstudy.watching.trace import Stretch, Trace

MOST_LANES: Final = 16
MOST_NAMED: Final = 3
"""Threads that are not shown are named if they are not more; otherwise they are counted."""
LITTLE: Final = 1000
"""A thread that ran, or waited for the GIL, less than one part in so many of the time, and never held it, is idle."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The threads that are shown, one by one or in groups, and those that are not."""

    groups: tuple[Group, ...]
    rows: tuple[LaneSummary, ...]
    """One for each group."""
    more: LaneSummary | None
    """Those that also did something, together."""
    others: tuple[str, ...]
    """In words, a line each: those that did nothing, and those that ended too soon."""


def choose(trace: Trace, summary: Summary, spell: Speller, *, by_name: bool = False) -> Choice:
    """The threads that did most, and Python's own: `MOST_LANES` at most, in the order in which they were first seen.

    Args:
        trace: what was seen.
        summary: its figures.
        spell: how to write their names.
        by_name: whether threads whose names differ by a number only are one.
    """
    groups = by_stem(trace.lanes) if by_name else [(lane.name, (n,)) for n, lane in enumerate(trace.lanes)]
    rows = together(trace, summary, groups) if by_name else list(summary.lanes)
    kept = _busiest(rows, trace.span_ns)
    shown = {place for number in kept for place in groups[number][1]}
    rest = [place for place in range(len(trace.lanes)) if place not in shown]
    more = [place for place in rest if _worked(summary.lanes[place], trace.span_ns)]
    still = [summary.lanes[place] for place in rest if place not in set(more)]
    summed = together(trace, summary, [(f"{thousands(len(more))} more", tuple(more))]) if more else [None]
    return Choice(
        groups=tuple(groups[number] for number in kept),
        rows=tuple(rows[number] for number in kept),
        more=summed[0],
        others=tuple(_others(still, spell)),
    )


def busiest_in(trace: Trace, window: Stretch) -> list[int]:
    """The places of the lanes that are drawn in a picture of ``window``: those in which most was done there."""
    begin, end = window
    weights: dict[int, int] = {}
    for place, lane in enumerate(trace.lanes):
        inside = [(min(e, end) - max(b, begin), state) for b, e, state in lane.pieces if b < end and e > begin]
        did = sum(length for length, state in inside if state in ("holding", "running", "waiting", "ready"))
        if inside and (lane.ident is not None or did > (end - begin) // LITTLE):
            weights[place] = did
    return sorted(sorted(weights, key=weights.__getitem__, reverse=True)[:MOST_LANES])


def _busiest(rows: Sequence[LaneSummary], span_ns: int) -> list[int]:
    places = [place for place, row in enumerate(rows) if _weight(row) > span_ns // LITTLE or row.is_python]
    return sorted(sorted(places, key=lambda place: _weight(rows[place]), reverse=True)[:MOST_LANES])


def _weight(row: LaneSummary) -> int:
    return max(row.held_ns, row.cpu_ns or 0, row.in_state_ns.get("waiting", 0))


def _worked(row: LaneSummary, span_ns: int) -> bool:
    return row.held_ns > 0 or _weight(row) > span_ns // LITTLE


def _others(rows: Sequence[LaneSummary], spell: Speller) -> Iterable[str]:
    """Of a thread without CPU time nothing was seen: it was not there when threads were looked at."""
    for words, some in (
        ("idle", [row for row in rows if row.cpu_ns is not None]),
        ("not seen, for they ended too soon", [row for row in rows if row.cpu_ns is None]),
    ):
        if some:
            named = len(some) <= MOST_NAMED
            yield f"{words}: {', '.join(spell(row.name, 28) for row in some) if named else _kinds(some)}"


def _kinds(rows: Sequence[LaneSummary]) -> str:
    processes = sum(row.is_process for row in rows)
    kinds = [(len(rows) - processes, "thread", ""), (processes, "child process", "child processes")]
    return ", ".join(count(number, one, many) for number, one, many in kinds if number)
