"""The conductor: it keeps one parked station per arm and plays short trials in random order, round after round.

Interleaving is what makes ratios true on a noisy host: a drift of the host's speed hits all arms of a round alike and
cancels in the ratios that are taken within the round. A study stops when its verdicts are settled and its intervals
narrow, or when its budget is spent.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

from gilstudy._native import now_ns
from gilstudy.codec import decode, encode
from gilstudy.host.counters import Counters, read_counters
from gilstudy.host.machine import Host
from gilstudy.host.runtime import Runtime
from gilstudy.measuring.arm import Arm
from gilstudy.measuring.client import Client, Line, StationLost
from gilstudy.measuring.kernels import IN_C
from gilstudy.measuring.record import Batch, Edge, Failure, Plan, Record, Span, Trial, Unavailable
from gilstudy.measuring.rounds import Ask, BatchKey, Rounds, batch_key, calibrators, look_times

START_TIMEOUT_S: Final = 30.0
TRIAL_TIMEOUT_S: Final = 10.0
BATCH_NS: Final = 50_000
"""A batch is long beside a look at the clock and short beside the window: half of one bounds the error at each edge."""
NATIVE_BATCH_NS: Final = 100_000
"""In C it is long beside the moment between two batches that needs the GIL too."""

Phase = Literal["starting", "calibrating", "measuring", "done"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a study has come."""

    phase: Phase
    round: int
    elapsed_s: float
    budget_s: float
    failed: tuple[str, ...]


def quietly(progress: Progress) -> None:
    """Take no notice of the progress."""


