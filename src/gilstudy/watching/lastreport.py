"""What is reported if the program is stuck or its time is up, and how a fresh interpreter is told (POSIX).

See gilrescue.h: the watch's native thread saves what it saw and puts `gilstudy.commands.rescue` in the place of this
process. All that it needs of Python is made ready here, while Python can be asked.
"""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gilstudy.codec import encode
from gilstudy.system import children
from gilstudy.watching.gathering import Told

if TYPE_CHECKING:
    from gilstudy._gilwatch import Sampler

TIME_IS_UP: Final = 124
"""The exit code if the time limit ended the program: the one that timeout(1) has."""

_FOR_A_TERMINAL: Final = ("TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "MPLCONFIGDIR", "XDG_CACHE_HOME")


@dataclass(frozen=True, slots=True, kw_only=True)
class LastReport:
    """What the last report is about, and where it goes."""

    what: str
    """What ran, as the user called it."""
    out: tuple[str, ...] = ()
    """Files to write, as ``gilstudy trace --out``; absolute, since the program may change its folder."""
    title: str = ""
    """Of a picture."""
    window_ms: tuple[float, float] | None = None
    """The part that is drawn in detail."""
    report: str = ""
    """The file that the report goes to; "" for standard error."""
    is_short: bool = False
    """Whether only the last lines are told: who held the GIL since when, and who waited."""
    by_name: bool = False
    quiet: bool = False
    """Both as `gilstudy.report.trace.print_trace` has them."""
    timeout_s: float | None = None
    """The program ends after this time."""


def arm(sampler: Sampler, told: Told, report: LastReport) -> bool:
    """Have the program end, and be reported on, when its time is up or when it does not answer a signal.

    Ctrl-C reaches the program first, as ever; the second one ends it, unless the program handles it by itself and does
    handle it. A request to end (SIGTERM, SIGHUP) that would end it at once still does, after the report. Nothing of
    that shows in the program: `signal.getsignal` tells what it told before, and what the program sets holds.

    Returns:
        whether that can be done: not on Windows, nor where the interpreter does not know its own path, nor while
        another watch in this process is armed.
    """
    if os.name != "posix":
        return False
    command = children.command("gilstudy.commands.rescue", json.dumps({"told": encode(told), "report": encode(report)}))
    if not command[0]:
        return False
    deadline_ns = 0 if report.timeout_s is None else time.monotonic_ns() + round(report.timeout_s * 1e9)
    settings = [os.fsencode(f"{name}={value}") for name, value in _environment().items()]
    int_is_own = signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    return sampler.arm([os.fsencode(word) for word in command], settings, deadline_ns, True, int_is_own)


def _environment() -> dict[str, str]:
    """As children have it; what reports also needs the other packages that were found, and to know the terminal."""
    kept = {name: os.environ[name] for name in _FOR_A_TERMINAL if name in os.environ}
    found = children.environment()
    path = os.pathsep.join(filter(None, [found["PYTHONPATH"], os.environ.get("PYTHONPATH", "")]))
    return {**found, **kept, "PYTHONPATH": path}
