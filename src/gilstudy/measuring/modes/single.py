"""One worker: the main thread of its own interpreter."""

from __future__ import annotations

from collections.abc import Sequence

from gilstudy.measuring import batches
from gilstudy.measuring.batches import Turn
from gilstudy.measuring.kernels import kernel_named
from gilstudy.measuring.modes.pinning import Pin
from gilstudy.measuring.record import Batch, Span


class SingleCrew:
    """A crew of one, the calling thread."""

    def __init__(self, kernel: str) -> None:
        self._name, self._kernel = kernel, kernel_named(kernel)
        self._pin = Pin()

    def calibrate(self, target_ns: int) -> Batch:
        """Find how many steps take about ``target_ns`` on the calling thread."""
        return batches.calibrate(self._name, self._kernel, target_ns)

    def run(self, turn: Turn, cpus: Sequence[int]) -> list[Span]:
        """Work through ``turn`` on the calling thread; ``cpus`` has one entry."""
        (cpu,) = cpus
        self._pin.move(cpu)
        return [batches.run(self._kernel, turn)]

    def close(self) -> None:
        """Nothing to end."""


class Single:
    """The mode."""

    name = "single"

    def why_not(self, option: str) -> str:
        """It has no options."""
        return f"it starts no process, so it takes no [{option}]" if option else ""

    def workers(self, option: str, asked: int) -> int:
        """One, however many are asked for."""
        return 1

    def open(self, kernel: str, option: str, workers: int) -> SingleCrew:
        """The calling thread is the crew."""
        return SingleCrew(kernel)


MODE = Single()
