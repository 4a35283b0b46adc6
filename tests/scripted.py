"""Traces made by hand, and how they are printed."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import Any

from rich.console import Console

from gilstudy.report.trace import print_trace
from gilstudy.watching.summary import summarise
from gilstudy.watching.trace import FREE, Lane, Piece, State, Trace

MS = 1_000_000


def lane(name: str, native_id: int, pieces: tuple[Piece, ...], **changes: Any) -> Lane:
    holds = tuple((begin, end) for begin, end, state in pieces if state == "holding")
    given: dict[str, Any] = {
        "ident": native_id, "is_process": False, "cpu_ns": 50 * MS, "ready_ns": MS, "turns_on_cpu": 9,
    }  # fmt: skip
    return Lane(name=name, native_id=native_id, pieces=pieces, holds=holds, **given | changes)


def two_threads(**changes: Any) -> Trace:
    """Two threads that take turns of 5 ms for 100 ms, from time 1000 ms on."""
    edges = [(1000 + 5 * n) * MS for n in range(21)]
    turns = list(pairwise(edges))
    one: tuple[Piece, ...] = tuple((b, e, "holding" if n % 2 == 0 else "waiting") for n, (b, e) in enumerate(turns))
    other: tuple[Piece, ...] = tuple((b, e, "holding" if n % 2 else "waiting") for n, (b, e) in enumerate(turns))
    given: dict[str, Any] = {
        "begin_ns": 1000 * MS, "end_ns": 1100 * MS, "gil_reason": "", "lanes_reason": "", "gil_wanted_by": (),
        "lanes": (lane("one", 11, one), lane("other", 12, other)),
        "holders": tuple((b, e, n % 2) for n, (b, e) in enumerate(turns)),
        "handoffs": 20, "handoffs_seen": 19, "switch_interval_s": 0.005, "period_ns": MS, "polls": 100,
        "longest_gap_ns": MS, "watch_cpu_ns": MS,
    }  # fmt: skip
    return Trace(**given | changes)


def printed(trace: Trace, *, width: int = 80, encoding: str = "utf-8", **options: Any) -> str:
    raw = io.BytesIO()
    console = Console(file=io.TextIOWrapper(raw, encoding=encoding), width=width, highlight=False, no_color=True)
    print_trace(console, trace, summarise(trace), **options)
    console.file.flush()
    return raw.getvalue().decode(encoding)


def of(*states: tuple[int, State]) -> Lane:
    """A lane whose pieces end at these times in milliseconds, from 0 on."""
    pieces: list[Piece] = []
    for end, state in states:
        pieces.append((pieces[-1][1] if pieces else 0, end * MS, state))
    return lane("x", 1, tuple(pieces))


def start_up() -> Trace:
    """100 ms of start-up in which nobody waits, then 20 ms that the worker holds and the main thread waits for."""
    main = lane("main", 1, ((0, 100 * MS, "holding"), (100 * MS, 105 * MS, "blocked"), (105 * MS, 120 * MS, "waiting"),
                            (120 * MS, 130 * MS, "holding"), (130 * MS, 200 * MS, "blocked")))  # fmt: skip
    worker = lane("worker", 2, ((100 * MS, 120 * MS, "holding"), (120 * MS, 200 * MS, "blocked")))
    holders = ((0, 100 * MS, 0), (100 * MS, 120 * MS, 1), (120 * MS, 130 * MS, 0), (130 * MS, 200 * MS, FREE))
    return two_threads(begin_ns=0, end_ns=200 * MS, lanes=(main, worker), holders=holders, handoffs=2, handoffs_seen=2)
