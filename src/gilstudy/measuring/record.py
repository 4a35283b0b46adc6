"""What a study observed, as raw integers: everything else is derived from this and can be derived again.

Times are nanoseconds on the host's monotonic clock (`gilstudy._native.now_ns`), CPU times nanoseconds of the thread's
own CPU clock. Nothing here is computed from another field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, NamedTuple

from gilstudy.codec import Count, Positive, Range, Workers
from gilstudy.host.counters import Counters
from gilstudy.host.machine import Host
from gilstudy.host.runtime import Runtime
from gilstudy.measuring.arm import Arm, Case
from gilstudy.measuring.observations import Observations

SCHEMA: Final = 2
"""Version of the document; `gilstudy.measuring.upgrade` brings older ones up to it.

1 (2026-11): the first. 2 (2026-11): arms are their parts and their names derived, the plan lists its cases, laps are
called batches and know their interpreter, arms that took no part stand apart from those that failed, and cautions are
concluded."""


class Edge(NamedTuple):
    """The two batch boundaries of a worker that straddle an instant (the opening or the closing of the window)."""

    before_ns: Count
    after_ns: Count
    batches: Count
    """Batches done at ``before_ns``; one more is done at ``after_ns``."""
    cpu_ns: Count
    """The worker thread's CPU time at ``after_ns``."""


class Span(NamedTuple):
    """What one worker did in one trial."""

    ready_ns: Count
    """When the system woke it, read before it could wait for the GIL."""
    open: Edge
    close: Edge


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One timed turn of a case: ``workers`` repeat a batch of ``batch`` steps and are counted from open to close."""

    round: Count
    arm: str
    workers: Workers
    cpus: tuple[Annotated[int, Range(-1, 1 << 16)], ...]
    """The CPU that each worker was pinned to; -1 where it was not."""
    batch: Positive
    open_ns: Count
    close_ns: Count
    gil: bool | None
    """Whether the GIL was on, read after the trial; None if the interpreter cannot tell."""
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was asked for."""

    workers: tuple[Workers, ...]
    """The worker counts that were asked for."""
    cases: tuple[Case, ...]
    """All that is timed in a round, baselines and ceiling included. Those of one worker that are baselines are timed
    on each CPU in use."""
    budget_s: Annotated[float, Range(0.1, 1e6)]
    level: Annotated[float, Range(0.5, 0.999)]
    seed: int
    """Of the random order of trials, and of the bootstrap."""
    looks: Annotated[int, Range(1, 1000)]
    """How many times the study may look at its results to decide whether to stop."""
    window_ns: Positive
    warm_ns: Count
    """How long the workers run before the window opens."""
    precision: Annotated[float, Range(0, 1000)]
    """Half-width of an interval, relative to its point, at which it counts as narrow enough."""

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The arms of the cases, each once, in their order."""
        return tuple(dict.fromkeys(case.arm for case in self.cases))


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """How many steps of a kernel make a batch, and what showed that its time is linear in the number of steps."""

    kernel: str
    runtime: str
    """The label of the interpreter, as in an arm; "" for the study's own."""
    steps: Positive
    once_ns: Count
    """The best time of ``steps`` steps."""
    double_ns: Count
    """The best time of twice as many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An arm that ended early."""

    arm: str
    round: Count
    """The round in which it failed."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """An arm that was lost before the first round, or that cannot be had here."""

    arm: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A whole study as it was observed."""

    started: str
    """Local date and time, ISO 8601 with the offset."""
    elapsed_s: Annotated[float, Range(0, 1e9)]
    """From the start of the study to the end of its last trial, stations' start-up included."""
    interrupted: bool
    plan: Plan
    host: Host
    before: Counters
    after: Counters
    pinned: bool
    """Whether workers were pinned to CPUs."""
    runtimes: dict[str, Runtime]
    """The interpreter under which each arm ran."""
    batches: tuple[Batch, ...]
    trials: tuple[Trial, ...]
    unavailable: tuple[Unavailable, ...]
    """The arms of the plan that took no part: none vanishes without a reason."""
    failures: tuple[Failure, ...]
    """Those that took part, and not to the end."""
    observations: Observations | None
    """What the experiments on switching, shared variables and locks observed; None if they were not asked for."""

    @property
    def lost(self) -> dict[str, str]:
        """The arms that took no part, or not to the end, and why."""
        early = {arm.arm: arm.reason for arm in self.unavailable}
        return early | {failure.arm: failure.reason for failure in self.failures}
