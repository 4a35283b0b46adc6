"""What can be asked for: the arms by name, the worker counts, the budget."""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from gilstudy.codec import LARGEST
from gilstudy.errors import BadInput
from gilstudy.host.machine import Host
from gilstudy.measuring.record import Arm, Plan

LOOKS: Final = 4
WINDOW_NS: Final = 5_000_000
"""One switch interval: short trials follow the host's drift closely, and a window holds one switch of the GIL."""
WARM_NS: Final = 1_500_000
PRECISION: Final = 0.05
MOST_WORKERS: Final = 512


CEILING: Final = "ceiling"

_KNOWN: Final = (
    Arm(name="single", kernel="python", mode="single", baseline="single"),
    Arm(name="single-nogil", kernel="nogil", mode="single", baseline="single-nogil"),
    Arm(name="single-held", kernel="held", mode="single", baseline="single-held"),
    Arm(name="threads", kernel="python", mode="threads", baseline="single"),
    Arm(name="threads-nogil", kernel="nogil", mode="threads", baseline="single-nogil"),
    Arm(name="threads-held", kernel="held", mode="threads", baseline="single-held"),
    Arm(name="processes", kernel="python", mode="processes", baseline="single"),
    Arm(name=CEILING, kernel="native", mode="native", baseline=CEILING),
)
ARM_NAMES: Final = tuple(arm.name for arm in _KNOWN)
_BY_NAME: Final = {arm.name: arm for arm in _KNOWN}


def arm_of(name: str) -> Arm:
    """The arm that ``name`` stands for, such as ``threads-nogil`` or ``processes[spawn]``.

    Raises:
        BadInput: there is no such arm here.
    """
    match = re.fullmatch(r"([^\[\]@]+)(?:\[([^\[\]]*)\])?", name)
    base = _BY_NAME.get(match[1]) if match else None
    if not match or base is None:
        raise BadInput(f"there is no arm {name!r}; choose from {', '.join(ARM_NAMES)}")
    if match[2] is None:
        return base
    methods = multiprocessing.get_all_start_methods()
    if base.mode != "processes":
        raise BadInput(f"the arm {base.name} starts no process, so it takes no [{match[2]}]")
    if match[2] not in methods:
        raise BadInput(f"this system cannot start processes by {match[2]!r}; choose from {', '.join(methods)}")
    return replace(base, name=name, start_method=match[2])


def with_baselines(names: Iterable[str]) -> tuple[Arm, ...]:
    """The arms asked for, in the order of the table, with the ceiling and the baselines that they need."""
    asked = [arm_of(name) for name in dict.fromkeys(names)]
    if not asked:
        raise BadInput(f"name at least one arm: {', '.join(ARM_NAMES)}")
    needed = {arm.baseline for arm in asked} | {CEILING}
    extra = [_BY_NAME[name] for name in needed - {arm.name for arm in asked}]
    return tuple(sorted([*asked, *extra], key=lambda arm: (_rank(arm), arm.name)))


def _rank(arm: Arm) -> int:
    return ARM_NAMES.index(arm.name.partition("[")[0])


def default_workers(host: Host) -> tuple[int, ...]:
    """Two workers; on larger hosts also as many as there are cores to use, up to eight."""
    cores = min(8, host.default_cpus)
    return (2, cores) if cores >= 4 else (2,)


def default_budget_s(workers: Sequence[int]) -> float:
    """12 s for a study of two workers, and more when more cases and baselines share the time."""
    return round(12.0 * (1 + 0.1 * (max(workers) - 2) + 0.4 * (len(workers) - 1)), 1) if max(workers) > 2 else 12.0


def make_plan(
    *,
    workers: Sequence[int],
    arms: Iterable[str] = ARM_NAMES,
    budget_s: float | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Plan:
    """A checked plan.

    Args:
        workers: worker counts, each from 1 to 512.
        arms: arm names; the baselines and the ceiling are added where they are missing.
        budget_s: seconds for the whole study, from start to verdicts; None for what suits the worker counts.
        level: confidence level of the intervals, between 0.5 and 0.999.
        seed: seed of the random order of trials.

    Raises:
        BadInput: a value is out of its range.
    """
    counts = tuple(sorted(set(workers)))
    if not counts or counts[0] < 1 or counts[-1] > MOST_WORKERS:
        raise BadInput(f"worker counts go from 1 to {MOST_WORKERS}")
    budget_s = default_budget_s(counts) if budget_s is None else budget_s
    if not 1 <= budget_s <= 86_400:
        raise BadInput("the budget is a number of seconds from 1 to 86400")
    if abs(seed) > LARGEST:
        raise BadInput("the seed is a whole number of at most 63 bits")
    if not 0.5 <= level <= 0.999:
        raise BadInput("the confidence level goes from 0.5 to 0.999")
    return Plan(
        workers=counts,
        arms=with_baselines(arms),
        budget_s=budget_s,
        level=level,
        seed=seed,
        looks=LOOKS,
        window_ns=WINDOW_NS,
        warm_ns=WARM_NS,
        precision=PRECISION,
    )
