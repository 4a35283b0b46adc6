"""Does this call release the GIL? Asked of the GIL itself, and of a thread that wants it meanwhile; both must agree.

A speedup is never looked at. While the call is watched the switch interval is longer than the measurement, so nobody is
made to give the GIL up: whenever it is free, or somebody else's, the call itself let it go.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from typing import Final

from gilstudy.probing.evidence import Doubt, Evidence, Verdict, is_firm, judge
from gilstudy.probing.quiet import PERIOD_US, Leftovers
from gilstudy.stats import Estimate
from gilstudy.watching.heartbeat import Heartbeat, longest_stall, switch_interval
from gilstudy.watching.targets import Job
from gilstudy.watching.trace import FREE, OFF, Trace
from gilstudy.watching.watch import Watch

TOLD_NS: Final = 20 * PERIOD_US * 1000
"""Within a call of this length, or longer, the GIL is looked at often enough to tell single holds."""
PHASE_NS: Final = 150_000_000
"""How long each witness first looks on, if a call is not longer."""
BUDGET_NS: Final = 1_600_000_000
"""After this no more evidence is sought."""
LONG_NS: Final = 400_000_000
"""A call of this length is asked of both witnesses at once."""
INTERVAL_S: Final = 5.0
"""The switch interval meanwhile. Longer ones would let a busy thread of the user keep all others waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The answer for one call, and what it rests on."""

    name: str
    verdict: Verdict
    reason: str
    """Why there is no answer; "" if there is one."""
    calls: int
    """How often it was called."""
    call_ns: float
    """How long one call took, on average."""
    released: Estimate | None
    """The share of the call's time without the GIL; None if that is not known."""
    longest_hold_ns: int | None
    """The longest unbroken hold within a call; None if the calls are too short to tell."""
    times_released: float | None
    """How often a call let the GIL go, on average, at the least; None if the calls are too short to tell."""
    evidence: Evidence

    @property
    def releases(self) -> bool:
        """Whether the call releases the GIL, for most of its time."""
        return self.verdict == "releases"


def probe_call(
    name: str, call: Job, *, doubt: Doubt | None = None, budget_ns: int = BUDGET_NS, phase_ns: int = PHASE_NS
) -> Probe:
    """Probe a call without arguments, its controls having been seen to already.

    Args:
        name: what to call it in the answer.
        call: what is called.
        doubt: why the answer cannot be trusted, or there is none to give; None if all is well.
        budget_ns: after this no more evidence is sought; a call that has begun is waited for.
        phase_ns: how long each witness first looks on.
    """
    if doubt is not None:
        return _unanswered(name, doubt)
    left, process = Leftovers(), os.getpid()
    begin = time.perf_counter_ns()
    call()  # the first may import, allocate, fill caches
    first_ns = time.perf_counter_ns() - begin
    _leave_forked(process)
    session = _Session(call, max(INTERVAL_S, 4e-9 * first_ns))
    spoilt = left.trouble()
    if not spoilt:
        if first_ns >= LONG_NS:
            session.both(1)
            spoilt = left.trouble()
        else:
            spoilt = _gather(session, begin + budget_ns, phase_ns, left)
    if spoilt:
        return _unanswered(name, Doubt(spoilt), calls=1 + session.calls, call_ns=session.call_ns or float(first_ns))
    return _answer(name, session)


def _gather(session: _Session, end_ns: int, phase_ns: int, left: Leftovers) -> str:
    """Ask the witnesses by turns until they are sure or time is up. Returns what spoilt it, or ""."""
    while True:
        for ask in (session.watched, session.beaten):
            ask(phase_ns)
            if spoilt := left.trouble():
                return spoilt
        if is_firm(session.evidence) or time.perf_counter_ns() + 2 * max(phase_ns, round(session.call_ns)) > end_ns:
            return ""
        phase_ns = min(2 * phase_ns, 400_000_000)


