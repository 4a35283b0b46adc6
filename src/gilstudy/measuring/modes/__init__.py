"""How workers run a kernel: one file per mode, each a crew that is opened once and takes turn after turn.

A mode's set-up (threads, processes, imports) happens in its constructor, outside the clock; `Crew.run` is one trial.
"""

from __future__ import annotations

from gilstudy.measuring.modes.crew import Crew
from gilstudy.measuring.record import Arm


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
