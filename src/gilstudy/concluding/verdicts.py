"""Three-way verdicts on arms: from intervals and from what the host could give, never from a bare ratio.

Whether the host leaves headroom for a speedup is decided first, from its CPUs and from the ceiling alone. Where it
leaves none, nothing is said of the arm, whatever its own ratio looks like.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Final, Literal

from gilstudy.concluding.ratios import CaseEstimates, CaseKey
from gilstudy.concluding.trials import tells_cpu_time
from gilstudy.measuring.record import Record
from gilstudy.stats import Estimate

ArmVerdict = Literal["scales", "does-not-scale", "inconclusive"]

SCALES_FROM: Final = 0.5
"""An arm scales if its gain is surely above half of what the host had to give,"""
DOES_NOT_UP_TO: Final = 0.25
"""and does not if it is surely below a quarter. Between the two it does so in part, and no word is given for it."""
LEAST_CPUS: Final = 1.5
LEAST_CEILING: Final = 1.3
"""Native threads must surely reach this speedup, or there is too little to share out for a verdict."""
LEAST_USED: Final = 0.9
"""Native threads that had less than this share of their CPUs were held up by other work, not by the host's nature."""
MEANINGFUL: Final = (-0.5, 1.5)
"""Gains that can be: beyond them it was not the arm that made the difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Headroom:
    """What the host leaves for a speedup at a worker count."""

    workers: int
    why_none: str
    """Why nothing can be said, in a few words; "" if there is headroom."""
    by_nature: bool
    """Whether that will stay so on this host, rather than being a matter of noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmFinding(CaseEstimates):
    """An arm at a worker count: its estimates and its verdict."""

    verdict: ArmVerdict
    reason: str
    """Why the verdict is not a firm one; "" if it is."""


def headroom_at(record: Record, case: CaseEstimates, ceiling: CaseEstimates | None) -> Headroom:
    """What the host leaves for an arm: by its CPUs, and by what native threads reached in the rounds used of the arm.

    Args:
        record: the study.
        case: the arm at a worker count.
        ceiling: the ceiling at the same; None if it was not measured.
    """
    workers, top = case.workers, case.ceiling
    cpus = min(workers, record.host.effective_cpus)
    if workers < 2:
        return Headroom(workers=workers, why_none="one worker has nothing to share", by_nature=True)
    if cpus < LEAST_CPUS:
        return Headroom(workers=workers, why_none=f"this process has {_cpus(cpus)} to run on", by_nature=True)
    if ceiling is None or top is None:
        return Headroom(workers=workers, why_none="the ceiling was not measured", by_nature=False)
    if not top.is_bounded:
        return Headroom(workers=workers, why_none="too few rounds were played", by_nature=False)
    if top.low >= LEAST_CEILING:
        return Headroom(workers=workers, why_none="", by_nature=False)
    if case.basis == "all rounds" and _is_crowded(record, ceiling):
        why = f"other work took the CPUs: native threads reached {ratio(top)}"
        return Headroom(workers=workers, why_none=why, by_nature=False)
    if top.high < LEAST_CEILING:
        why = f"even native threads reached only {ratio(top)} on this host"
        return Headroom(workers=workers, why_none=why, by_nature=True)
    why = f"the host was too unsteady: native threads reached {ratio(top)}"
    return Headroom(workers=workers, why_none=why, by_nature=False)


def _is_crowded(record: Record, ceiling: CaseEstimates) -> bool:
    """Whether native threads lacked CPUs that the host would have given them, had there been no other work."""
    can_use = min(ceiling.workers, len(record.host.placement), record.host.effective_cpus)
    return tells_cpu_time(record.host) and ceiling.cores_used.point < LEAST_USED * can_use


def judge_arms(record: Record, estimates: Iterable[CaseEstimates]) -> tuple[ArmFinding, ...]:
    """A finding for every case."""
    cases: Mapping[CaseKey, CaseEstimates] = {(case.arm, case.workers): case for case in estimates}
    top = next(arm.name for arm in record.plan.arms if arm.is_ceiling)

    def finding(case: CaseEstimates) -> ArmFinding:
        ceiling = cases.get((top, case.workers))
        headroom = headroom_at(record, case, ceiling)
        verdict, reason = _judge(case, headroom, case.arm == top)
        known = {field.name: getattr(case, field.name) for field in fields(case)}
        return ArmFinding(**known, verdict=verdict, reason=reason)

    return tuple(finding(case) for case in cases.values())


def _judge(case: CaseEstimates, headroom: Headroom, is_ceiling: bool) -> tuple[ArmVerdict, str]:
    if headroom.why_none:
        return "inconclusive", headroom.why_none
    if is_ceiling:
        return "scales", ""
    if case.speedup is None:
        return "inconclusive", "its baseline was not measured"
    if not case.speedup.is_bounded:
        return "inconclusive", "too few rounds were played"
    if case.gain is None:
        return "inconclusive", "the ceiling left nothing to gain"
    if case.gain.point > MEANINGFUL[1]:
        return "inconclusive", f"it reads {ratio(case.speedup)}, far above native threads: they were held up"
    side = side_of(case.gain)
    if side == "unsure":
        return "inconclusive", _between(case.gain)
    return ("scales" if side == "above" else "does-not-scale"), ""


def _between(gain: Estimate) -> str:
    if gain.low < MEANINGFUL[0] or gain.high > MEANINGFUL[1]:
        return "the interval of its gain is too wide to say anything"
    return f"its gain lies between {percent(gain.low)} and {percent(gain.high)}"


def is_meaningful(gain: Estimate) -> bool:
    """Whether a gain is one that can be, with an interval: any other is no figure to be shown."""
    return gain.is_bounded and MEANINGFUL[0] <= gain.point <= MEANINGFUL[1]


def side_of(share: Estimate) -> Literal["above", "below", "unsure"]:
    """On which side of the two thresholds a share of what the host had to give surely lies."""
    if share.low > SCALES_FROM:
        return "above"
    return "below" if share.high < DOES_NOT_UP_TO else "unsure"


def ratio(estimate: Estimate) -> str:
    """Such as ``1.98x [1.95, 2.01]``."""
    return f"{estimate.point:.2f}x [{estimate.low:.2f}, {estimate.high:.2f}]"


def percent(share: float) -> str:
    """Such as ``97 %``."""
    return f"{round(100 * share)} %"


def _cpus(cpus: float) -> str:
    return "one CPU" if cpus == 1 else f"{cpus:g} CPUs"
