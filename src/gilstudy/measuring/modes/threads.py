"""Threads of one interpreter, parked on a queue of their own between turns."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from queue import SimpleQueue

from gilstudy.measuring import batches
from gilstudy.measuring.batches import Turn
from gilstudy.measuring.kernels import Kernel, kernel_named
from gilstudy.measuring.modes.crew import WorkerLost
from gilstudy.measuring.modes.pinning import Pin
from gilstudy.measuring.record import Batch, Span

Order = tuple[int, Turn, int]
"""A worker's place in the crew, its turn and its CPU."""


class ThreadCrew:
    """Up to ``workers`` threads; a turn wakes as many as it needs."""

    def __init__(self, kernel: str, workers: int) -> None:
        self._name, self._kernel = kernel, kernel_named(kernel)
        self._results: SimpleQueue[tuple[int, Span | Exception]] = SimpleQueue()
        self._orders: list[SimpleQueue[Order | None]] = [SimpleQueue() for _ in range(workers)]
        self._threads = [
            threading.Thread(
                target=_work, args=(self._kernel, orders, self._results), name=f"worker {place}", daemon=True
            )
            for place, orders in enumerate(self._orders)
        ]
        for thread in self._threads:
            thread.start()

    def calibrate(self, target_ns: int) -> Batch:
        """Find how many steps take about ``target_ns`` on the calling thread, while the crew is parked."""
        return batches.calibrate(self._name, self._kernel, target_ns)

    def run(self, turn: Turn, cpus: Sequence[int]) -> list[Span]:
        """Have the first ``len(cpus)`` threads work through ``turn``."""
        for place, cpu in enumerate(cpus):
            self._orders[place].put((place, turn, cpu))
        results = dict(self._results.get() for _ in cpus)
        spans = []
        for place in range(len(cpus)):
            result = results[place]
            if isinstance(result, Exception):
                raise WorkerLost(f"thread {place} failed: {result}") from result
            spans.append(result)
        return spans

    def close(self) -> None:
        """Send every thread home and wait for it."""
        for orders in self._orders:
            orders.put(None)
        for thread in self._threads:
            thread.join()


def _work(
    kernel: Kernel, orders: SimpleQueue[Order | None], results: SimpleQueue[tuple[int, Span | Exception]]
) -> None:
    pin = Pin()
    while (order := orders.get()) is not None:
        place, turn, cpu = order
        try:
            pin.move(cpu)
            results.put((place, batches.run(kernel, turn)))
        except Exception as error:
            results.put((place, error))


class Threads:
    """The mode."""

    name = "threads"

    def why_not(self, option: str) -> str:
        """It has no options."""
        return f"it starts no process, so it takes no [{option}]" if option else ""

    def workers(self, option: str, asked: int) -> int:
        """As many as are asked for."""
        return asked

    def open(self, kernel: str, option: str, workers: int) -> ThreadCrew:
        """Start the threads."""
        return ThreadCrew(kernel, workers)


MODE = Threads()
