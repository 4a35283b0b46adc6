"""What every mode's crew does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gilstudy.measuring.laps import Turn
from gilstudy.measuring.record import Span


class Crew(Protocol):
    """Workers that are ready for their next turn."""

    def run(self, turn: Turn, cpus: Sequence[int]) -> list[Span]:
        """Have one worker per entry of ``cpus`` work through ``turn``, pinned to that CPU (-1: not pinned).

        Raises:
            WorkerLost: a worker ended or failed instead.
        """
        ...

    def close(self) -> None:
        """End the workers. Nothing of the crew is left afterwards."""
        ...


class WorkerLost(Exception):
    """A worker ended or failed in its turn; the message says how."""
