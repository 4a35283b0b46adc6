"""A trace in the Trace Event Format, which Perfetto (ui.perfetto.dev) and chrome://tracing open.

The format: "Trace Event Format", Google, 2016. Times are microseconds. Each thread is a track of complete events
("X") that never overlap; the GIL is a track of its own, whose events are named after the holder.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from gilstudy._version import __version__
from gilstudy.report.timeline import words_for
from gilstudy.report.trace import cautions
from gilstudy.watching.contention import merged
from gilstudy.watching.trace import FREE, OFF, Lane, Trace

ChromeEvent = dict[str, Any]

GIL_TRACK: Final = 0
COLOURS: Final = {
    "holding": "good",
    "running": "rail_response",
    "waiting": "terrible",
    "ready": "bad",
    "blocked": "thread_state_sleeping",
    "off-cpu": "thread_state_sleeping",
}
"""Green, blue, red, amber and grey by their names in chrome://tracing's palette; Perfetto picks its own."""


def chrome_trace(trace: Trace, *, pid: int) -> dict[str, Any]:
    """The whole document. ``pid`` is the watched process."""
    return {
        "traceEvents": list(_events(trace, pid)),
        "displayTimeUnit": "ms",
        "otherData": {
            "made_by": f"gilstudy {__version__}",
            "gil": trace.gil_reason or "seen",
            "threads": trace.lanes_reason or "seen",
            "handoffs": trace.handoffs,
            "handoffs_seen": trace.handoffs_seen,
            "switch_interval_us": trace.switch_interval_s * 1e6,
            "period_us": trace.period_ns / 1000,
            "longest_unseen_us": trace.longest_unseen_ns / 1000,
            "cautions": list(cautions(trace)),
            "lost": trace.lost.changes + trace.lost.turns + trace.lost.threads + trace.lost.lanes,
        },
    }


def _events(trace: Trace, pid: int) -> Iterable[ChromeEvent]:
    yield _metadata("process_name", pid, 0, name="Python")
    if trace.holders:
        yield _metadata("thread_name", pid, GIL_TRACK, name="GIL")
        yield _metadata("thread_sort_index", pid, GIL_TRACK, sort_index=-1)
    for place, lane in enumerate(trace.lanes):
        track = _track(lane, pid, place)
        yield _metadata("thread_name", *track, name=_whole(lane.name))
        yield _metadata("thread_sort_index", *track, sort_index=place)
    yield from sorted(_spans(trace, pid), key=lambda event: event["ts"])


def _spans(trace: Trace, pid: int) -> Iterable[ChromeEvent]:
    for begin, end, holder in trace.holders:
        if holder not in (FREE, OFF):
            yield _complete(trace, (pid, GIL_TRACK), begin, end, _whole(trace.holder_name(holder)), "gil")
    words = words_for(trace)
    for place, lane in enumerate(trace.lanes):
        for begin, end, state in lane.pieces:
            if state == "unknown":
                continue
            event = _complete(trace, _track(lane, pid, place), begin, end, words[state], "thread")
            yield event | {"cname": COLOURS[state]}
    yield from _waiters(trace, pid)


def _waiters(trace: Trace, pid: int) -> Iterable[ChromeEvent]:
    """How many threads wait for the GIL, as a counter."""
    waits = [(b, e) for lane in trace.lanes for b, e, state in lane.pieces if state == "waiting"]
    if not waits:
        return
    steps: dict[int, int] = {}
    for begin, end in waits:
        steps[begin] = steps.get(begin, 0) + 1
        steps[end] = steps.get(end, 0) - 1
    count = 0
    for at in sorted({trace.begin_ns, *(edge for span in merged(waits) for edge in span), *steps}):
        count += steps.get(at, 0)
        yield {
            "name": "threads waiting for the GIL", "ph": "C", "ts": _us(trace, at), "pid": pid, "tid": 0,
            "args": {"threads": count},
        }  # fmt: skip


def _track(lane: Lane, pid: int, place: int) -> tuple[int, int]:
    """A thread's or process's track; one whose native id is not known gets a number that no thread has."""
    if lane.is_process:
        return pid, lane.native_id
    return pid, lane.native_id or 2**31 - 1 - place


def _complete(trace: Trace, track: tuple[int, int], begin: int, end: int, name: str, kind: str) -> ChromeEvent:
    start = _us(trace, begin)
    duration = round(_us(trace, end) - start, 3)
    return {"name": name, "cat": kind, "ph": "X", "ts": start, "dur": duration, "pid": track[0], "tid": track[1]}


def _metadata(kind: str, pid: int, tid: int, **args: object) -> ChromeEvent:
    return {"name": kind, "ph": "M", "pid": pid, "tid": tid, "args": args}


def _whole(name: str) -> str:
    """All of a name; only halves of surrogate pairs, which strict readers of JSON refuse, are escaped."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _us(trace: Trace, at_ns: int) -> float:
    return round((at_ns - trace.begin_ns) / 1000, 3)
