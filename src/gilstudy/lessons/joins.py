"""Lessons on join: left out, for one child only, between two starts."""

from __future__ import annotations

from gilstudy.lessons.lesson import Check, Lesson, Material, Run, Seen, always, in_order, ms


def _see_omitted(material: Material) -> Seen:
    (play,) = material.plays
    parent, p1, p2 = play.lanes[0], play.lane("p1"), play.lane("p2")
    last = parent.said[-1]
    first = min(p1.said + p2.said, key=lambda event: event.at_ns)
    (exit_,) = parent.of("ended")
    alive = all(in_order(child.events[0], last) for child in (p1, p2))
    checks = (
        Check(id="alive", passed=alive and len(p1.said) == len(p2.said) == 2),
        Check(id="parent-first", passed=in_order(last, first)),
        Check(id="joined-at-exit", passed=in_order(*p1.of("ended"), exit_) and in_order(*p2.of("ended"), exit_)),
    )
    facts = {"ahead_ms": ms(first.at_ns - last.at_ns), "after_ms": ms(exit_.at_ns - last.at_ns)}
    answer = {"p1": "p1", "p2": "p2"}.get(play.said[0].process, "parent")
    return Seen(checks=checks, facts=facts, answer=answer)


def _see_one(material: Material) -> Seen:
    (play,) = material.plays
    parent, p1, p2 = play.lanes[0], play.lane("p1"), play.lane("p2")
    last = parent.said[-1]
    (p1_ended,), (p2_ended,) = p1.of("ended"), p2.of("ended")
    checks = (
        Check(id="p1-before-parent", passed=in_order(p1_ended, last)),
        Check(id="parent-before-p2", passed=in_order(last, p2.said[-1], p2_ended)),
    )
    facts = {"p1_ms": ms(last.at_ns - p1_ended.at_ns), "p2_ms": ms(p2_ended.at_ns - last.at_ns)}
    order = sorted({"p1": p1_ended, "parent": last, "p2": p2_ended}.items(), key=lambda item: item[1].at_ns)
    return Seen(checks=checks, facts=facts, answer="-".join(name for name, _ in order))


def _see_between(material: Material) -> Seen:
    between, after = material.plays
    p1, p2 = between.lane("p1"), between.lane("p2")
    together = after.lane("p1"), after.lane("p2")
    apart_ns = p2.began_ns - p1.ended_ns
    overlap_ns = min(lane.said[-1].at_ns for lane in together) - max(lane.said[0].at_ns for lane in together)
    checks = (
        Check(id="one-after-the-other", passed=apart_ns > 0 and len(p1.said) == len(p2.said) == 2),
        Check(id="parent-last", passed=in_order(*p2.of("ended"), between.lanes[0].said[-1])),
        Check(id="side-by-side", passed=overlap_ns > 0),
    )
    facts = {"apart_ms": ms(apart_ns), "overlap_ms": ms(overlap_ns)}
    return Seen(checks=checks, facts=facts, answer="one" if apart_ns > 0 else "two")


LESSONS = (
    Lesson(
        name="join-omitted",
        runs=always(Run(program="join_omitted")),
        see=_see_omitted,
        options=("parent", "p1", "p2"),
    ),
    Lesson(
        name="join-one",
        runs=always(Run(program="join_one")),
        see=_see_one,
        options=("p1-p2-parent", "p1-parent-p2", "parent-p1-p2"),
    ),
    Lesson(
        name="join-between-starts",
        runs=always(Run(program="join_between_starts"), Run(program="join_after_starts")),
        see=_see_between,
        options=("one", "two"),
    ),
)
