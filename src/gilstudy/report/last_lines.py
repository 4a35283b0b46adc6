"""Who has the GIL since when, and who waits for it: at the very end of a trace, in a line or two."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Final

from gilstudy.text import shown
from gilstudy.watching.trace import FREE, OFF, Lane, Piece, Trace

MOST_NAMES: Final = 4
RECENT_NS: Final = 2_000_000_000
"""What a thread was last seen to do counts as what it does if that was so short a time ago."""
BRIEF_NS: Final = 1_000_000

_CALLS: Final[Mapping[str, Mapping[str, str]]] = {
    "x86_64": {"202": "a lock", "35": "a time", "230": "a time", "34": "a signal", "0": "input", "7": "input",
               "45": "input", "47": "input", "271": "input", "232": "input", "281": "input", "61": "a process"},
    "aarch64": {"98": "a lock", "101": "a time", "115": "a time", "63": "input", "73": "input", "22": "input",
                "207": "input", "212": "input", "260": "a process"},
}  # fmt: skip
"""What a thread waits for that sleeps in a system call, by the machine and the call's number (asm/unistd.h)."""


def last_lines(trace: Trace, calls: Mapping[int, str], machine: str = "") -> Iterator[str]:
    """Lines of plain text.

    Args:
        trace: what was seen.
        calls: the number of the system call in which each thread slept at the end, "running", or "", by native id.
        machine: as `platform.machine` tells it; "" for this one.
    """
    waiting = _waiting(trace)
    if trace.gil_reason:
        yield f"GIL: {trace.gil_reason}"
    elif trace.holders:
        begin, end, holder = trace.holders[-1]
        known = trace.lanes[holder] if holder >= 0 else None
        does = "" if known is None else _does(calls.get(known.native_id, ""), machine or platform.machine())
        yield f"{_state(trace, holder)} for {_seconds(end - begin)}{does}"
        waiting = [(lane, since) for lane, since in waiting if lane is not known]
    if waiting:
        longest = max(trace.end_ns - since for _, since in waiting)
        names = _names([lane for lane, _ in waiting])
        yield f"waiting for the GIL: {names}, for {_seconds(longest)}{' at the longest' * (len(waiting) > 1)}"


def _state(trace: Trace, holder: int) -> str:
    if holder == FREE:
        return "nobody has held the GIL"
    if holder == OFF:
        return "the GIL has been off"
    return f"{shown(trace.holder_name(holder), 60)} has held the GIL"


def _does(call: str, machine: str) -> str:
    if call == "running":
        return ", and runs"
    if not call or not call.isdigit():
        return ""
    awaited = _CALLS.get(machine, {}).get(call)
    return f", asleep (for {awaited})" if awaited else f", asleep (in system call {call})"


def _waiting(trace: Trace) -> list[tuple[Lane, int]]:
    """The threads that wait for the GIL at the end, and since when."""
    found = []
    for lane in trace.lanes:
        tail = takewhile(_is_wait, reversed(lane.pieces))
        waits = [(begin, end) for begin, end, state in tail if state == "waiting"]
        if waits and trace.end_ns - waits[0][1] < RECENT_NS:
            found.append((lane, waits[-1][0]))
    return found


def _is_wait(piece: Piece) -> bool:
    """Whether a thread that waits for the GIL goes on to do so: after each switch interval it asks again."""
    begin, end, state = piece
    return state in ("waiting", "ready", "unknown") or (state == "running" and end - begin < BRIEF_NS)


def _names(lanes: Sequence[Lane]) -> str:
    names = [shown(lane.name, 60) for lane in lanes[:MOST_NAMES]]
    more = len(lanes) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _seconds(length_ns: int) -> str:
    return f"{length_ns / 1e9:.2f} s" if length_ns >= 10_000_000 else f"{length_ns / 1e6:.2f} ms"
