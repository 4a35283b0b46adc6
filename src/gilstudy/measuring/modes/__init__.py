"""How workers run a kernel: one file per mode, each a crew that is opened once and takes turn after turn.

A mode's set-up (threads, processes, imports) happens in its constructor, outside the clock; `Crew.run` is one trial.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gilstudy.measuring.laps import Turn
from gilstudy.measuring.record import Arm, Span


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


def open_crew(arm: Arm, workers: int) -> Crew:
    """The crew for ``arm``, with up to ``workers`` workers waiting."""
    # Imported here, so that a station loads only what its own mode needs.
    if arm.mode == "single":
        from gilstudy.measuring.modes.single import SingleCrew

        return SingleCrew(arm.kernel)
    if arm.mode == "threads":
        from gilstudy.measuring.modes.threads import ThreadCrew

        return ThreadCrew(arm.kernel, workers)
    if arm.mode == "processes":
        from gilstudy.measuring.modes.processes import ProcessCrew

        return ProcessCrew(arm.kernel, workers, arm.start_method)
    from gilstudy.measuring.modes.native import NativeCrew

    return NativeCrew()
