"""What disturbs a measurement from outside and changes all the time: load, stolen time, throttling, pressure.

It is read before and after a study; `change` tells what happened in between. The counters of the whole host run since
it was started, those of throttling since this process's control groups were made. On Linux they come from ``/proc``
and ``/sys`` (proc_stat(5), the kernel's documents on PSI and on cgroups); elsewhere `psutil` gives a part of them.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from gilstudy.codec import Count, Range
from gilstudy.host.cgroup import ROOT, read_throttling, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """The host at one instant. None stands for what this system does not tell."""

    at_ns: Count
    """The time on the monotonic clock."""
    load_1: Annotated[float, Range(0, 1e9)] | None
    """Load average of the last minute: tasks that ran or waited for a CPU (on Linux also for a disk)."""
    load_5: Annotated[float, Range(0, 1e9)] | None
    load_15: Annotated[float, Range(0, 1e9)] | None
    busy_ns: Count | None
    """Time that all the host's CPUs together spent on any work, in steps of about 10 ms."""
    steal_ns: Count | None
    """Time in which the host's CPUs had work, but the hypervisor ran somebody else."""
    periods: Count
    """Quota periods of this process's control groups; 0 without a quota. This and the next two: `cgroup.Throttling`."""
    throttled_periods: Count
    throttled_ns: Count
    pressure_us: Count | None
    """PSI: microseconds in which at least one task of the host waited for a CPU."""
    context_switches: Count | None
    """Context switches of the whole host."""
    thermal_throttles: Count | None
    """How often CPU cores slowed down because they were too hot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterChange:
    """What happened between two readings. None where either does not tell, or where a counter began anew."""

    elapsed_ns: int
    busy_ns: int | None
    steal_ns: int | None
    periods: int | None
    throttled_periods: int | None
    throttled_ns: int | None
    pressure_us: int | None
    context_switches: int | None
    thermal_throttles: int | None

    @property
    def cpus_stolen(self) -> float | None:
        """How many CPUs the hypervisor took away on average."""
        return _ratio(self.steal_ns, self.elapsed_ns)


def read_counters(root: Path = ROOT) -> Counters:
    """The host right now.

    Args:
        root: the folder that holds ``proc`` and ``sys``.
    """
    loads = _loads(root)
    counters = _counters(root)
    throttling = read_throttling(root)
    return Counters(
        at_ns=time.monotonic_ns(),
        load_1=loads[0],
        load_5=loads[1],
        load_15=loads[2],
        busy_ns=counters.busy_ns,
        steal_ns=counters.steal_ns,
        periods=throttling.periods,
        throttled_periods=throttling.throttled_periods,
        throttled_ns=throttling.throttled_ns,
        pressure_us=_pressure_us(root),
        context_switches=counters.context_switches,
        thermal_throttles=_thermal_throttles(root),
    )


def change(before: Counters, after: Counters) -> CounterChange:
    """What happened between ``before`` and ``after``."""
    return CounterChange(
        elapsed_ns=after.at_ns - before.at_ns,
        busy_ns=_growth(before.busy_ns, after.busy_ns),
        steal_ns=_growth(before.steal_ns, after.steal_ns),
        periods=_growth(before.periods, after.periods),
        throttled_periods=_growth(before.throttled_periods, after.throttled_periods),
        throttled_ns=_growth(before.throttled_ns, after.throttled_ns),
        pressure_us=_growth(before.pressure_us, after.pressure_us),
        context_switches=_growth(before.context_switches, after.context_switches),
        thermal_throttles=_growth(before.thermal_throttles, after.thermal_throttles),
    )


def _growth(before: int | None, after: int | None) -> int | None:
    return after - before if before is not None and after is not None and after >= before else None


def _ratio(part: int | None, whole: int | None) -> float | None:
    return part / whole if part is not None and whole else None


# -- reading -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Counters:
    busy_ns: int | None = None
    steal_ns: int | None = None
    context_switches: int | None = None


def _loads(root: Path) -> tuple[float, float, float] | tuple[None, None, None]:
    words = text_of(root / "proc/loadavg").split()[:3]
    with contextlib.suppress(ValueError):
        one, five, fifteen = (float(word) for word in words)
        return one, five, fifteen
    if not sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):  # Windows has no load average
            return os.getloadavg()
    return None, None, None


def _counters(root: Path) -> _Counters:
    if sys.platform.startswith("linux") or root != ROOT:
        return _linux_counters(text_of(root / "proc/stat"))
    import psutil

    times, stats = psutil.cpu_times(), psutil.cpu_stats()
    return _Counters(busy_ns=round((times.user + times.system) * 1e9), context_switches=stats.ctx_switches)


def _linux_counters(text: str) -> _Counters:
    ticks: list[int] = []
    switches = None
    for line in text.splitlines():
        name, *values = line.split()[:11] or [""]
        if name == "cpu":
            ticks = _numbers(values)
        elif name == "ctxt":
            switches = next(iter(_numbers(values)), None)
    tick_ns = 1_000_000_000 // _ticks_per_second()
    # user nice system idle iowait irq softirq steal guest guest_nice; user and nice include the two of guests
    busy = sum(ticks[:3]) + sum(ticks[5:7]) if len(ticks) >= 4 else None
    return _Counters(
        busy_ns=None if busy is None else busy * tick_ns,
        steal_ns=ticks[7] * tick_ns if len(ticks) > 7 else None,
        context_switches=switches,
    )


def _numbers(words: Sequence[str]) -> list[int]:
    """The leading words that are whole numbers of a sensible length."""
    numbers = []
    for word in words:
        if not (word.isdecimal() and len(word) <= 20):
            break
        numbers.append(int(word))
    return numbers


def _ticks_per_second() -> int:
    try:
        return max(1, os.sysconf("SC_CLK_TCK"))
    except (AttributeError, ValueError, OSError):
        return 100


def _pressure_us(root: Path) -> int | None:
    for line in text_of(root / "proc/pressure/cpu").splitlines():
        name, *words = line.split() or [""]
        if name == "some":
            totals = [word.removeprefix("total=") for word in words if word.startswith("total=")]
            return next(iter(_numbers(totals)), None)
    return None


def _thermal_throttles(root: Path) -> int | None:
    pattern = "sys/devices/system/cpu/cpu*/thermal_throttle/core_throttle_count"
    try:
        files = list(root.glob(pattern))
    except OSError:
        return None
    counts = [_numbers(text_of(file).split()[:1]) for file in files]
    return sum(count[0] for count in counts if count) if any(counts) else None
