"""Threads that wait at a gate, so that all begin at the same time and their start costs nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import perf_counter_ns


def wall_ns(function: Callable[[int], None], rounds: int, threads: int) -> int:
    """Nanoseconds from the first beginning to the last end of ``threads`` threads that call ``function(rounds)``."""
    gate = threading.Barrier(threads)
    spans: list[tuple[int, int]] = []

    def work() -> None:
        gate.wait()
        begin = perf_counter_ns()
        function(rounds)
        spans.append((begin, perf_counter_ns()))

    crew = [threading.Thread(target=work) for _ in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    return max(end for _, end in spans) - min(begin for begin, _ in spans)
