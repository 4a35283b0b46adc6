"""``gilstudy.probe(function, *args)``: does this call release the GIL? The known controls are probed first."""

from __future__ import annotations

from collections.abc import Callable

from gilstudy.errors import BadInput
from gilstudy.host.runtime import gil_enabled
from gilstudy.probing.controls import failure
from gilstudy.probing.evidence import Doubt
from gilstudy.probing.probe import Probe, probe_call, unanswered
from gilstudy.probing.quiet import disturbance
from gilstudy.probing.subject import Subject
from gilstudy.watching.gil import NO_GIL, unreadable


def probe(function: Callable[..., object], /, *args: object, budget_s: float = 1.6, **kwargs: object) -> Probe:
    """Find out whether ``function(*args, **kwargs)`` releases the GIL.

    It is called at least three times, in this thread, for about a second in all; if one call takes longer than 0.4 s,
    two or three times. All calls get the same arguments: have ``function`` make anew what a call uses up. What a
    coroutine function returns is awaited, in an event loop made for it; what a generator function returns is exhausted.
    Meanwhile the switch interval is 5 s for the whole process, so do it while other threads are idle. Known
    controls are probed first (`controls`); if they come out wrong the answer is ``inconclusive``.

    Args:
        function: what is called.
        args: its arguments.
        budget_s: seconds after which no more evidence is sought; a call that has begun is waited for.
        kwargs: more of its arguments, by name; for one that is called ``budget_s`` there is `functools.partial`.

    Raises:
        BadInput: the budget is no positive number, or an event loop runs in this thread and one is needed.

    Whatever the function raises is raised here.
    """
    if not 0 < budget_s <= 10**7:
        raise BadInput(f"budget_s must be more than 0 seconds, not {budget_s:g}")
    name = getattr(function, "__qualname__", repr(function))
    known = doubt()
    if known is not None:
        return unanswered(name, known)
    subject = Subject(function, lambda: (args, kwargs))
    return probe_call(name, subject, budget_ns=round(budget_s * 1e9))


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
