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
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any, Final, Literal

from gilstudy._native import now_ns
from gilstudy.codec import decode, encode
from gilstudy.host.counters import Pulse, read_pulse
from gilstudy.host.machine import Host
from gilstudy.host.runtime import Runtime
from gilstudy.measuring.cautions import cautions
from gilstudy.measuring.client import Lifeline, Line, StationLost
from gilstudy.measuring.record import Arm, Edge, Failure, Lap, Plan, Record, Span, Trial

START_TIMEOUT_S: Final = 30.0
TRIAL_TIMEOUT_S: Final = 10.0
LAP_TARGET_NS: Final = {"python": 50_000, "native": 100_000}
"""A lap is long beside a look at the clock (and, in C, beside the moment between two laps that needs the GIL), and
short beside the window: half a lap bounds the error at each of its edges."""
MOST_BASELINE_CPUS: Final = 8
"""Baselines are taken on every CPU in use; on large hosts on so many of them, drawn anew in each round."""
FIRST_LOOK: Final = 0.4
"""The share of the budget after which the study first looks whether it may stop."""

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
    connect: Callable[[str], Line] = Lifeline,
) -> Record:
    """Measure what ``plan`` asks for on this host.

    An arm whose station fails, hangs or is killed is left out from then on and listed in the record's failures;
    the others go on. Ctrl-C ends the study, and what was measured until then is returned with ``interrupted`` set.

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


@dataclass(frozen=True, slots=True)
class _Turn:
    arm: Arm
    workers: int
    cpus: tuple[int, ...]


class _Study:
    def __init__(
        self, plan: Plan, host: Host, notice: Callable[[Progress], None], connect: Callable[[str], Line]
    ) -> None:
        self.plan, self.host, self.notice, self._connect = plan, host, notice, connect
        self.interrupted = False
        self._arms = {arm.name: arm for arm in plan.arms}
        self._random = Random(plan.seed)
        self._began_ns = now_ns()
        self._started = datetime.now().astimezone().isoformat(timespec="seconds")
        self._before: Pulse = read_pulse()
        self._lines: dict[str, Line] = {}
        self._runtimes: dict[str, Runtime] = {}
        self._laps: list[Lap] = []
        self._steps: dict[str, int] = {}
        self._trials: list[Trial] = []
        self._failures: list[Failure] = []
        self._round = -1
        self._placement = host.placement if host.can_pin else (-1,)

    # -- set-up and end -----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start all stations at once, then calibrate one after the other, when everything else is parked."""
        self._tell("starting")
        for name in self._arms:
            with self._failing(name):
                self._lines[name] = self._connect(name)
        most = max(self.plan.workers)
        for name in list(self._lines):
            with self._failing(name):
                self._lines[name].tell("open", arm=encode(self._arms[name]), workers=most)
        for name in list(self._lines):
            with self._failing(name):
                answer = self._lines[name].answer(START_TIMEOUT_S)
                self._runtimes[name] = decode(Runtime, answer["runtime"])
        self._tell("calibrating")
        # The C kernels share one lap, so that they differ in nothing but the GIL.
        for kernel in ("python", "native"):
            self._calibrate(kernel)
        self._steps |= {kernel: self._steps["native"] for kernel in ("nogil", "held") if "native" in self._steps}
        for turn in self._turns():  # one short trial each, not kept: the first of anything is slower
            self._try(turn, warm_ns=1_000_000, window_ns=2_000_000)

    def _calibrate(self, kernel: str) -> None:
        name = next((arm.name for arm in self.plan.arms if arm.kernel == kernel and arm.is_baseline), "")
        if name in self._lines:
            with self._failing(name):
                target_ns = LAP_TARGET_NS[kernel]
                answer = self._lines[name].ask("calibrate", TRIAL_TIMEOUT_S, kernel=kernel, target_ns=target_ns)
                lap = decode(Lap, answer["lap"])
                self._laps.append(lap)
                self._steps[kernel] = lap.steps

    def end(self) -> None:
        """End every station."""
        for line in self._lines.values():
            line.end()

    # -- rounds --------------------------------------------------------------------------------------------------

    def play(self, enough: Callable[[Record], bool]) -> None:
        """Play rounds until ``enough`` says so at a look, or the budget is spent, or no arm is left."""
        looks = _look_times(self.plan, self._elapsed_s())
        longest_s = 0.0
        while self._lines and self._elapsed_s() + longest_s < self.plan.budget_s:
            began_s = self._elapsed_s()
            self._round += 1
            turns = self._turns()
            self._random.shuffle(turns)
            for turn in turns:
                self._try(turn, warm_ns=self.plan.warm_ns, window_ns=self.plan.window_ns, keep=True)
            longest_s = max(longest_s, self._elapsed_s() - began_s)
            self._tell("measuring")
            if looks and self._elapsed_s() >= looks[0]:
                while looks and self._elapsed_s() >= looks[0]:
                    looks.pop(0)
                if enough(self.record()):
                    break
        self._tell("done")

    def _turns(self) -> list[_Turn]:
        """All cases of a round, baselines on each CPU included, in no order yet."""
        turns: list[_Turn] = []
        in_use = self._in_use()
        for arm in self._arms.values():
            if arm.is_baseline:
                turns += [_Turn(arm, 1, (cpu,)) for cpu in in_use]
            if arm.mode != "single":
                counts = [count for count in self.plan.workers if count > 1 or not arm.is_baseline]
                turns += [_Turn(arm, count, self._places(count)) for count in counts]
        return turns

    def _in_use(self) -> Sequence[int]:
        places = self._placement[: max(self.plan.workers)]
        if places == (-1,):  # not pinned: as many baselines as on two CPUs, wherever the system puts them
            return (-1, -1)
        return self._random.sample(places, min(len(places), MOST_BASELINE_CPUS))

    def _places(self, count: int) -> tuple[int, ...]:
        """A CPU for each worker; who gets which is drawn anew each time."""
        places = [self._placement[place % len(self._placement)] for place in range(count)]
        self._random.shuffle(places)
        return tuple(places)

    def _try(self, turn: _Turn, *, warm_ns: int, window_ns: int, keep: bool = False) -> None:
        name = turn.arm.name
        steps = self._steps.get(turn.arm.kernel)
        if name not in self._lines or steps is None:
            return
        with self._failing(name):
            order = {"lap": steps, "cpus": turn.cpus, "warm_ns": warm_ns, "window_ns": window_ns}
            answer = self._lines[name].ask("trial", TRIAL_TIMEOUT_S, **order)
            if keep:
                self._trials.append(_trial(self._round, turn, steps, answer))

    @contextlib.contextmanager
    def _failing(self, name: str) -> Iterator[None]:
        """Turn the loss of a station into a failure of its arm, and go on without it."""
        try:
            yield
        except (StationLost, OSError) as lost:
            if line := self._lines.pop(name, None):
                line.end()
            self._failures.append(Failure(arm=name, round=self._round, reason=str(lost)))

    # -- what is known so far ------------------------------------------------------------------------------------

    def _elapsed_s(self) -> float:
        return (now_ns() - self._began_ns) / 1e9

    def _tell(self, phase: Phase) -> None:
        failed = tuple(failure.arm for failure in self._failures)
        budget_s = self.plan.budget_s
        self.notice(
            Progress(phase=phase, round=self._round + 1, elapsed_s=self._elapsed_s(), budget_s=budget_s, failed=failed)
        )

    def record(self) -> Record:
        """What was observed so far."""
        after, laps, trials = read_pulse(), tuple(self._laps), tuple(self._trials)
        pinned = self._placement != (-1,)
        return Record(
            started=self._started,
            elapsed_s=round(self._elapsed_s(), 3),
            interrupted=self.interrupted,
            plan=self.plan,
            host=self.host,
            before=self._before,
            after=after,
            pinned=pinned,
            runtimes=dict(self._runtimes),
            laps=laps,
            trials=trials,
            failures=tuple(self._failures),
            cautions=cautions(self.plan, self.host, self._before, after, pinned, self._runtimes, laps, trials),
            observations=None,
        )


def _look_times(plan: Plan, spent_s: float) -> list[float]:
    """When to look: the first look after a part of the time that is left, the last when the budget is spent."""
    first_s = spent_s + FIRST_LOOK * (plan.budget_s - spent_s)
    step_s = (plan.budget_s - first_s) / max(1, plan.looks - 1)
    return [first_s + step_s * look for look in range(plan.looks - 1)]


def _trial(round_: int, turn: _Turn, steps: int, answer: Any) -> Trial:
    spans = tuple(Span(ready_ns, Edge(*opened), Edge(*closed)) for ready_ns, opened, closed in answer["spans"])
    return Trial(
        round=round_,
        arm=turn.arm.name,
        workers=turn.workers,
        cpus=turn.cpus,
        lap=steps,
        open_ns=answer["open_ns"],
        close_ns=answer["close_ns"],
        gil=answer["gil"],
        spans=spans,
    )
