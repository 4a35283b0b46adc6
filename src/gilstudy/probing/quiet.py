"""Whether this process is quiet enough for a probe: threads that keep the GIL busy drown what a call does."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import Final

from gilstudy.text import shown
from gilstudy.watching.watch import Watch

PERIOD_US: Final = 100
QUIET_NS: Final = 20_000_000
BUSY: Final = 0.05
MOST_NAMES: Final = 3


def disturbance() -> str:
    """Why this process is too busy for a probe; "" if it is not."""
    if is_busy():
        return "other threads of this process keep the GIL busy: probe while they are idle, or in a process of its own"
    return ""


def is_busy() -> bool:
    """Whether other threads than this one hold the GIL for a part of the time that matters. It takes 20 ms."""
    with Watch(period_us=PERIOD_US, lanes=False, capacity=1 << 12) as watch:
        time.sleep(QUIET_NS / 1e9)
    trace = watch.trace()
    own = threading.get_ident()
    busy = sum(end - begin for begin, end, n in trace.holders if n >= 0 and trace.lanes[n].ident != own)
    return busy >= BUSY * trace.span_ns


class Leftovers:
    """The threads that a call leaves behind."""

    def __init__(self) -> None:
        self._known = set(sys._current_frames())

    def trouble(self) -> str:
        """Why threads that were left behind since the last time spoil the probe; "" if they are idle."""
        now = set(sys._current_frames())
        new, self._known = now - self._known, now
        if not new or not is_busy():
            return ""
        names = [shown(thread.name, 40) for thread in threading.enumerate() if thread.ident in new]
        told = ", ".join(names[:MOST_NAMES]) or "of no name"
        return f"the call left a thread behind ({told}) that keeps the GIL busy: have it end its threads"


def cpu_delay_ns() -> int:
    """How long this thread has waited for a CPU since it began, where the system tells (Linux); else 0."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
