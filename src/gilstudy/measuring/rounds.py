"""What is played in a round, and when the study looks at its results. No clock, no process: one seeded generator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from gilstudy.measuring.arm import Arm
from gilstudy.measuring.kernels import IN_C, SUBJECT
from gilstudy.measuring.record import Plan

MOST_BASELINE_CPUS: Final = 8
"""Baselines are taken on every CPU in use; on large hosts on so many of them, drawn anew in each round."""
FIRST_LOOK: Final = 0.4
"""The share of the budget after which the study first looks whether it may stop."""

BatchKey = tuple[str, str]
"""A kernel and a runtime: what a batch's number of steps is found for."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One trial to be played: an arm, and a CPU for each worker (-1: wherever the system puts it)."""

    arm: Arm
    cpus: tuple[int, ...]


class Rounds:
    """The rounds of a plan on a host whose CPUs are ``placement``, one worker to each in this order."""

    def __init__(self, plan: Plan, placement: Sequence[int]) -> None:
        self._plan, self._placement = plan, placement
        self._random = Random(plan.seed)

    def shuffled(self) -> list[Ask]:
        """The next round, in random order."""
        asks = self.cases()
        self._random.shuffle(asks)
        return asks

    def cases(self) -> list[Ask]:
        """All cases once, baselines with one worker on each CPU in use, in the plan's order."""
        in_use = self._in_use()
        asks: list[Ask] = []
        for case in self._plan.cases:
            if case.arm.is_baseline and case.workers == 1:
                asks += [Ask(case.arm, (cpu,)) for cpu in in_use]
            else:
                asks.append(Ask(case.arm, self._places(case.workers)))
        return asks

    def _in_use(self) -> Sequence[int]:
        places = self._placement[: max(case.workers for case in self._plan.cases)]
        if tuple(places) == (-1,):  # not pinned: as many baselines as on two CPUs, wherever the system puts them
            return (-1, -1)
        return self._random.sample(places, min(len(places), MOST_BASELINE_CPUS))

    def _places(self, count: int) -> tuple[int, ...]:
        """A CPU for each worker; who gets which is drawn anew each time."""
        places = [self._placement[place % len(self._placement)] for place in range(count)]
        self._random.shuffle(places)
        return tuple(places)


def look_times(plan: Plan, spent_s: float) -> list[float]:
    """When to look: the first look after a part of the time that is left, the last when the budget is spent."""
    first_s = spent_s + FIRST_LOOK * (plan.budget_s - spent_s)
    step_s = (plan.budget_s - first_s) / max(1, plan.looks - 1)
    return [first_s + step_s * look for look in range(plan.looks - 1)]


def batch_key(arm: Arm) -> BatchKey:
    """The batch that an arm's trials are made of. C kernels and the ceiling share one: they differ in the GIL alone."""
    in_c = arm.is_ceiling or arm.kernel in IN_C
    return IN_C[0] if in_c else arm.kernel or SUBJECT, arm.runtime


def calibrators(arms: Iterable[Arm]) -> dict[BatchKey, list[Arm]]:
    """For each batch the arms that it is for, in the order in which they are asked to find it, should others be lost.

    Baselines come first, and of the C kernels the one that it is named after.
    """
    found: dict[BatchKey, list[Arm]] = {}
    for arm in sorted(arms, key=lambda arm: (arm.kernel in IN_C[1:], not arm.is_baseline)):
        found.setdefault(batch_key(arm), []).append(arm)
    return found
