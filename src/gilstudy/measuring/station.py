"""The child interpreter of one arm: it takes orders as JSON lines, and between turns it is parked, waiting for one.

Run as ``python -m gilstudy.measuring.station``. Whatever ends the conductor ends the station too: its input closes,
and on Linux the system ends it even in the midst of a call that never returns.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, Final, TextIO

from gilstudy._native import die_with_parent, now_ns
from gilstudy.codec import decode, encode
from gilstudy.host.runtime import gil_enabled, this_runtime
from gilstudy.measuring import batches
from gilstudy.measuring.arm import Arm
from gilstudy.measuring.modes import mode_named
from gilstudy.measuring.modes.crew import Crew

LEAD_NS: Final = 500_000
"""From an order to its beginning, so that every worker is asleep at the gate before it opens."""
LEAD_PER_WORKER_NS: Final = 100_000

Message = dict[str, Any]


class Station:
    """One arm's crew, and the orders that it understands."""

    def __init__(self) -> None:
        self._crew: Crew | None = None

    def open(self, order: Message) -> Message:
        """Set the crew up; answer with the interpreter's facts, read after all imports."""
        arm = decode(Arm, order["arm"])
        self._crew = mode_named(arm.mode).open(arm.kernel, arm.option, order["workers"])
        return {"runtime": encode(this_runtime())}

    def calibrate(self, order: Message) -> Message:
        """Find the number of steps in a batch of this arm's kernel."""
        assert self._crew is not None
        return {"batch": encode(self._crew.calibrate(order["target_ns"]))}

    def trial(self, order: Message) -> Message:
        """Run one trial and answer with what was observed."""
        assert self._crew is not None
        cpus = order["cpus"]
        begin_ns = now_ns() + LEAD_NS + LEAD_PER_WORKER_NS * len(cpus)
        open_ns = begin_ns + order["warm_ns"]
        turn = batches.Turn(order["batch"], begin_ns, open_ns, open_ns + order["window_ns"])
        spans = self._crew.run(turn, cpus)
        return {"open_ns": turn.open_ns, "close_ns": turn.close_ns, "gil": gil_enabled(), "spans": spans}

    def close(self) -> None:
        """End the crew."""
        if self._crew is not None:
            self._crew.close()


def serve(orders: TextIO, answers: TextIO) -> None:
    """Carry out orders, a line each, until their stream ends; a failure is an answer too."""
    station = Station()
    verbs: dict[str, Callable[[Message], Message]] = {
        "open": station.open,
        "calibrate": station.calibrate,
        "trial": station.trial,
    }
    try:
        for line in orders:
            order = json.loads(line)
            try:
                answer = verbs[order["do"]](order)
            except Exception as error:
                answer = {"error": f"{error}" or type(error).__name__}
            answers.write(json.dumps(answer) + "\n")
            answers.flush()
    finally:
        station.close()


def main() -> None:
    """Serve the conductor on the standard streams; what anything prints goes to the standard error stream."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the conductor's to handle
    private = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    if hasattr(os, "register_at_fork"):
        # A forked worker must not keep the answers open, or the conductor would not see this station end.
        os.register_at_fork(after_in_child=lambda: os.close(private))
    with open(private, "w", encoding="utf-8", closefd=False) as answers:
        serve(sys.stdin, answers)


if __name__ == "__main__":
    main()
