"""Lessons on threads: names, what they share, what a lock does, and how two locks hang."""

from __future__ import annotations

import re

from gilstudy.concluding.claims.experiments import cost_ns, per_million
from gilstudy.experimenting.conduct import see_deadlock, see_sharing
from gilstudy.lessons.lesson import Check, Lesson, Material, Run, Seen, always
from gilstudy.measuring.observations import LostUpdates, Observations, Updates


def _see_names(material: Material) -> Seen:
    (play,) = material.plays
    main, named, unnamed = play.lanes
    automatic = unnamed.thread
    follows = re.fullmatch(r"Thread-\d+( \(loop\))?", automatic) is not None
    checks = (
        Check(id="main-thread", passed=main.said[0].text.startswith("MainThread ")),
        Check(id="given-name", passed=named.thread == "LoopThread" and _says_its_name(named.said, named.thread)),
        Check(id="automatic-name", passed=follows and _says_its_name(unnamed.said, automatic)),
    )
    answer = "numbered" if follows else "given" if automatic == "LoopThread" else "none"
    return Seen(checks=checks, facts={"automatic": automatic}, answer=answer)


def _says_its_name(said: tuple[object, ...], name: str) -> bool:
    return len(said) == 2 and all(getattr(event, "text", "").startswith(f"{name} ") for event in said)


def _see_lock(material: Material) -> Seen:
    shared, without, with_lock = material.plays
    updates, costs = material.observations.updates, material.observations.costs
    if updates is None or costs is None:
        raise LookupError("the experiments on lost updates came to no end")
    sharing = see_sharing(shared)
    lost, kept = without.said[-1].numbers[0], with_lock.said[-1].numbers[0]
    tried = with_lock.said[0].text.endswith("False")
    checks = (
        Check(id="threads-share", passed=sharing.after_thread == sharing.added),
        Check(id="processes-copy", passed=sharing.in_process == sharing.added and sharing.after_process == 0),
        Check(id="one-lost", passed=lost == 1),
        Check(id="lock-makes-wait", passed=tried),
        Check(id="none-lost", passed=kept == 2 and not any(_total(updates, "locked"))),
    )
    facts = {
        "balance": str(lost),
        "written": _per_million(updates, "as_written"),
        "split": _per_million(updates, "split_by_call"),
        "locked": str(sum(_total(updates, "locked"))),
        "bare_ns": f"{cost_ns(costs, 'split_by_call', 1).point:.0f}",
        "lock_ns": f"{cost_ns(costs, 'locked', 1).point:.0f}",
        "contended_ns": f"{cost_ns(costs, 'locked', 2).point:.0f}",
    }
    answer = {0: "zero", 1: "one", 2: "two"}.get(lost, "")
    observed = Observations(label=material.observations.label, sharing=sharing)
    sentence = "seen-without-gil" if updates.gil is False else "seen"
    return Seen(checks=checks, facts=facts, sentence=sentence, answer=answer, observed=observed)


def _of(seen: LostUpdates, variant: str) -> Updates:
    return next(updates for updates in seen.variants if updates.variant == variant)


def _total(seen: LostUpdates, variant: str) -> list[int]:
    return [sum(updates.lost) for updates in seen.variants if updates.variant == variant]


def _per_million(seen: LostUpdates, variant: str) -> str:
    return f"{per_million(_of(seen, variant)):,.0f}"


def _see_deadlock(material: Material) -> Seen:
    opposite, same = material.plays
    seen = see_deadlock(opposite, same)
    one, other = seen.cycle
    facts = {
        **{"one": one.thread, "one_holds": one.holds, "one_wants": one.wants},
        **{"other": other.thread, "other_holds": other.holds, "other_wants": other.wants},
    }
    checks = (
        Check(id="cycle", passed=one.wants == other.holds and other.wants == one.holds and one.thread != other.thread),
        Check(id="never-printed", passed=not opposite.said),
        Check(id="same-order-ends", passed=same.ending == "ended" and len(same.said) == 2),
    )
    observed = Observations(label=material.observations.label, deadlock=seen)
    return Seen(checks=checks, facts=facts, answer="none" if not opposite.said else "both", observed=observed)


LESSONS = (
    Lesson(
        name="thread-names",
        runs=always(Run(program="thread_names")),
        see=_see_names,
        options=("given", "numbered", "none"),
    ),
    Lesson(
        name="thread-lock",
        runs=always(Run(program="sharing"), Run(program="balance_without_lock"), Run(program="balance_with_lock")),
        see=_see_lock,
        options=("zero", "one", "two"),
        experiments=("updates", "costs"),
        modules=("gilstudy.experimenting.balance",),
        claims=(
            "threads-share-processes-copy",
            "lost-updates-without-lock",
            "lock-prevents-lost-updates",
            "lock-serialises",
        ),
    ),
    Lesson(
        name="deadlock",
        runs=always(Run(program="deadlock", ending="deadlock"), Run(program="deadlock_avoided")),
        see=_see_deadlock,
        options=("both", "one", "none"),
        claims=("lock-order-deadlocks",),
    ),
)
