"""Calls probed one after the other, each with its outcome: an answer, or what the call did instead of coming back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gilstudy.errors import BadInput
from gilstudy.probing.asking import doubt
from gilstudy.probing.evidence import Doubt
from gilstudy.probing.probe import Probe, probe_call
from gilstudy.probing.quiet import disturbance
from gilstudy.probing.subject import Subject
from gilstudy.probing.sweep import Sweep, sweep
from gilstudy.probing.table import Call, Namespaces, NoArguments, told
from gilstudy.system.signals import was_signalled

Limits = tuple[int, int]
Begin = Callable[[int, int | None], object]
"""Told of each call that begins: its place, and N if it has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One call's outcome, and what was expected of it."""

    target: str
    probe: Probe | None
    """None if the call failed."""
    error: str = ""
    """How it failed."""
    expect: str = ""
    sweep: Sweep | None = None

    @property
    def verdict(self) -> str:
        """The probe's, or ``failed``."""
        return "failed" if self.probe is None else self.probe.verdict

    @property
    def is_wrong(self) -> bool:
        """Whether it failed; or something was expected, and it is found to be something else, or beyond judging.

        No verdict because of the host, or because there is no GIL, is not wrong.
        """
        if self.probe is None:
            return True
        return bool(self.expect) and self.verdict not in (self.expect, "inconclusive", "not-applicable")


class Prepared:
    """Calls that are ready: all mistakes in what was written down have been found."""

    def __init__(self, calls: Sequence[Call], limits: Limits | None, begins: Begin) -> None:
        """Find the functions, run the setup, work out the arguments for the first time. Raises BadInput."""
        self._calls, self._limits, self._begins = calls, limits, begins
        self._names = Namespaces()
        self._ready: list[Subject | None] = []
        for place, call in enumerate(calls):
            begins(place, None)
            self._ready.append(call.prepared(self._names, limits and limits[1]))

    def entries(self) -> Iterator[Entry]:
        """Probe them one after the other."""
        known = doubt()
        for place, call in enumerate(self._calls):
            self._begins(place, None)
            # The call before may have left something behind.
            spoilt = disturbance() if place and known is None else ""
            yield self._entry(place, call, Doubt(spoilt) if spoilt else known)

    def _entry(self, place: int, call: Call, doubt: Doubt | None) -> Entry:
        process = os.getpid()
        made = 0

        def probe_at(size: int | None) -> Probe:
            nonlocal made
            self._begins(place, size)
            subject, self._ready[place] = self._ready[place], None  # of the largest size, with which a sweep begins
            subject = subject or call.prepared(self._names, size)
            try:
                return probe_call(call.target, subject, doubt=doubt)
            finally:
                made = subject.made

        try:
            if self._limits is None:
                return Entry(target=call.target, probe=probe_at(None), expect=call.expect)
            found = sweep(probe_at, *self._limits)
            probe = dict(found.probes)[self._limits[1]]
            return Entry(target=call.target, probe=probe, expect=call.expect, sweep=found)
        except BadInput as error:  # arguments of another size do not work
            return Entry(target=call.target, probe=None, error=str(error), expect=call.expect)
        except BaseException as error:  # also what would end this process, such as SystemExit
            if os.getpid() != process or was_signalled(error):
                raise
            return Entry(target=call.target, probe=None, error=_failure(error, made, call), expect=call.expect)


def _failure(error: BaseException, made: int, call: Call) -> str:
    """What went wrong, in a line; ``made`` calls had been made before."""
    if isinstance(error, NoArguments):
        return f"the arguments could not be worked out anew: {error} (--once-args works them out once)"
    if not made:
        return f"the call failed: {told(error)}"
    why = ""
    if call.once and call.arguments:
        why = (
            ": the first has used its arguments up, or the call keeps something; without --once-args they are made anew"
        )
    before = "the first" if made == 1 else f"{made} before it"
    return f"call {made + 1} failed, though {before} did not: {told(error)}{why}"
