"""Does this call release the GIL? A mark on the caller's hold, the GIL itself, and a thread that wants it are asked.

A speedup is never looked at. While the call is watched the switch interval is longer than the measurement, so nobody is
made to give the GIL up: whenever it is free, or somebody else's, the call itself let it go.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from gilstudy.probing.changing import change
from gilstudy.probing.evidence import ENOUGH_LOOKS, Doubt, Evidence, Verdict, is_firm, is_for_an_instant, judge
from gilstudy.probing.quiet import PERIOD_US, Leftovers, cpu_delay_ns
from gilstudy.probing.seeing import Glance, Made, Sight, felt_in, seen_in, undisturbed
from gilstudy.probing.subject import Kind, Subject
from gilstudy.stats import Estimate
from gilstudy.text import shown
from gilstudy.watching.gil import unreadable
from gilstudy.watching.heartbeat import Heartbeat, switch_interval

if TYPE_CHECKING:
    from gilstudy._gilwatch import Glances

TOLD_NS: Final = 20 * PERIOD_US * 1000
"""Within a call of this length, or longer, the GIL is looked at often enough to tell single holds."""
PHASE_NS: Final = 150_000_000
"""How long each witness first looks on, if a call is not longer."""
BUDGET_NS: Final = 1_600_000_000
"""After this no more evidence is sought."""
LONG_NS: Final = 400_000_000
"""A call of this length is made only once more."""
FIRST_INTERVAL_S: Final = 0.5
"""The switch interval during the first call, which may start threads that never let the GIL go by themselves."""
INTERVAL_S: Final = 5.0
"""The switch interval meanwhile. Longer ones would let a busy thread of the user keep all others waiting."""
RARELY_US: Final = 1000
"""Where glances only pass on what other threads ask of a marked caller."""
GLANCES: Final = 1 << 16
"""That many are kept; when there are more, every second one is, and they come half as often."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
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
    """The share of the call's time for which the GIL was free; None if that is not known."""
    longest_hold_ns: int | None
    """The longest time within a call in which it was not seen to let go; None if the calls are too short to tell."""
    times_released: float | None
    """How often a call let the GIL go, on average, at the least; None if there is no answer."""
    evidence: Evidence
    instants: float | None = None
    """If it holds the GIL but for an instant: in which share of the calls it let it go; None otherwise."""
    notes: tuple[str, ...] = ()
    """What else is to be known of the answer, in sentences."""

    @property
    def releases(self) -> bool | None:
        """Whether the GIL is free for most of the call's time; None if there is no answer."""
        if self.verdict not in ("releases", "mixed", "holds"):
            return None
        return self.verdict == "releases"

    @property
    def lets_go(self) -> bool | None:
        """Whether the call lets the GIL go at all, be it for an instant; None if there is no answer."""
        return None if self.releases is None else self.verdict != "holds" or self.instants is not None

    def __repr__(self) -> str:
        """In one line: ``<Probe crc32: releases, free for 99 % [98, 100] of 350 us; 800 calls>``."""
        told: str = self.verdict if self.instants is None else "holds, but for an instant"
        if self.reason:
            return f"<Probe {shown(self.name)}: {told}, because {self.reason}>"
        if self.released is not None and self.verdict != "holds":
            low, high = math.floor(100 * self.released.low), math.ceil(100 * self.released.high)
            told += f", free for {100 * self.released.point:.3g} % [{low}, {high}]"
        return f"<Probe {shown(self.name)}: {told}; {self.calls} calls of {self.call_ns / 1000:.3g} us>"


