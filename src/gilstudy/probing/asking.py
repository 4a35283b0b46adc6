"""``gilstudy.probe(function, *args)``: does this call release the GIL? The known controls are probed first."""

from __future__ import annotations

from collections.abc import Callable

from gilstudy.host.runtime import gil_enabled
from gilstudy.probing.controls import failure
from gilstudy.probing.evidence import Doubt
from gilstudy.probing.probe import Probe, probe_call
from gilstudy.probing.quiet import disturbance
from gilstudy.watching.gil import NO_GIL, unreadable


def probe(function: Callable[..., object], /, *args: object, **kwargs: object) -> Probe:
    """Find out whether ``function(*args, **kwargs)`` releases the GIL.

    It is called at least three times, in this thread, for about a second in all; if one call takes longer than 0.4 s,
    twice. Meanwhile the switch interval is 5 s for the whole process, so do it while other threads are idle. Known
    controls are probed first (`controls`); if they come out wrong the answer is ``inconclusive``.

    Whatever the function raises is raised here.
    """
    name = getattr(function, "__qualname__", repr(function))
    return probe_call(name, lambda: function(*args, **kwargs), doubt=doubt())


def doubt() -> Doubt | None:
    """Why a probe cannot be trusted here and now, or would have nothing to say; None if all is well.

    The known controls are probed for it, which takes some 0.2 s.
    """
    if reason := unreadable():
        return Doubt(reason)
    if not gil_enabled():
        return Doubt(NO_GIL, "not-applicable")
    reason = disturbance() or failure()
    return Doubt(reason) if reason else None
