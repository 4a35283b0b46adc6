"""The tutorial's own method: each arm once, as long as the time allows, and the bare ratio decides."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.process import BaseProcess
from threading import Thread

from gilstudy.measuring.kernels import KERNELS, Kernel

ARMS = {
    "threads": ("python", "threads"),
    "threads-nogil": ("nogil", "threads"),
    "threads-held": ("held", "threads"),
    "processes": ("python", "processes"),
}


def one_shot(seconds: float) -> dict[str, float]:
    """Each arm's speedup with two workers, from one run of each that take ``seconds`` in all."""
    turns = len(ARMS) + 3  # three single-threaded runs, one for each kernel
    sizes = {name: _steps_for(kernel, seconds / turns / 1.5) for name, kernel in KERNELS.items()}
    alone = {name: _timed(partial(kernel, sizes[name])) for name, kernel in KERNELS.items()}
    return {arm: 2 * alone[kernel] / _pair(kernel, mode, sizes[kernel]) for arm, (kernel, mode) in ARMS.items()}


def _pair(kernel: str, mode: str, steps: int) -> float:
    make: Callable[..., Thread | BaseProcess] = Thread if mode == "threads" else multiprocessing.Process
    workers = [make(target=KERNELS[kernel], args=(steps,)) for _ in range(2)]

    def both() -> None:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    return _timed(both)


def _steps_for(kernel: Kernel, seconds: float) -> int:
    steps = 100_000
    while (took := _timed(partial(kernel, steps))) < 0.02:
        steps *= 2
    return max(1, int(steps * seconds / took))


def _timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
