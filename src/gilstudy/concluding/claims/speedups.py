"""Verdicts on the claims about speedup and cores, from the arms of a study."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from gilstudy.concluding.claims import Claim, ClaimVerdict
from gilstudy.concluding.verdicts import (
    DOES_NOT_UP_TO,
    SCALES_FROM,
    ArmFinding,
    ArmVerdict,
    Headroom,
    headroom_at,
    ratio,
)
from gilstudy.measuring.arm import Arm
from gilstudy.measuring.record import Record
from gilstudy.stats import Estimate

SLOWER_BY: Final = 0.10
"""Threads count as slower than one thread only if they are surely so by more than this: within it they are equal."""
QUIET_CEILING: Final = 0.85
"""Efficiency that native threads must surely have before a slowdown is put down to Python and not to the host."""


Predicate = Callable[[Arm], bool]
"""Which arms a claim speaks of."""


def in_threads(kernel: str = "") -> Predicate:
    """The arms that run this kernel, by default the study's subject, in threads of one interpreter."""
    return lambda arm: arm.mode == "threads" and arm.kernel == kernel


def in_processes(arm: Arm) -> bool:
    """Whether an arm runs the study's subject in processes, however they are started."""
    return arm.mode == "processes" and not arm.kernel


def judge_speedups(record: Record, findings: Sequence[ArmFinding]) -> tuple[Claim, ...]:
    """A verdict on each claim that the record's arms bear on, in the text's order."""
    court = _Court(record, findings)
    judges: dict[str, Callable[[], _Ruling | None]] = {
        "threads-do-not-scale": lambda: court.of_arms(in_threads(), "does-not-scale"),
        "threads-slower-than-serial": court.slower,
        "threads-use-one-core": court.one_core,
        "c-extension-scales": lambda: court.of_arms(in_threads("nogil"), "scales"),
        "c-must-release-the-gil": lambda: court.of_arms(
            in_threads("held"), "does-not-scale", beside=in_threads("nogil")
        ),
        "processes-scale": lambda: court.of_arms(in_processes, "scales"),
        "only-c-or-processes": court.only_c_or_processes,
        "needs-gil-free-interpreter": court.needs_gil_free_interpreter,
    }
    rulings = {name: judge() for name, judge in judges.items()}
    return tuple(court.claim(name, ruling) for name, ruling in rulings.items() if ruling is not None)


@dataclass(frozen=True, slots=True)
class _Ruling:
    verdict: ClaimVerdict
    evidence: str
    counterexample: str | None = None


