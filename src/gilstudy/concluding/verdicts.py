"""Three-way verdicts on arms: from intervals and from what the host could give, never from a bare ratio.

Whether the host leaves headroom for a speedup is decided first, from its CPUs and from the ceiling alone. Where it
leaves none, nothing is said of the arm, whatever its own ratio looks like.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Final, Literal

from gilstudy.concluding.ratios import CaseEstimates, CaseKey
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


def headroom_at(record: Record, top: Estimate | None, workers: int) -> Headroom:
    """What the host leaves for ``workers`` workers, by its CPUs and by ``top``, the ceiling's speedup."""
    cpus = min(workers, record.host.effective_cpus)
    if workers < 2:
        return Headroom(workers=workers, why_none="one worker has nothing to share", by_nature=True)
    if cpus < LEAST_CPUS:
        return Headroom(workers=workers, why_none=f"this process has {_cpus(cpus)} to run on", by_nature=True)
    if top is None:
        return Headroom(workers=workers, why_none="the ceiling was not measured", by_nature=False)
    if not math.isfinite(top.half_width):
        return Headroom(workers=workers, why_none="too few rounds were played", by_nature=False)
    if top.high < LEAST_CEILING:
        why = f"even native threads reached only {ratio(top)} on this host"
        return Headroom(workers=workers, why_none=why, by_nature=True)
    if top.low < LEAST_CEILING:
        why = f"the host was too unsteady: native threads reached {ratio(top)}"
        return Headroom(workers=workers, why_none=why, by_nature=False)
    return Headroom(workers=workers, why_none="", by_nature=False)


def judge_arms(record: Record, estimates: Iterable[CaseEstimates]) -> tuple[ArmFinding, ...]:
    """A finding for every case."""
    cases: Mapping[CaseKey, CaseEstimates] = {(case.arm, case.workers): case for case in estimates}
    top = next(arm.name for arm in record.plan.arms if arm.is_ceiling)

    def finding(case: CaseEstimates) -> ArmFinding:
        ceiling = cases.get((top, case.workers))
        headroom = headroom_at(record, ceiling.speedup if ceiling else None, case.workers)
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
    if not math.isfinite(case.speedup.half_width):
        return "inconclusive", "too few rounds were played"
    if case.gain is None:
        return "inconclusive", "the ceiling left nothing to gain"
    side = side_of(case.gain)
    if side == "unsure":
        return "inconclusive", f"its gain lies between {percent(case.gain.low)} and {percent(case.gain.high)}"
    return ("scales" if side == "above" else "does-not-scale"), ""


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
