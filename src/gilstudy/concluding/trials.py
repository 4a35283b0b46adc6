"""One trial: the work that its workers did in the common window, and whether they had the CPUs that they can use."""

from __future__ import annotations

from typing import Final

from gilstudy.host.machine import Host
from gilstudy.measuring.arm import SINGLE, Arm
from gilstudy.measuring.record import Edge, Trial

HAD_ITS_CPUS: Final = 0.97
"""The share of the cores that it can use which an arm surely gets where no other work takes them away."""
_KEEPS_THE_GIL: Final = ("", "held")
_KNOWN: Final = (*_KEEPS_THE_GIL, "nogil")


def work_at(edge: Edge, instant_ns: int) -> float:
    """Batches that a worker had done at ``instant_ns``, which ``edge`` straddles: interpolated within the batch."""
    length_ns = max(1, edge.after_ns - edge.before_ns)
    return edge.batches + min(1.0, max(0.0, (instant_ns - edge.before_ns) / length_ns))


def rates(trial: Trial) -> list[float]:
    """Each worker's steps per second within the trial's common window."""
    window_s = (trial.close_ns - trial.open_ns) / 1e9
    return [
        (work_at(span.close, trial.close_ns) - work_at(span.open, trial.open_ns)) * trial.batch / window_s
        for span in trial.spans
    ]


def cores_used(trial: Trial) -> float:
    """CPU time that the workers used in the trial's window, as a number of cores.

    A worker's CPU time is known at the ends of two batches; the part in the window is that of the batches in it.
    """
    used_ns = 0.0
    for span in trial.spans:
        batches = work_at(span.close, trial.close_ns) - work_at(span.open, trial.open_ns)
        used_ns += (span.close.cpu_ns - span.open.cpu_ns) * batches / max(1, span.close.batches - span.open.batches)
    return used_ns / (trial.close_ns - trial.open_ns)


def tells_cpu_time(host: Host) -> bool:
    """Whether CPU time is told finely enough for a window: Windows counts it in ticks of 16 ms, longer than one."""
    return not host.os.startswith("Windows")


def usable_cores(arm: Arm, trial: Trial, host: Host) -> float | None:
    """How many cores the arm keeps busy in this trial if nobody else wants them; None if that is not known.

    A quota below that takes CPUs away as other work does, but it is the host's limit: there it is not known.
    """
    cpus = min(trial.workers, len(set(trial.cpus)) if -1 not in trial.cpus else len(host.placement))
    if arm.kernel not in _KNOWN or not tells_cpu_time(host):
        return None
    if host.quota_cpus is not None and host.quota_cpus < cpus:
        return None
    if arm.mode == SINGLE:
        return 1.0
    if arm.mode == "threads":
        takes_turns = arm.kernel in _KEEPS_THE_GIL and trial.gil is not False
        return 1.0 if takes_turns else float(cpus)
    return float(cpus) if arm.is_ceiling or arm.mode == "processes" else None


def is_undisturbed(arm: Arm, trial: Trial, host: Host) -> bool | None:
    """Whether the trial's workers had the CPUs that they can use; None if that cannot be known."""
    usable = usable_cores(arm, trial, host)
    return None if usable is None else cores_used(trial) >= HAD_ITS_CPUS * usable
