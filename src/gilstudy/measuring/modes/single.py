"""One worker: the main thread of its own interpreter."""

from __future__ import annotations

from collections.abc import Sequence

from gilstudy.measuring import laps
from gilstudy.measuring.kernels import KERNELS
from gilstudy.measuring.laps import Turn
from gilstudy.measuring.modes.pinning import Pin
from gilstudy.measuring.record import Span


class SingleCrew:
    """A crew of one, the calling thread."""

    def __init__(self, kernel: str) -> None:
        self._kernel = KERNELS[kernel]
        self._pin = Pin()

    def run(self, turn: Turn, cpus: Sequence[int]) -> list[Span]:
        """Work through ``turn`` on the calling thread; ``cpus`` has one entry."""
        (cpu,) = cpus
        self._pin.move(cpu)
        return [laps.run(self._kernel, turn)]

    def close(self) -> None:
        """Nothing to end."""
