"""What a reader must know of the host and the set-up to judge a study's numbers, as values.

The words, and what to do about each, are the report's (`gilstudy.report.wording`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from gilstudy.host.counters import Counters, change
from gilstudy.host.machine import Host
from gilstudy.measuring.record import Plan, Record, Trial

BUSY_LOAD: Final = 0.5
"""A load average, before the study began, that shows somebody else at work."""
LEAST_STEAL: Final = 0.02
"""CPUs that a hypervisor took away on average."""
LEAST_SHARE: Final = 0.95
"""The share of its CPU that a single worker has on a host without other work."""
LINEAR: Final = (1.6, 2.5)
"""Twice the steps should take twice the time; a loop that the compiler removed takes the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caution:
    """Something that a reader must know to judge the numbers: a kind, and its facts."""

    kind: str
    facts: dict[str, float]


def cautions(record: Record) -> tuple[Caution, ...]:
    """Everything worth a caution, the gravest first."""
    found = [
        *_of_size(record.plan, record.host),
        *_of_disturbance(record.before, record.after),
        *_of_contention(record.host, record.trials),
        *_of_method(record),
    ]
    return tuple(Caution(kind=kind, facts=facts) for kind, facts in found)


Found = Iterator[tuple[str, dict[str, float]]]


def _of_size(plan: Plan, host: Host) -> Found:
    most, cpus = max(plan.workers), len(host.placement)
    if host.quota_cpus is not None and host.quota_cpus < min(most, cpus):
        yield "quota", {"quota_cpus": host.quota_cpus, "workers": most}
    if cpus == 1:
        yield "one-cpu", {}
    elif most > cpus:
        yield "more-workers-than-cpus", {"workers": most, "cpus": cpus}
    taken = host.placement[:most]
    if shared := sum(len(set(core) & set(taken)) > 1 for core in host.cores):
        yield "shared-cores", {"cores": shared}
    if host.is_mixed:
        yield "mixed-cpus", {}
    if host.python_cpu_count is not None and host.python_cpu_count < len(host.usable_cpus):
        yield "cpu-count-limited", {"cpus": host.python_cpu_count, "usable": len(host.usable_cpus)}


def _of_disturbance(before: Counters, after: Counters) -> Found:
    between = change(before, after)
    if between.throttled_periods:
        yield "throttled", {"periods": between.throttled_periods, "seconds": (between.throttled_ns or 0) / 1e9}
    if between.cpus_stolen is not None and between.cpus_stolen > LEAST_STEAL:
        yield "steal", {"cpus": round(between.cpus_stolen, 2)}
    if between.thermal_throttles:
        yield "too-hot", {"times": between.thermal_throttles}
    if before.load_1 is not None and before.load_1 > BUSY_LOAD:
        yield "busy-host", {"load": round(before.load_1, 2)}


def _of_contention(host: Host, trials: Iterable[Trial]) -> Found:
    """Whether single workers, with a CPU to themselves, had it all the time."""
    used_ns = wall_ns = 0
    for trial in trials:
        if trial.workers == 1 and not host.os.startswith("Windows"):  # which counts CPU time in long ticks
            (span,) = trial.spans
            used_ns += span.close.cpu_ns - span.open.cpu_ns
            wall_ns += span.close.after_ns - span.open.after_ns
    if wall_ns and used_ns / wall_ns < LEAST_SHARE:
        yield "contended", {"share": round(1 - used_ns / wall_ns, 2)}


def _of_method(record: Record) -> Found:
    if not record.pinned:
        yield "not-pinned", {}
    if any(runtime.build == "free-threaded" and runtime.gil_enabled for runtime in record.runtimes.values()):
        yield "gil-re-enabled", {}
    for batch in record.batches:
        ratio = batch.double_ns / max(1, batch.once_ns)
        if not LINEAR[0] <= ratio <= LINEAR[1]:
            yield f"not-linear-{batch.kernel}", {"ratio": round(ratio, 2)}
