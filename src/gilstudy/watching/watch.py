"""``with gilstudy.watch() as w: ...``: see who holds the GIL, and what each thread does, while your own code runs."""

from __future__ import annotations

import sys
import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Final

from gilstudy.errors import BadInput
from gilstudy.host.runtime import gil_enabled
from gilstudy.watching import lastreport, names
from gilstudy.watching.assemble import Raw, assemble
from gilstudy.watching.gathering import Told, gather
from gilstudy.watching.gil import NO_GIL, unreadable, unwatchable, wanted_by
from gilstudy.watching.lastreport import LastReport
from gilstudy.watching.pieces import UNSEEN_AFTER_NS
from gilstudy.watching.summary import Summary, summarise
from gilstudy.watching.trace import Trace

if TYPE_CHECKING:
    from gilstudy._gilwatch import Sampler

SHORTEST_US: Final = 20
LONGEST_US: Final = 1000
LOOKS_PER_INTERVAL: Final = 2
"""Looks per switch interval, at the least, if no period is given: enough for busy threads' holds.

More of them cost more than they tell: they keep a CPU awake, and that alone lengthens the holds (bench/watch.py)."""
LANES_EVERY_NS: Final = 2_000_000
"""Threads are looked at less often than the GIL, unless it changes hands: it takes a system call for each at least."""
THREAD_ROOM: Final = 1 << 15
"""Threads that are remembered, 64 bytes each. Half of them may live at once; ended ones are forgotten when need be."""
CAPACITY: Final = 1 << 18
"""Entries that are kept of the GIL and of the threads, 32 and 48 bytes each; memory is used only as they fill up."""


def default_period_us() -> float:
    """The period in microseconds if nothing else is asked for: half the switch interval, 50 to 1000."""
    return min(LONGEST_US, max(50.0, sys.getswitchinterval() * 1e6 / LOOKS_PER_INTERVAL))


def watch(*, period_us: float | None = None, lanes: bool = True, capacity: int = CAPACITY) -> Watch:
    """A watch, to be used in a ``with`` statement; or call its `Watch.start` and `Watch.stop`.

    A native thread looks at the GIL after half to twice ``period_us``, at random, and at the threads when it has
    changed hands, or every two milliseconds. It never takes the GIL. What is shorter than the period is seen only
    sometimes; each look costs CPU time, some 2 to 30 us, nearly all of it for waking up. Where the GIL cannot be read
    the watch runs without it: see `Watch.gil_reason`.

    Args:
        period_us: from 20 to 1000; by default `default_period_us`.
        lanes: whether to look at threads and child processes too (Linux).
        capacity: how many entries are kept; when there are more, the oldest are lost, and counted in `Trace.lost`.

    Raises:
        BadInput: a period outside these limits, or too small a capacity.
    """
    return Watch(period_us=period_us, lanes=lanes, capacity=capacity)


class Watch:
    """One watch: started once, stopped once; it can be read while it runs."""

    def __init__(self, *, period_us: float | None = None, lanes: bool = True, capacity: int = CAPACITY) -> None:
        period_us = default_period_us() if period_us is None else period_us
        if not SHORTEST_US <= period_us <= LONGEST_US:
            raise BadInput(f"the watch's period must be {SHORTEST_US} to {LONGEST_US} us, not {period_us:g}")
        if capacity < 2:
            raise BadInput(f"the capacity of a watch is 2 entries at least, not {capacity}")
        self._period_ns = round(period_us * 1000)
        self._lane_period_ns = max(LANES_EVERY_NS, self._period_ns)
        self._capacity = capacity
        self._thread_room = THREAD_ROOM
        self._lanes = lanes
        self._sampler: Sampler | None = None
        self._end: weakref.finalize[[Sampler], Watch] | None = None
        self._is_started = False
        self._gil_reason = self._lanes_reason = "not started"
        self._interval_s = 0.0

    @property
    def gil_reason(self) -> str:
        """Why there is nothing to be seen of the GIL right now; "" if there is."""
        return self._gil_reason or ("" if gil_enabled() else NO_GIL)

    @property
    def lanes_reason(self) -> str:
        """Why there is nothing to be seen of what the threads do; "" if there is."""
        return self._lanes_reason

    def start(self) -> None:
        """Begin to watch.

        Raises:
            RuntimeError: it was started before.
            OSError: the system refuses a thread, or 16 watches run already.
        """
        if self._sampler is not None:
            raise RuntimeError("a watch is started only once")
        self._is_started = True
        self._gil_reason = unreadable()
        self._lanes_reason = unwatchable()
        if self._lanes_reason:
            return
        from gilstudy._gilwatch import Sampler

        sampler = Sampler(self._period_ns, self._lane_period_ns, self._capacity, UNSEEN_AFTER_NS, self._thread_room)
        self._lanes_reason = sampler.lanes_reason() if self._lanes else "not asked for"
        self._interval_s = sys.getswitchinterval()
        sampler.start(not self._gil_reason, not self._lanes_reason)
        self._sampler = sampler
        # Also when it is forgotten, and before the interpreter ends: what it looks at goes away then.
        self._end = weakref.finalize(self, _end, sampler)
        names.begin(sampler)

    def stop(self) -> None:
        """End the watch, and wait until its thread has ended. A second time it does nothing."""
        if self._end is not None:
            self._end()

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def trace(self) -> Trace:
        """All that was seen so far.

        Raises:
            RuntimeError: the watch was not started.
        """
        if self._sampler is None:
            if not self._is_started:
                raise RuntimeError("the watch was not started: there is nothing to see yet")
            return _nothing(self._gil_reason, self._lanes_reason)
        return assemble(self._raw(self._sampler))

    def summary(self) -> Summary:
        """The trace in figures, see `trace`."""
        return summarise(self.trace())

    def arm(self, report: LastReport) -> bool:
        """Have the program end, with a last report, when time is up or it does not answer: see `lastreport.arm`.

        Returns:
            whether that can be done here, and whether the watch runs.
        """
        return self._sampler is not None and lastreport.arm(self._sampler, self._told(), report)

    def _told(self) -> Told:
        return Told(
            gil_reason=self._gil_reason,
            lanes_reason=self._lanes_reason,
            gil_wanted_by=wanted_by(),
            switch_interval_s=self._interval_s,
            period_ns=self._period_ns,
        )

    def _raw(self, sampler: Sampler) -> Raw:
        names.tell(sampler)
        return gather(sampler, self._told())


def _nothing(gil_reason: str, lanes_reason: str) -> Trace:
    facts = (
        *("begin_ns", "end_ns", "polls", "longest_gap_ns", "cpu_ns", "first_switches", "last_switches"),
        *("interval_us", "interval_changes", "others", "opened_anew"),
        *("lost_changes", "lost_turns", "lost_threads", "lost_lanes"),
    )
    return assemble(
        Raw(
            facts=dict.fromkeys(facts, 0),
            changes=(),
            turns=(),
            threads=(),
            lanes=(),
            gil_reason=gil_reason,
            lanes_reason=lanes_reason,
            switch_interval_s=sys.getswitchinterval(),
            period_ns=0,
        )
    )


def _end(sampler: Sampler) -> None:
    sampler.stop()
    names.end(sampler)
