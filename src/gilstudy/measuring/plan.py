"""What can be asked for: the arms by name, the worker counts, the budget."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from gilstudy.codec import LARGEST
from gilstudy.errors import BadInput
from gilstudy.host.machine import Host
from gilstudy.measuring.arm import CEILING, Arm, Case, parse
from gilstudy.measuring.modes import mode_named
from gilstudy.measuring.record import Plan

LOOKS: Final = 4
WINDOW_NS: Final = 5_000_000
"""One switch interval: short trials follow the host's drift closely, and a window holds one switch of the GIL."""
WARM_NS: Final = 1_500_000
PRECISION: Final = 0.05
MOST_WORKERS: Final = 512

ARM_NAMES: Final = (
    *("single", "single-nogil", "single-held"),
    *("threads", "threads-nogil", "threads-held"),
    *("processes", CEILING),
)
"""The arms that are timed if nothing else is asked for, in the order of the report."""


def arm_of(name: str) -> Arm:
    """The arm that ``name`` stands for, such as ``threads-nogil`` or ``processes[spawn]``.

    Raises:
        BadInput: there is no such arm here.
    """
    arm = parse(name)
    if arm is None or _plain(arm).name not in ARM_NAMES or arm.runtime:
        raise BadInput(f"there is no arm {name!r}; choose from {', '.join(ARM_NAMES)}")
    if why_not := mode_named(arm.mode).why_not(arm.option):
        raise BadInput(f"there is no arm {name!r} here: {why_not}")
    return arm


def _plain(arm: Arm) -> Arm:
    return Arm(mode=arm.mode, kernel=arm.kernel)


def with_baselines(names: Iterable[str]) -> tuple[Arm, ...]:
    """The arms asked for, in the order of the report, with the ceiling and the baselines that they need."""
    asked = [arm_of(name) for name in dict.fromkeys(names)]
    if not asked:
        raise BadInput(f"name at least one arm: {', '.join(ARM_NAMES)}")
    arms = {*asked, *(arm.baseline for arm in asked), Arm(mode=CEILING)}
    return tuple(sorted(arms, key=lambda arm: (ARM_NAMES.index(_plain(arm).name), arm.name)))


def cases_of(arms: Iterable[Arm], workers: Iterable[int]) -> tuple[Case, ...]:
    """The cases of a round: each arm at each count, each baseline with one worker."""
    cases: dict[Case, None] = {}
    for arm in arms:
        counts = [mode_named(arm.mode).workers(arm.option, asked) for asked in workers]
        for count in [1, *counts] if arm.is_baseline else counts:
            cases[Case(arm=arm, workers=count)] = None
    return tuple(cases)


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
        cases=cases_of(with_baselines(arms), counts),
        budget_s=budget_s,
        level=level,
        seed=seed,
        looks=LOOKS,
        window_ns=WINDOW_NS,
        warm_ns=WARM_NS,
        precision=PRECISION,
    )
