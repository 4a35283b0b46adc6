"""What must hold in a record beyond the types and ranges of its fields, so that conclusions can be drawn from it."""

from __future__ import annotations

from collections.abc import Mapping

from gilstudy.codec import Malformed
from gilstudy.concluding.claims.experiments import CLAIMS_OF
from gilstudy.measuring.arm import parse
from gilstudy.measuring.observations import LockCosts, LostUpdates, Observations
from gilstudy.measuring.record import Record


def check(record: Record) -> None:
    """Raise Malformed, which says what does not hold, if the parts of ``record`` do not fit together."""
    rules = {**_of_study(record), **(_of_observations(record.observations) if record.observations else {})}
    for rule, holds in rules.items():
        if not holds:
            raise Malformed(f"it is not so that {rule}")


def _of_study(record: Record) -> Mapping[str, bool]:
    plan, trials, arms = record.plan, record.trials, set(record.plan.arms)
    cases = {(case.arm.name, case.workers) for case in plan.cases}
    return {
        "every arm has the name of its parts": all(parse(arm.name) == arm for arm in arms),
        "every case is there once": len(cases) == len(plan.cases),
        "the plan has one ceiling": sum(arm.is_ceiling for arm in arms) == 1,
        "every baseline is an arm": all(arm.baseline in arms for arm in arms),
        "there are worker counts": bool(plan.workers),
        "the host has CPUs": bool(record.host.usable_cpus and record.host.placement),
        "every trial is of a case of the plan": {(trial.arm, trial.workers) for trial in trials} <= cases,
        "every arm that was lost is one of the plan's": record.lost.keys() <= {name for name, _ in cases},
        "every trial has a window": all(trial.close_ns > trial.open_ns for trial in trials),
        "every worker has a span and a CPU": all(len(t.spans) == len(t.cpus) == t.workers for t in trials),
    }


def _of_observations(seen: Observations) -> Mapping[str, bool]:
    return {
        "every trouble is that of a known experiment": all(t.experiment in CLAIMS_OF for t in seen.troubles),
        "updates were lost or not, in every variant": seen.updates is None or _are_whole(seen.updates),
        "every round of the lock's costs has the same cases": seen.costs is None or _are_alike(seen.costs),
    }


def _are_whole(seen: LostUpdates) -> bool:
    return all(variant.lost for variant in seen.variants) and "split_by_call" in {v.variant for v in seen.variants}


def _are_alike(seen: LockCosts) -> bool:
    rounds = [sorted((cost.variant, cost.threads) for cost in costs) for costs in seen.rounds]
    cases = rounds[0] if rounds else [("locked", 1), ("split_by_call", 1)]
    is_one_each = len(set(cases)) == len(cases)
    return is_one_each and {("locked", 1), ("split_by_call", 1)} <= {*cases} and all(r == cases for r in rounds)