def probe_call(
    name: str,
    call: Callable[[], object] | Subject,
    *,
    doubt: Doubt | None = None,
    budget_ns: int = BUDGET_NS,
    phase_ns: int = PHASE_NS,
) -> Probe:
    """Probe a call, its controls having been seen to already.

    Args:
        name: what to call it in the answer.
        call: what is called, without arguments; or a subject, which makes its arguments anew.
        doubt: why the answer cannot be trusted, or there is none to give; None if all is well.
        budget_ns: after this no more evidence is sought; a call that has begun is waited for.
        phase_ns: how long each witness first looks on.
    """
    if doubt is None and (reason := unreadable()):
        doubt = Doubt(reason)
    if doubt is not None:
        return unanswered(name, doubt)
    left, begin = Leftovers(), time.perf_counter_ns()
    with call if isinstance(call, Subject) else Subject(call) as subject:
        session = _Session(subject)
        session.begin()  # the first may import, allocate, fill caches
        spoilt = left.trouble()
        if not spoilt and session.first_ns >= LONG_NS:
            spoilt = _ask_once(session, left)
        elif not spoilt:
            spoilt = _gather(session, begin + budget_ns, phase_ns, left)
    if spoilt:
        return unanswered(name, Doubt(spoilt), calls=session.calls, call_ns=session.call_ns)
    return _answer(name, session, subject.kind)


def _gather(session: _Session, end_ns: int, phase_ns: int, left: Leftovers) -> str:
    """Ask the witnesses by turns until they are sure or time is up. Returns what spoilt it, or ""."""
    while True:
        for ask in (session.watched, session.beaten):
            began = time.perf_counter_ns()
            ask(phase_ns)
            if spoilt := left.trouble():
                return spoilt
        now = time.perf_counter_ns()
        late_ns = 0 if judge(session.evidence)[1] else now + 2 * max(phase_ns, now - began) - end_ns
        if is_firm(session.evidence) or late_ns > 0 or now > end_ns + BUDGET_NS:
            return ""
        phase_ns = min(2 * phase_ns, 400_000_000)


def _ask_once(session: _Session, left: Leftovers) -> str:
    """Ask each witness about one long call; the first call will do for the looks, if it was one like the next."""
    session.beaten(0)
    if 2 * session.call_ns < session.first_ns or not session.is_first_fair:
        session.watched(0)
    else:
        session.take_first()
    return left.trouble()


class _Session:
    """Calls, and what the witnesses say of them."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._interval_s = INTERVAL_S
        self._all, self._calm = Sight((), Evidence()), Sight((), Evidence())
        self._first_seen = self._all
        self.first = Evidence()
        """Of the first call alone."""
        self.is_first_fair = False
        """Whether nobody could make it give the GIL up."""
        self.first_delay_ns = 0
        """How long it waited for a CPU."""
        self.calls = 0
        self.time_ns = 0
        """Of all calls but the first one."""

    @property
    def evidence(self) -> Evidence:
        """What all witnesses say of all calls but the first one."""
        calm = self._calm.evidence
        return self._all.evidence.with_looks_of(calm if calm.looks >= ENOUGH_LOOKS else self._all.evidence)

    @property
    def first_ns(self) -> int:
        """How long the first call took."""
        return self.first.window_ns

    @property
    def call_ns(self) -> float:
        """How long one call took, on average, the first one left out; that one's time if there are no others."""
        return self.time_ns / (self.calls - 1) if self.calls > 1 else float(self.first_ns)

    def begin(self) -> None:
        """The first call, watched like the others, and known by itself."""
        process, before = os.getpid(), _clocks()
        with _glances() as glances, switch_interval(FIRST_INTERVAL_S):
            delay_ns = cpu_delay_ns()
            span = self._subject.first()
            _leave_forked(process)
            self.first_delay_ns = cpu_delay_ns() - delay_ns
        self.calls = 1
        seen = _seen(glances.kept(), [span])
        self._first_seen = Sight(seen.states, seen.evidence + _used_since(before, glances))
        self.first = self._first_seen.evidence
        self._interval_s = max(INTERVAL_S, 4e-9 * self.first_ns)
        self.is_first_fair = self.first_ns < FIRST_INTERVAL_S * 1e9 or len(sys._current_frames()) == 1

    def watched(self, span_ns: int) -> None:
        """Call for ``span_ns`` with the GIL looked at, and nobody else about."""
        before = _clocks()
        with _glances() as glances, switch_interval(self._interval_s):
            spans = self._repeat(span_ns)
        self._hear(_used_since(before, glances))
        self._add(_seen(glances.kept(), spans), _seen(glances.kept(), undisturbed(spans)))

    def beaten(self, span_ns: int) -> None:
        """Call for ``span_ns`` beside a heartbeat."""
        with Heartbeat() as heart, _glances(RARELY_US), switch_interval(self._interval_s):
            spans = self._repeat(span_ns)
        self._hear(seen_in((), spans, 0).evidence + felt_in(heart.beats, spans))

    def take_first(self) -> None:
        """Have the first call be one of those that count."""
        self._add(self._first_seen, self._first_seen)

    def _repeat(self, span_ns: int) -> list[Made]:
        clock, once, process = time.perf_counter_ns, self._subject.once, os.getpid()
        spans: list[Made] = []
        end = _ENDS.setdefault(threading.get_ident(), [0])
        end[0] = clock() + span_ns
        while not spans or clock() < end[0]:
            spans.append(once())
        _leave_forked(process)
        self.calls += len(spans)
        self.time_ns += sum(span.end_ns - span.begin_ns for span in spans)
        return spans

    def _add(self, seen: Sight, calm: Sight) -> None:
        self._all, self._calm = self._all + seen, self._calm + calm

    def _hear(self, said: Evidence) -> None:
        self._all = Sight(self._all.states, self._all.evidence + said)


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


