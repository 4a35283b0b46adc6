"""Verdicts on the claims about switching, shared variables and locks, from what the experiments observed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final

from gilstudy.concluding.claims import Claim, ClaimVerdict
from gilstudy.measuring.observations import (
    Cost,
    Deadlock,
    LockCosts,
    LostUpdates,
    Observations,
    Sharing,
    Spell,
    Switching,
    Updates,
)
from gilstudy.stats import Estimate, fewest_rounds, over_rounds

LEVEL: Final = 0.95
CLAIMED_BYTECODES: Final = 100
NEAR: Final = 2.0
"""Within this factor of the claimed number of bytecodes the claim counts as right."""
SERIAL_UP_TO: Final = 1.25
"""Threads that surely do less than this times the work of one are serial."""
PARALLEL_FROM: Final = 1.5

_Ruling = tuple[ClaimVerdict, str]


def judge_experiments(seen: Observations) -> tuple[Claim, ...]:
    """A verdict on each claim whose experiment was done, in the text's order."""
    rulings: dict[str, _Ruling] = {}
    if seen.switching:
        rulings["switch-every-100-bytecodes"] = judge_switching(seen.switching)
    if seen.updates:
        rulings["lost-updates-without-lock"] = judge_lost_updates(seen.updates)
        rulings["lock-prevents-lost-updates"] = judge_lock(seen.updates)
    if seen.costs:
        rulings["lock-serialises"] = judge_costs(seen.costs)
    if seen.deadlock:
        rulings["lock-order-deadlocks"] = judge_deadlock(seen.deadlock)
    if seen.sharing:
        rulings["threads-share-processes-copy"] = judge_sharing(seen.sharing)
    for trouble in seen.troubles:
        for claim in CLAIMS_OF[trouble.experiment]:
            rulings[claim] = ("inconclusive", f"The experiment could not be completed: {trouble.reason}.")
    return tuple(
        Claim(
            id=name, verdict=ruling[0], evidence=ruling[1], scope=f"Python {seen.label}, this host", counterexample=None
        )
        for name, ruling in rulings.items()
    )


CLAIMS_OF: Final = {
    "switching": ("switch-every-100-bytecodes",),
    "updates": ("lost-updates-without-lock", "lock-prevents-lost-updates"),
    "costs": ("lock-serialises",),
    "deadlock": ("lock-order-deadlocks",),
    "sharing": ("threads-share-processes-copy",),
    "layers": (),
}
"""The claims on which each experiment bears."""


# -- switching -------------------------------------------------------------------------------------------------------


def holds_ns(spell: Spell) -> Sequence[int]:
    """How long each hold lasted: as seen by the watch, or else by the threads' own clocks, without the ragged ends."""
    begins = [turn.begin_ns for turn in spell.turns]
    return spell.holds_ns or [after - before for before, after in itertools.pairwise(begins)][1:]


def holds_bytecodes(seen: Switching, spell: Spell) -> list[int]:
    """How many instructions each turn lasted, without the first and the last."""
    return [turn.passes * seen.bytecodes_per_pass for turn in spell.turns[1:-1]]


def judge_switching(seen: Switching) -> _Ruling:
    """Whether turns are about as long as claimed, at every switch interval."""
    if seen.gil is False:
        return "untestable", "There is no GIL in this interpreter that a thread could hold or release."
    fewest = fewest_rounds(LEVEL)
    spells = [spell for spell in seen.spells if min(len(holds_ns(spell)), len(spell.turns) - 2) >= fewest]
    if not spells:
        return "inconclusive", "The two threads switched too seldom: the host was too busy."
    counts = [typical(holds_bytecodes(seen, spell)) for spell in spells]
    evidence = _switching_evidence(seen, spells, counts)
    if all(count.low > CLAIMED_BYTECODES * NEAR or count.high < CLAIMED_BYTECODES / NEAR for count in counts):
        return "refuted", evidence
    are_near = (count.low >= CLAIMED_BYTECODES / NEAR and count.high <= CLAIMED_BYTECODES * NEAR for count in counts)
    return ("supported" if all(are_near) else "inconclusive"), evidence


def _switching_evidence(seen: Switching, spells: Sequence[Spell], counts: Sequence[Estimate]) -> str:
    lasted = [typical([hold / 1e6 for hold in holds_ns(spell)]) for spell in spells]
    told = [
        f"{long.point:.2f} [{long.low:.2f}, {long.high:.2f}] ms or {count.point:,.0f} "
        f"[{count.low:,.0f}, {count.high:,.0f}] bytecodes at a switch interval of {spell.interval_ns / 1e6:g} ms"
        for spell, count, long in zip(spells, counts, lasted, strict=True)
    ]
    how = "by the threads' own clocks" if seen.unwatched else "as the GIL itself shows"
    return f"Of two busy threads one kept the GIL, {how}, for {'; '.join(told)}."


# -- updates ---------------------------------------------------------------------------------------------------------


def judge_lost_updates(seen: LostUpdates) -> _Ruling:
    """Whether threads lose updates without a lock: one loss in any variant is proof that they do."""
    own = [variant for variant in seen.variants if variant.variant == "as_written"]
    split = [variant for variant in seen.variants if variant.variant == "split_by_call"]
    evidence = (
        f"The text's own lines lost {_and([_lost(variant) for variant in own])}; "
        f"with a call between read and write, {_and([_lost(variant) for variant in split])}."
    )
    lossy = any(any(variant.lost) for variant in own + split)
    return ("supported" if lossy else "inconclusive"), evidence