class _Court:
    def __init__(self, record: Record, findings: Sequence[ArmFinding]) -> None:
        self._record = record
        self._cases = {(finding.arm, finding.workers): finding for finding in findings}
        self._arms = record.plan.arms
        self._top = next(arm.name for arm in record.plan.arms if arm.is_ceiling)

    def claim(self, name: str, ruling: _Ruling) -> Claim:
        return Claim(
            id=name,
            verdict=ruling.verdict,
            evidence=ruling.evidence,
            scope=self._scope(),
            counterexample=ruling.counterexample,
        )

    def _scope(self) -> str:
        builds = sorted({runtime.label for runtime in self._record.runtimes.values()})
        counts = ", ".join(str(count) for count in self._record.plan.workers)
        return f"Python {' and '.join(builds) or '?'}, {counts} workers, this host"

    # -- evidence ------------------------------------------------------------------------------------------------

    def _names(self, arms: Predicate) -> list[str]:
        return [arm.name for arm in self._arms if arms(arm)]

    def _of(self, arms: Predicate) -> list[ArmFinding]:
        """The arms' findings at two workers and more."""
        names = self._names(arms)
        return [case for (name, workers), case in self._cases.items() if name in names and workers > 1]

    def _headroom(self, workers: int) -> Headroom:
        return headroom_at(self._record, self._ceiling(workers), workers)

    def _ceiling(self, workers: int) -> Estimate | None:
        case = self._cases.get((self._top, workers))
        return case.speedup if case else None

    def _missing(self, arms: Predicate) -> _Ruling | None:
        """The ruling if none of ``arms`` has a finding; None (and no claim at all) if none was asked for."""
        asked = self._names(arms)
        lost = {arm: reason for arm, reason in self._record.lost.items() if arm in asked}
        for arm, reason in lost.items():
            return _Ruling("inconclusive", f"The arm {arm} failed: {reason}.")
        if asked and max(self._record.plan.workers) < 2:
            return _Ruling("untestable", "It takes two workers or more; this study had one.")
        return _Ruling("inconclusive", "No round was completed.") if asked else None

    def _no_headroom(self, cases: Sequence[ArmFinding]) -> _Ruling | None:
        """The ruling if the host leaves no headroom at any of the cases' worker counts."""
        headrooms = [self._headroom(case.workers) for case in cases]
        if any(not headroom.why_none for headroom in headrooms):
            return None
        verdict: ClaimVerdict = "untestable" if all(headroom.by_nature for headroom in headrooms) else "inconclusive"
        return _Ruling(verdict, _sentence(headrooms[-1].why_none))

    def _says(self, case: ArmFinding) -> str:
        top = self._ceiling(case.workers)
        beside = f" (native threads: {ratio(top)})" if top else ""
        speed = ratio(case.speedup) if case.speedup else "no ratio"
        return f"{case.workers} workers of {case.arm} did {speed} the work of one{beside}"

    # -- claims --------------------------------------------------------------------------------------------------

    def of_arms(self, arms: Predicate, claimed: ArmVerdict, *, beside: Predicate | None = None) -> _Ruling | None:
        """Whether ``arms`` do as ``claimed``; those ``beside`` must do the opposite for contrast."""
        cases = self._of(arms)
        if not cases:
            return self._missing(arms)
        if ruling := self._no_headroom(cases):
            return ruling
        firm = [case for case in cases if case.verdict != "inconclusive"]
        against = [case for case in firm if case.verdict != claimed]
        evidence = _sentence("; ".join(self._says(case) for case in (against or firm or cases)))
        if not firm:
            return _Ruling("inconclusive", _sentence(f"{self._says(cases[0])}: {cases[0].reason}"))
        if against and len(against) < len(firm):
            both = [next(case for case in firm if case.verdict == claimed), against[0]]
            return _Ruling("inconclusive", _sentence("; ".join(f"{self._says(c)}: {c.verdict}" for c in both)))
        if against:
            return _Ruling("refuted", evidence, against[0].arm)
        if beside:
            return self._contrast(beside, claimed, evidence)
        return _Ruling("supported", evidence)

    def _contrast(self, beside: Predicate, claimed: ArmVerdict, evidence: str) -> _Ruling:
        others = [case for case in self._of(beside) if case.verdict != "inconclusive"]
        if not others or any(case.verdict == claimed for case in others):
            names = ", ".join(self._names(beside)) or Arm(mode="threads", kernel="nogil").name
            return _Ruling("inconclusive", f"{evidence} But {names} was not seen to do better.")
        return _Ruling("supported", f"{evidence[:-1]}; {self._says(others[-1])}.")

    def slower(self) -> _Ruling | None:
        """Whether threads are slower than one thread by more than the equivalence zone."""
        cases = self._of(in_threads())
        if not cases:
            return self._missing(in_threads())
        if ruling := self._no_headroom(cases):
            return ruling
        case = min(cases, key=lambda case: case.workers)
        if case.speedup is None:
            return _Ruling("inconclusive", _sentence(case.reason))
        zone = f"within {SLOWER_BY:.0%} counts as equal".replace("%", " %")
        evidence = f"{self._says(case)}; {zone}."
        if case.speedup.low > 1 - SLOWER_BY:
            return _Ruling("refuted", evidence, case.arm)
        if case.speedup.high < 1 - SLOWER_BY:
            return self._slower_by_python(case, evidence)
        return _Ruling("inconclusive", evidence)

    def _slower_by_python(self, case: ArmFinding, evidence: str) -> _Ruling:
        # A thread that holds the GIL may be kept off its CPU by somebody else's work, and all others wait with it.
        top = self._ceiling(case.workers)
        cpus = min(case.workers, len(self._record.host.placement))
        if top is None or top.low < QUIET_CEILING * cpus:
            return _Ruling("inconclusive", f"{evidence} But the host gave native threads too little to blame the GIL.")
        return _Ruling("supported", evidence)

    def one_core(self) -> _Ruling | None:
        """Whether threads keep one core busy and no more, however many there are."""
        cases = self._of(in_threads())
        if not cases:
            return self._missing(in_threads())
        if ruling := self._no_headroom(cases):
            return ruling
        sides = {case.workers: self._cores_side(case) for case in cases if not self._headroom(case.workers).why_none}
        evidence = _sentence("; ".join(self._cores_say(case) for case in cases if case.workers in sides))
        if "above" in sides.values():
            return _Ruling("refuted", evidence, cases[0].arm)
        if all(side == "below" for side in sides.values()):
            return _Ruling("supported", evidence)
        return _Ruling("inconclusive", evidence)

    def _cores_side(self, case: ArmFinding) -> str:
        """Where the cores that the arm used lie between one core and all that native threads used."""
        spare = self._cases[self._top, case.workers].cores_used.point - 1
        if case.cores_used.low > 1 + SCALES_FROM * spare:
            return "above"
        return "below" if case.cores_used.high < 1 + DOES_NOT_UP_TO * spare else "unsure"

    def _cores_say(self, case: ArmFinding) -> str:
        ours, top = case.cores_used, self._cases[self._top, case.workers].cores_used
        return (
            f"{case.workers} threads kept {ours.point:.2f} [{ours.low:.2f}, {ours.high:.2f}] cores busy, "
            f"native threads {top.point:.2f}"
        )

    def only_c_or_processes(self) -> _Ruling | None:
        """Whether nothing but C and processes gave a speedup, among the models that this Python has."""
        parts = {
            "threads": self.of_arms(in_threads(), "does-not-scale"),
            "C": self.of_arms(in_threads("nogil"), "scales"),
            "processes": self.of_arms(in_processes, "scales"),
        }
        threads = parts["threads"]
        if threads is not None and threads.verdict == "refuted":
            return _Ruling(
                "refuted", f"Pure Python in plain threads scales here. {threads.evidence}", threads.counterexample
            )
        if any(part is None for part in parts.values()):
            return None
        for name, part in parts.items():
            if part is not None and part.verdict == "untestable":
                return part
            if part is not None and part.verdict != "supported":
                return _Ruling("inconclusive", f"It rests on {name}, for which there is no firm verdict here.")
        return self._others()

    def _others(self) -> _Ruling:
        cases = [self._of(arms)[-1] for arms in (in_threads("nogil"), in_processes, in_threads())]
        c, processes, threads = (ratio(case.speedup) if case.speedup else "" for case in cases)
        seen = f"C that releases the GIL ({c}) and processes ({processes}) scale, threads ({threads}) do not"
        unseen = sorted({runtime.label for runtime in self._record.runtimes.values() if runtime.own_gil_interpreters})
        if unseen:
            why = f"Python {unseen[0]} also has subinterpreters with a GIL each, which this study did not time"
            return _Ruling("untestable", f"{seen}; but {why}.")
        return _Ruling("supported", f"{seen}; this Python has no other model.")

    def needs_gil_free_interpreter(self) -> _Ruling | None:
        """Whether plain threads scale where there is no GIL; where there is one, only the opposite can be shown."""
        scaling = self.of_arms(in_threads(), "scales")
        if scaling is None or scaling.verdict in ("inconclusive", "untestable"):
            return scaling
        names = self._names(in_threads())
        gil_on = any(trial.gil is not False for trial in self._record.trials if trial.arm in names)
        if scaling.verdict == "supported":
            if gil_on:
                return _Ruling("refuted", f"{scaling.evidence[:-1]}, with a GIL.", names[0])
            return _Ruling("supported", f"{scaling.evidence[:-1]}, without a GIL.")
        if gil_on:
            return _Ruling("untestable", "No interpreter without a GIL took part; repeat the study under one.")
        return _Ruling("inconclusive", f"{scaling.evidence[:-1]}, though there was no GIL.")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