@contextlib.contextmanager
def _glances(period_us: int = PERIOD_US) -> Iterator[Glances]:
    """Glance at the GIL meanwhile; what is yielded tells the glances afterwards."""
    from gilstudy._gilwatch import Glances

    glances = Glances(period_us * 1000, GLANCES)
    glances.start()
    try:
        yield glances
    finally:
        glances.stop()


def _seen(glances: Sequence[Glance], spans: Sequence[Made]) -> Sight:
    from gilstudy._gilwatch import holder_id

    return seen_in(glances, spans, holder_id())


def _clocks() -> tuple[int, int, int]:
    """The time, and the CPU time of this thread and of the process."""
    return time.perf_counter_ns(), time.thread_time_ns(), time.process_time_ns()


def _used_since(before: tuple[int, int, int], glances: Glances) -> Evidence:
    """The time since ``before``, and the CPU time that was used, that of the glances left out."""
    looked_ns, cpu_ns, all_cpu_ns = (now - then for now, then in zip(_clocks(), before, strict=True))
    others_cpu_ns = max(0, all_cpu_ns - cpu_ns - glances.cpu_ns())
    return Evidence(looked_ns=looked_ns, cpu_ns=cpu_ns, others_cpu_ns=others_cpu_ns)


def _answer(name: str, session: _Session, kind: Kind) -> Probe:
    evidence = session.evidence
    verdict, reason = judge(evidence)
    changed = change(session.first, session.first_delay_ns, evidence, verdict)
    if isinstance(changed, Doubt):
        return replace(unanswered(name, changed, calls=session.calls, call_ns=session.call_ns), evidence=evidence)
    has_instants = verdict == "holds" and is_for_an_instant(evidence)
    told = session.call_ns >= TOLD_NS or not evidence.calls_released
    is_known = verdict in ("releases", "mixed", "holds")
    times = evidence.times_released / evidence.calls_looked if evidence.calls_looked and is_known else None
    return Probe(
        name=name,
        verdict=verdict,
        reason=reason,
        calls=session.calls,
        call_ns=session.call_ns,
        released=evidence.released,
        longest_hold_ns=evidence.longest_hold_ns if told else None,
        times_released=times,
        evidence=evidence,
        instants=evidence.calls_released / evidence.calls if has_instants else None,
        notes=tuple(filter(None, (changed, *_notes(verdict, evidence, kind)))),
    )


def _notes(verdict: Verdict, evidence: Evidence, kind: Kind) -> Iterator[str]:
    if kind != "function":
        yield f"it is {'an' if kind[0] in 'aeiou' else 'a'} {kind}, which was run to its end"
    if verdict == "releases" and evidence.has_helpers:
        yield "other threads do some of its work, and do not have the GIL meanwhile"


def unanswered(name: str, doubt: Doubt, *, calls: int = 0, call_ns: float = 0.0) -> Probe:
    """There is no answer."""
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
