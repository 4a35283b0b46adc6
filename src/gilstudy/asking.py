"""``gilstudy.probe(function, *args)``: does this call release the GIL? The known controls are probed first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from gilstudy.controls import failure
from gilstudy.gil import gil_reason
from gilstudy.probing import PERIOD_US, Probe, probe_call
from gilstudy.watching import Watch

QUIET_NS: Final = 20_000_000
BUSY: Final = 0.05


def probe(function: Callable[..., object], /, *args: object, **kwargs: object) -> Probe:
    """Find out whether ``function(*args, **kwargs)`` releases the GIL.

    It is called at least three times, in this thread, for about a second in all; if one call takes longer than 0.4 s,
    twice. Meanwhile the switch interval is 5 s for the whole process, so do it while other threads are idle. Known
    controls are probed first (`controls`); if they come out wrong the answer is ``inconclusive``.

    Whatever the function raises is raised here.
    """
    name = getattr(function, "__qualname__", repr(function))
    return probe_call(name, lambda: function(*args, **kwargs), reason=doubts())


def doubts() -> str:
    """Why a probe cannot be trusted here and now, or would have nothing to say; "" if all is well.

    The known controls are probed for it, which takes some 0.2 s.
    """
    return gil_reason() or _disturbance() or failure()


def _disturbance() -> str:
    """Why this process is too busy for a probe; "" if it is not."""
    with Watch(period_us=PERIOD_US, lanes=False, room=1 << 12) as watch:
        time.sleep(QUIET_NS / 1e9)
    trace = watch.trace()
    own = threading.get_ident()
    busy = sum(end - begin for begin, end, n in trace.holders if n >= 0 and trace.lanes[n].ident != own)
    if busy < BUSY * trace.span_ns:
        return ""
    return "other threads of this process keep the GIL busy: probe while they are idle, or in a process of its own"
