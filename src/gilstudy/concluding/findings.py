"""All that is concluded from a record. It is computed anew whenever a record is rendered; nothing is measured again."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gilstudy.concluding.cautions import Caution, cautions
from gilstudy.concluding.claims import Claim
from gilstudy.concluding.claims.experiments import judge_experiments
from gilstudy.concluding.claims.speedups import judge_speedups
from gilstudy.concluding.ratios import estimate
from gilstudy.concluding.verdicts import ArmFinding, judge_arms
from gilstudy.measuring.record import Record
from gilstudy.stats import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """A study's conclusions."""

    arms: tuple[ArmFinding, ...]
    claims: tuple[Claim, ...]
    cautions: tuple[Caution, ...]


def conclude(record: Record) -> Findings:
    """The findings that follow from ``record``."""
    arms = judge_arms(record, estimate(record))
    claims = judge_speedups(record, arms)
    if record.observations:
        claims += judge_experiments(record.observations)
    return Findings(arms=arms, claims=claims, cautions=cautions(record))


def is_enough(record: Record) -> bool:
    """Whether a study may stop here: every claim settled, and every speedup known to the planned precision."""
    findings = conclude(record)
    if any(claim.verdict == "inconclusive" for claim in findings.claims):
        return False
    return all(_is_narrow(finding.speedup, record.plan.precision) for finding in findings.arms)


def _is_narrow(speedup: Estimate | None, precision: float) -> bool:
    return speedup is None or (math.isfinite(speedup.half_width) and speedup.half_width <= precision)
