"""One of the study's arms run for some seconds, as something to be watched: nothing is recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gilstudy._native import now_ns
from gilstudy.measuring.batches import Turn
from gilstudy.measuring.modes import mode_named
from gilstudy.measuring.plan import arm_of

BATCH_NS: Final = 100_000


def arm_job(name: str, workers: int, seconds: float) -> tuple[Callable[[], object], Callable[[], object]]:
    """One of the study's arms for ``seconds`` of work, and what ends its crew. The crew is ready before the job begins.

    Raises:
        BadInput: there is no such arm.
    """
    arm = arm_of(name)
    mode = mode_named(arm.mode)
    workers = mode.workers(arm.option, workers)
    crew = mode.open(arm.kernel, arm.option, workers)
    batch = crew.calibrate(BATCH_NS).steps

    def run() -> None:
        begin = now_ns() + 2_000_000
        crew.run(Turn(batch, begin, begin + 1_000_000, begin + round(seconds * 1e9)), [-1] * workers)

    return run, crew.close