class _Session:
    """Calls, and what the witnesses say of them."""

    def __init__(self, call: Job, interval_s: float) -> None:
        self._call = call
        self._interval_s = interval_s
        self.evidence = Evidence()
        self.calls = 0
        self.time_ns = 0

    @property
    def call_ns(self) -> float:
        """How long one call took, on average; 0 before the first."""
        return self.time_ns / max(1, self.calls)

    def watched(self, span_ns: int) -> None:
        """Call for ``span_ns`` with the GIL watched, and nobody else about."""
        with switch_interval(self._interval_s), _watch() as watch:
            span = self._repeat(span_ns)
        self.evidence += seen_in(watch.trace(), threading.get_ident(), *span)

    def beaten(self, span_ns: int) -> None:
        """Call for ``span_ns`` beside a heartbeat."""
        with switch_interval(self._interval_s), Heartbeat() as heart:
            span = self._repeat(span_ns)
        self.evidence += felt_in(heart, *span)

    def both(self, calls: int) -> None:
        """Call with the GIL watched and beside a heartbeat."""
        with switch_interval(self._interval_s), Heartbeat() as heart, _watch() as watch:
            span = self._repeat(0, calls)
        self.evidence += felt_in(heart, *span)
        self.evidence += seen_in(watch.trace(), threading.get_ident(), *span)

    def _repeat(self, span_ns: int, least: int = 1) -> tuple[int, int]:
        clock, call, calls, process = time.perf_counter_ns, self._call, 0, os.getpid()
        end = _ENDS.setdefault(threading.get_ident(), [0])
        begin = now = clock()
        end[0] = begin + span_ns
        while now < end[0] or calls < least:
            call()
            calls += 1
            now = clock()
        _leave_forked(process)
        self.calls += calls
        self.time_ns += now - begin
        return begin, now


_ENDS: Final[dict[int, list[int]]] = {}
"""When the calls of each thread that probes are to end."""


def _end_in_child() -> None:
    """A call that forks comes back twice. The child must not go on calling, or its calls would fork again."""
    for end in _ENDS.values():
        end[0] = 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_end_in_child)


def _leave_forked(process: int) -> None:
    """End this process if it is a child of ``process``: the probe goes on there, and is to be told once."""
    if os.getpid() != process:
        os._exit(0)


def _watch() -> Watch:
    return Watch(period_us=PERIOD_US, lanes=False, capacity=1 << 16)


def seen_in(trace: Trace, ident: int, begin_ns: int, end_ns: int) -> Evidence:
    """What the watch saw of the calling thread from ``begin_ns`` to ``end_ns``."""
    caller = next((place for place, lane in enumerate(trace.lanes) if lane.ident == ident), FREE)
    released = times = longest = 0
    for begin, end, holder in trace.holders:
        length = min(end, end_ns) - max(begin, begin_ns)
        if length <= 0 or holder == OFF:
            continue
        if holder == caller:
            longest = max(longest, length)
        elif (begin_ns < begin and end < end_ns) or length > trace.longest_gap_ns:
            # A change of holder is known to within two looks: what just reaches in from outside may have been outside.
            released += length
            times += 1
    share = (end_ns - begin_ns) / max(1, trace.span_ns)
    return Evidence(
        looks=round(trace.polls * min(1.0, share)),
        window_ns=end_ns - begin_ns,
        released_ns=released,
        times_released=times,
        longest_hold_ns=longest,
    )


def felt_in(heart: Heartbeat, begin_ns: int, end_ns: int) -> Evidence:
    """What the heartbeat felt from ``begin_ns`` to ``end_ns``."""
    beats = heart.between(begin_ns, end_ns)
    stall = longest_stall(beats, begin_ns, end_ns)
    return Evidence(beats=len(beats), beat_window_ns=end_ns - begin_ns, longest_stall_ns=stall)


def _answer(name: str, session: _Session) -> Probe:
    evidence = session.evidence
    verdict, reason = judge(evidence)
    call_ns = session.call_ns
    told = call_ns >= TOLD_NS
    times = evidence.times_released * call_ns / evidence.window_ns if told and evidence.window_ns else None
    return Probe(
        name=name,
        verdict=verdict,
        reason=reason,
        calls=session.calls + 1,
        call_ns=call_ns,
        released=evidence.released,
        longest_hold_ns=round(min(evidence.longest_hold_ns, call_ns)) if told or verdict == "holds" else None,
        times_released=times,
        evidence=evidence,
    )


def _unanswered(name: str, doubt: Doubt, *, calls: int = 0, call_ns: float = 0.0) -> Probe:
    return Probe(
        name=name,
        verdict=doubt.verdict,
        reason=doubt.reason,
        calls=calls,
        call_ns=call_ns,
        released=None,
        longest_hold_ns=None,
        times_released=None,
        evidence=Evidence(),
    )