def run_study(
    plan: Plan,
    host: Host,
    *,
    enough: Callable[[Record], bool] = lambda record: False,
    notice: Callable[[Progress], None] = quietly,
    connect: Callable[[str], Line] = Client,
) -> Record:
    """Measure what ``plan`` asks for on this host.

    An arm whose station fails, hangs or is killed is left out from then on and listed in the record, as unavailable
    before the first round, as a failure later; the others go on. Ctrl-C ends the study, and what was measured until
    then is returned with ``interrupted`` set.

    Args:
        plan: what to measure.
        host: the host's facts, as read before.
        enough: decides at each look, from the record so far, whether the study may stop.
        notice: is told of the progress, between trials only.
        connect: starts the station of the arm that it is given.
    """
    study = _Study(plan, host, notice, connect)
    try:
        try:
            study.start()
            study.play(enough)
        finally:
            with _undisturbed():
                study.end()
    except KeyboardInterrupt:
        study.interrupted = True
        with _undisturbed():
            study.end()  # again, in case that Ctrl-C came when it had only begun
    try:
        return study.record()
    except KeyboardInterrupt:  # there is no second one, see `signals.interrupted_once`
        study.interrupted = True
        return study.record()


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold Ctrl-C off while processes are ended: a second one must not leave half of them behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Study:
    def __init__(
        self, plan: Plan, host: Host, notice: Callable[[Progress], None], connect: Callable[[str], Line]
    ) -> None:
        self.plan, self.host, self.notice, self._connect = plan, host, notice, connect
        self.interrupted = False
        self._arms = {arm.name: arm for arm in plan.arms}
        self._began_ns = now_ns()
        self._started = datetime.now().astimezone().isoformat(timespec="seconds")
        self._before: Counters = read_counters()
        self._lines: dict[str, Line] = {}
        self._runtimes: dict[str, Runtime] = {}
        self._batches: list[Batch] = []
        self._steps: dict[BatchKey, int] = {}
        self._trials: list[Trial] = []
        self._unavailable: list[Unavailable] = []
        self._failures: list[Failure] = []
        self._round = -1
        self._placement = host.placement if host.can_pin else (-1,)
        self._rounds = Rounds(plan, self._placement)

    # -- set-up and end -----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start all stations at once, then calibrate one after the other, when everything else is parked."""
        self._tell("starting")
        for name in self._arms:
            with self._failing(name):
                self._lines[name] = self._connect(name)
        most = {arm.name: max(c.workers for c in self.plan.cases if c.arm == arm) for arm in self.plan.arms}
        for name in list(self._lines):
            with self._failing(name):
                self._lines[name].send("open", arm=encode(self._arms[name]), workers=most[name])
        for name in list(self._lines):
            with self._failing(name):
                answer = self._lines[name].receive(START_TIMEOUT_S)
                self._runtimes[name] = decode(Runtime, answer["runtime"])
        self._tell("calibrating")
        for key, arms in calibrators(self._arms.values()).items():
            self._calibrate(key, arms)
        for ask in self._rounds.cases():  # one short trial each, not kept: the first of anything is slower
            self._try(ask, warm_ns=1_000_000, window_ns=2_000_000)

    def _calibrate(self, key: BatchKey, arms: Sequence[Arm]) -> None:
        """Find the steps of a batch in the first station that can: the loss of one must not cost the others theirs."""
        for arm in arms:
            if arm.name in self._lines and key not in self._steps:
                with self._failing(arm.name):
                    target_ns = NATIVE_BATCH_NS if key[0] in IN_C else BATCH_NS
                    answer = self._lines[arm.name].ask("calibrate", TRIAL_TIMEOUT_S, target_ns=target_ns)
                    batch = replace(decode(Batch, answer["batch"]), kernel=key[0], runtime=key[1])
                    self._batches.append(batch)
                    self._steps[key] = batch.steps

    def end(self) -> None:
        """End every station."""
        for line in self._lines.values():
            line.end()

    # -- rounds --------------------------------------------------------------------------------------------------

    def play(self, enough: Callable[[Record], bool]) -> None:
        """Play rounds until ``enough`` says so at a look, or the budget is spent, or no arm is left."""
        looks = look_times(self.plan, self._elapsed_s())
        longest_s = 0.0
        while self._lines and self._elapsed_s() + longest_s < self.plan.budget_s:
            began_s = self._elapsed_s()
            self._round += 1
            for ask in self._rounds.shuffled():
                self._try(ask, warm_ns=self.plan.warm_ns, window_ns=self.plan.window_ns, keep=True)
            longest_s = max(longest_s, self._elapsed_s() - began_s)
            self._tell("measuring")
            if looks and self._elapsed_s() >= looks[0]:
                while looks and self._elapsed_s() >= looks[0]:
                    looks.pop(0)
                if enough(self.record()):
                    break
        self._tell("done")

    def _try(self, ask: Ask, *, warm_ns: int, window_ns: int, keep: bool = False) -> None:
        name = ask.arm.name
        if name not in self._lines:
            return
        steps = self._steps[batch_key(ask.arm)]  # it has one: an arm that is left found it, unless another one did
        with self._failing(name):
            order = {"batch": steps, "cpus": ask.cpus, "warm_ns": warm_ns, "window_ns": window_ns}
            answer = self._lines[name].ask("trial", TRIAL_TIMEOUT_S, **order)
            if keep:
                self._trials.append(_trial(self._round, ask, steps, answer))

    @contextlib.contextmanager
    def _failing(self, name: str) -> Iterator[None]:
        """Turn the loss of a station into a failure of its arm, and go on without it."""
        try:
            yield
        except (StationLost, OSError) as lost:
            if line := self._lines.pop(name, None):
                line.end()
            if self._round < 0:
                self._unavailable.append(Unavailable(arm=name, reason=str(lost)))
            else:
                self._failures.append(Failure(arm=name, round=self._round, reason=str(lost)))

    # -- what is known so far ------------------------------------------------------------------------------------

    def _elapsed_s(self) -> float:
        return (now_ns() - self._began_ns) / 1e9

    def _tell(self, phase: Phase) -> None:
        failed = (*(arm.arm for arm in self._unavailable), *(failure.arm for failure in self._failures))
        budget_s = self.plan.budget_s
        self.notice(
            Progress(phase=phase, round=self._round + 1, elapsed_s=self._elapsed_s(), budget_s=budget_s, failed=failed)
        )

    def record(self) -> Record:
        """What was observed so far."""
        return Record(
            started=self._started,
            elapsed_s=round(self._elapsed_s(), 3),
            interrupted=self.interrupted,
            plan=self.plan,
            host=self.host,
            before=self._before,
            after=read_counters(),
            pinned=self._placement != (-1,),
            runtimes=dict(self._runtimes),
            batches=tuple(self._batches),
            trials=tuple(self._trials),
            unavailable=tuple(self._unavailable),
            failures=tuple(self._failures),
            observations=None,
        )


def _trial(round_: int, ask: Ask, steps: int, answer: Any) -> Trial:
    spans = tuple(Span(ready_ns, Edge(*opened), Edge(*closed)) for ready_ns, opened, closed in answer["spans"])
    return Trial(
        round=round_,
        arm=ask.arm.name,
        workers=len(ask.cpus),
        cpus=ask.cpus,
        batch=steps,
        open_ns=answer["open_ns"],
        close_ns=answer["close_ns"],
        gil=answer["gil"],
        spans=spans,
    )
