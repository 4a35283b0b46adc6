"""The ceiling: the countdown in native threads, with no Python between them. It shows what the host can give now."""

from __future__ import annotations

from collections.abc import Sequence

from gilstudy._native import NativeThreads
from gilstudy.measuring import batches
from gilstudy.measuring.batches import Turn
from gilstudy.measuring.kernels import kernel_named
from gilstudy.measuring.record import Batch, Edge, Span

KERNEL = "nogil"
"""The loop that its threads run is that of this kernel, without the calls between."""


class NativeCrew:
    """Up to ``workers`` native threads, parked between turns as the workers of all other crews are."""

    def __init__(self, workers: int) -> None:
        self._threads = NativeThreads(workers)

    def calibrate(self, target_ns: int) -> Batch:
        """Find how many steps of the C loop take about ``target_ns``."""
        return batches.calibrate(KERNEL, kernel_named(KERNEL), target_ns)

    def run(self, turn: Turn, cpus: Sequence[int]) -> list[Span]:
        """Have the first ``len(cpus)`` threads work through ``turn``."""
        seen = self._threads.run(list(cpus), turn.batch, turn.begin_ns, turn.open_ns, turn.close_ns)
        return [Span(ready_ns, Edge(*opened), Edge(*closed)) for ready_ns, opened, closed in seen]

    def close(self) -> None:
        """Send every thread home and wait for it."""
        self._threads.close()


class Ceiling:
    """The mode."""

    name = "ceiling"

    def why_not(self, option: str) -> str:
        """It has no options."""
        return f"it starts no process, so it takes no [{option}]" if option else ""

    def workers(self, option: str, asked: int) -> int:
        """As many as are asked for."""
        return asked

    def open(self, kernel: str, option: str, workers: int) -> NativeCrew:
        """Start the threads; they run the C loop whatever the kernel."""
        return NativeCrew(workers)


MODE = Ceiling()