def judge_lock(seen: LostUpdates) -> _Ruling:
    """Whether nothing is lost with a lock, where something is lost without."""
    locked = [variant for variant in seen.variants if variant.variant == "locked"]
    control = next(variant for variant in seen.variants if variant.variant == "split_by_call")
    evidence = f"With a lock the threads lost {_and([_lost(variant) for variant in locked])}"
    if any(any(variant.lost) for variant in locked):
        return "refuted", f"{evidence}."
    if not any(control.lost):
        return "inconclusive", f"{evidence}, but without one they lost nothing either."
    return "supported", f"{evidence}; the same code without one lost {_lost(control)}."


def _lost(seen: Updates) -> str:
    """Such as ``at least 12.5 of a million in 2 threads`` or ``0 of 1,200,000 in 2 threads``."""
    lost, total = sum(seen.lost), len(seen.lost) * seen.updates
    hidden = "at least " if seen.variant == "as_written" else ""  # additions and subtractions hide each other
    amount = f"{hidden}{per_million(seen):,.0f} per million" if lost else f"0 of {total:,}"
    return f"{amount} in {seen.threads} threads"


def per_million(seen: Updates) -> float:
    """Lost updates per million."""
    return 1e6 * sum(seen.lost) / (len(seen.lost) * seen.updates)


# -- costs -----------------------------------------------------------------------------------------------------------


def cost_ns(seen: LockCosts, variant: str, threads: int) -> Estimate:
    """Nanoseconds of wall time for an update."""
    return typical([_of(costs, variant, threads) for costs in seen.rounds])


def speedup(seen: LockCosts, variant: str, threads: int) -> Estimate:
    """Updates per second of ``threads`` threads against one thread, within the round."""
    return typical([_of(costs, variant, 1) / _of(costs, variant, threads) for costs in seen.rounds])


def judge_costs(seen: LockCosts) -> _Ruling:
    """Whether threads that share a lock get nothing done that one could not do alone."""
    if len(seen.rounds) < fewest_rounds(LEVEL):
        return "inconclusive", f"Only {len(seen.rounds)} rounds were completed."
    counts = sorted({cost.threads for cost in seen.rounds[0] if cost.variant == "locked" and cost.threads > 1})
    speedups = [speedup(seen, "locked", count) for count in counts]
    prices = [f"{cost_ns(seen, 'locked', count).point:.0f} ns in {count} threads" for count in counts]
    evidence = (
        f"An update costs {cost_ns(seen, 'split_by_call', 1).point:.0f} ns without a lock, "
        f"{cost_ns(seen, 'locked', 1).point:.0f} ns with one that nobody else wants, {_and(prices)} that do; "
        f"{_and([_work(count, of) for count, of in zip(counts, speedups, strict=True)])} the work of one."
    )
    if all(of.high < SERIAL_UP_TO for of in speedups):
        return "supported", evidence
    if seen.gil is not False:
        # Under a GIL they cannot run at once: other work took more of the CPU from the one thread than from several.
        return "inconclusive", f"{evidence} The host was too busy to time it."
    return ("refuted" if any(of.low > PARALLEL_FROM for of in speedups) else "inconclusive"), evidence


def _work(threads: int, of: Estimate) -> str:
    return f"{threads} threads do {of.point:.2f}x [{of.low:.2f}, {of.high:.2f}]"


def _of(costs: Sequence[Cost], variant: str, threads: int) -> float:
    (cost,) = (cost for cost in costs if (cost.variant, cost.threads) == (variant, threads))
    return cost.wall_ns / cost.updates


# -- deadlock and sharing --------------------------------------------------------------------------------------------


def judge_deadlock(seen: Deadlock) -> _Ruling:
    """Whether opposite order hangs for ever, and the same order does not."""
    if seen.cycle and seen.opposite_ending == "deadlock":
        who = ", ".join(f"{stuck.thread} holds {stuck.holds} and waits for {stuck.wants}" for stuck in seen.cycle)
        same = "finished" if seen.same_ending == "ended" else f"did not finish ({seen.same_ending})"
        verdict: ClaimVerdict = "supported" if seen.same_ending == "ended" else "inconclusive"
        return verdict, f"Thread {who}: for ever, until the process was ended; in the same order they {same}."
    if seen.opposite_ending == "ended":
        return "refuted", "Two threads took two locks in opposite order and both finished."
    return "inconclusive", f"The two threads came to no end that says anything ({seen.opposite_ending})."


def judge_sharing(seen: Sharing) -> _Ruling:
    """Whether the change of a thread reaches the main thread, and that of a process does not."""
    shared = (seen.in_thread, seen.after_thread) == (seen.added, seen.added)
    copied = (seen.in_process, seen.after_process) == (seen.added, 0)
    evidence = (
        f"After a thread added {seen.added} the main thread read {seen.after_thread}; "
        f"after a process did, which itself read {seen.in_process}, it read {seen.after_process}."
    )
    return ("supported" if shared and copied else "refuted"), evidence


# -- words and numbers -----------------------------------------------------------------------------------------------


def typical(values: Sequence[float]) -> Estimate:
    """The middle of ``values``, with its interval."""
    return over_rounds(values, LEVEL)


def _and(parts: Sequence[str]) -> str:
    return " and ".join(parts)
