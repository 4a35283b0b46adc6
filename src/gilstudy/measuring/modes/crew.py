"""What every mode gives: a crew of workers that is opened once and takes turn after turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gilstudy.measuring.batches import Turn
from gilstudy.measuring.record import Batch, Span


class WorkerLost(Exception):
    """A worker ended or failed in its turn; the message says how."""


class Crew(Protocol):
    """Workers that are ready for their next turn."""

    def calibrate(self, target_ns: int) -> Batch:
        """Find the number of steps of the crew's own kernel that take about ``target_ns``."""
        ...

    def run(self, turn: Turn, cpus: Sequence[int]) -> list[Span]:
        """Have one worker per entry of ``cpus`` work through ``turn``, pinned to that CPU (-1: not pinned).

        Raises:
            WorkerLost: a worker ended or failed instead.
        """
        ...

    def close(self) -> None:
        """End the workers. Nothing of the crew is left afterwards."""
        ...


class Mode(Protocol):
    """How workers run a kernel."""

    @property
    def name(self) -> str:
        """The first part of its arms' names."""
        ...

    def why_not(self, option: str) -> str:
        """Why there can be no crew with this option here; "" if there can."""
        ...

    def workers(self, option: str, asked: int) -> int:
        """How many workers the mode has where ``asked`` are asked for."""
        ...

    def open(self, kernel: str, option: str, workers: int) -> Crew:
        """A crew with up to ``workers`` workers, waiting. All set-up happens here, outside the clock."""
        ...
