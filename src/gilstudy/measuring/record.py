"""What a study observed, as raw integers: everything else is derived from this and can be derived again.

Times are nanoseconds on the host's monotonic clock (`gilstudy._native.now_ns`), CPU times nanoseconds of the thread's
own CPU clock. Nothing here is computed from another field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal, NamedTuple

from gilstudy.codec import LARGEST, Count, Positive, Range, Workers
from gilstudy.host.counters import Pulse
from gilstudy.host.machine import Host
from gilstudy.host.runtime import Runtime
from gilstudy.measuring.observations import Observations

SCHEMA: Final = 1
"""Version of the document. 1 (2026-11): the first."""


class Edge(NamedTuple):
    """The two lap boundaries of a worker that straddle an instant (the opening or the closing of the window)."""

    before_ns: Count
    after_ns: Count
    laps: Count
    """Laps done at ``before_ns``; one more is done at ``after_ns``."""
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
    """One timed turn of a case: ``workers`` repeat a lap of ``lap`` steps and are counted from open to close."""

    round: Count
    arm: str
    workers: Workers
    cpus: tuple[Annotated[int, Range(-1, 1 << 16)], ...]
    """The CPU that each worker was pinned to; -1 where it was not."""
    lap: Positive
    open_ns: Count
    close_ns: Count
    gil: bool | None
    """Whether the GIL was on, read after the trial; None if the interpreter cannot tell."""
    spans: tuple[Span, ...]


ModeName = Literal["single", "threads", "processes", "native"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A kernel and the mode in which workers run it: the thing that is timed."""

    name: str
    kernel: str
    mode: ModeName
    baseline: str
    """The arm whose single worker is the denominator of this one's speedups."""
    start_method: str = ""
    """How processes are started; "" for the interpreter's own default."""

    @property
    def is_ceiling(self) -> bool:
        """Whether this arm shows what the host can give."""
        return self.mode == "native"

    @property
    def is_baseline(self) -> bool:
        """Whether other arms' speedups are ratios to this one."""
        return self.name == self.baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was asked for."""

    workers: tuple[Workers, ...]
    arms: tuple[Arm, ...]
    """Every arm that is timed, baselines and ceiling included."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Lap:
    """How many steps of a kernel make a lap, and what showed that its time is linear in the number of steps."""

    kernel: str
    steps: Positive
    once_ns: Count
    """The best time of ``steps`` steps."""
    double_ns: Count
    """The best time of twice as many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An arm that ended early."""

    arm: str
    round: Annotated[int, Range(-1, LARGEST)]
    """The round in which it failed; -1 before the first."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Caution:
    """Something that a reader must know to judge the numbers: a kind, and its facts."""

    kind: str
    facts: dict[str, float]


CAUTIONS: Final = {
    "quota": ("quota_cpus", "workers"),
    "one-cpu": (),
    "more-workers-than-cpus": ("workers", "cpus"),
    "shared-cores": ("cores",),
    "mixed-cpus": (),
    "cpu-count-limited": ("cpus", "usable"),
    "throttled": ("periods", "seconds"),
    "contended": ("share",),
    "steal": ("cpus",),
    "too-hot": ("times",),
    "busy-host": ("load",),
    "not-pinned": (),
    "gil-re-enabled": (),
    "not-linear-python": ("ratio",),
    "not-linear-native": ("ratio",),
}
"""The facts that each kind of caution has."""


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
    before: Pulse
    after: Pulse
    pinned: bool
    """Whether workers were pinned to CPUs."""
    runtimes: dict[str, Runtime]
    """The interpreter under which each arm ran."""
    laps: tuple[Lap, ...]
    trials: tuple[Trial, ...]
    failures: tuple[Failure, ...]
    cautions: tuple[Caution, ...]
    observations: Observations | None
    """What the experiments on switching, shared variables and locks observed; None if they were not asked for."""
