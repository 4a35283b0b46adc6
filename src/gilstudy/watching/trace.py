"""What a watch saw, as values: who held the GIL when, and what each thread did. Nothing here measures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

State = Literal["holding", "running", "waiting", "ready", "blocked", "off-cpu", "unknown"]
"""What a thread does.

``holding``: it has the GIL. ``running``: it is on a CPU without the GIL. ``waiting``: it waits for the GIL. ``ready``:
it waits for a CPU. ``blocked``: it sleeps, for a lock, input or time. ``off-cpu``: it does not run, why is not told.
``unknown``: it was not seen; such pieces are drawn blank, and no share is taken of them.
"""

Stretch = tuple[int, int]
"""Begin and end, in nanoseconds on the host's monotonic clock."""
Piece = tuple[int, int, State]
"""A stretch and the state in it."""
Hold = tuple[int, int, int]
"""Begin, end, and the holder's place in `Trace.lanes`, or `FREE`, `OFF` or `UNKNOWN`."""

FREE: Final = -1
"""In place of a holder: nobody has the GIL."""
OFF: Final = -2
"""In place of a holder: a free-threaded build whose GIL is off."""
UNKNOWN: Final = -3
"""In place of a holder: a thread never seen in the list of threads. It ended at once, or is of another interpreter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One thread of this process, or one child process."""

    name: str
    ident: int | None
    """`threading.get_ident`; None if it never was a Python thread."""
    native_id: int
    """`threading.get_native_id`, or the process id; 0 if it ended before that could be read."""
    is_process: bool
    pieces: tuple[Piece, ...]
    """All that it did, in order and without overlap; empty if that cannot be told."""
    holds: tuple[Stretch, ...]
    """When it held the GIL."""
    cpu_ns: int | None
    """The CPU time that it used during the watch."""
    ready_ns: int | None
    """How long it waited for a CPU during the watch, by the kernel's own count."""
    turns_on_cpu: int | None
    """How often it was put on a CPU during the watch (context switches to it)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """What found no room in the watch's memory."""

    changes: int = 0
    """Changes of the holder that were overwritten: the trace begins only after them."""
    turns: int = 0
    threads: int = 0
    """Ended threads that were forgotten in favour of new ones, and living ones that were more than are listed."""
    lanes: int = 0
    """The same of what was looked at."""

    def __bool__(self) -> bool:
        return bool(self.changes or self.turns or self.threads or self.lanes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """All that one watch saw."""

    begin_ns: int
    end_ns: int
    gil_reason: str
    """Why there is nothing about the GIL; "" if there is."""
    lanes_reason: str
    """Why there is nothing about what threads do; "" if there is."""
    gil_wanted_by: tuple[str, ...]
    """On a free-threaded build: the modules, or the setting, that turned the GIL on."""
    lanes: tuple[Lane, ...]
    holders: tuple[Hold, ...]
    """The GIL's own lane."""
    handoffs: int | None
    """How often the GIL went from one thread to another, by the interpreter's own count: exact."""
    handoffs_seen: int
    """How many of them the watch saw."""
    switch_interval_s: float
    """As it was when the watch began."""
    period_ns: int
    """The watch's period: it sees nothing shorter."""
    polls: int
    """How often it looked at the GIL."""
    longest_gap_ns: int
    """The longest time between two of its looks."""
    watch_cpu_ns: int
    """The CPU time that the watch itself used."""
    longest_unseen_ns: int = 0
    """The longest piece of a lane that is ``unknown``."""
    opened_anew: int = 0
    """Threads whose files in /proc were opened for each look, lest too many of the program's file numbers be used."""
    last_interval_s: float = 0.0
    """The switch interval as it was seen last, 0 if it was not."""
    interval_changes: int = 0
    """How often it was seen to have changed."""
    other_interpreters: int = 0
    """Interpreters that this process made beside the main one; each may have a GIL of its own, which is not watched."""
    lost: Lost = field(default_factory=Lost)

    @property
    def span_ns(self) -> int:
        """How long the watch ran."""
        return self.end_ns - self.begin_ns

    def holder_name(self, holder: int) -> str:
        """The name of a thread in `holders`."""
        return self.lanes[holder].name if holder >= 0 else "an unknown thread"
