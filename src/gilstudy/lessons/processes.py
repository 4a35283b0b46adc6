"""Lessons on what a process is: fork, start, run."""

from __future__ import annotations

import os

from gilstudy.lessons.lesson import Check, Lesson, Material, Run, Seen, Setting, always, ms
from gilstudy.recording.events import Play, Track


def _see_fork(material: Material) -> Seen:
    (play,) = material.plays
    before, *after = play.said
    child = next(event for event in after if event.pid != play.main_pid)
    parent = next(event for event in after if event.pid == play.main_pid)
    (in_child, child_id, parent_id), (in_parent, _) = child.numbers, parent.numbers
    checks = (
        Check(id="twice", passed=len(after) == 2 and child.pid != parent.pid == before.pid),
        Check(id="child-gets-0", passed=in_child == 0),
        Check(id="parent-gets-id", passed=in_parent == child.pid == child_id),
        Check(id="getppid", passed=parent_id == play.main_pid),
    )
    answers = {0: "zero", child.pid: "child", play.main_pid: "parent"}
    facts = {"child": str(child.pid), "parent": str(play.main_pid), "got": str(in_child), "parent_got": str(in_parent)}
    return Seen(checks=checks, facts=facts, answer=answers.get(in_child, ""))


def _no_fork(setting: Setting) -> str:
    return "" if hasattr(os, "fork") else "no-fork"


def _overlap_ns(first: Track, second: Track) -> int:
    """How long both were busy printing at the same time; negative if never."""
    begin = max(first.said[0].at_ns, second.said[0].at_ns)
    return min(first.said[-1].at_ns, second.said[-1].at_ns) - begin


def _see_start(material: Material) -> Seen:
    (play,) = material.plays
    p1, p2 = play.lane("p1"), play.lane("p2")
    pids = {p1.pid, p2.pid, play.main_pid}
    own = all(event.numbers[-2] == event.pid for lane in (p1, p2) for event in lane.said)
    overlap_ns = _overlap_ns(p1, p2)
    checks = (
        Check(id="both-ran", passed=len(p1.said) == len(p2.said) == 3),
        Check(id="own-ids", passed=own and len(pids) == 3),
        Check(id="overlapped", passed=overlap_ns > 0),
    )
    facts = {"parent": str(play.main_pid), "p1": str(p1.pid), "p2": str(p2.pid), "overlap_ms": ms(overlap_ns)}
    answers = {1: "one", 2: "two", 3: "three"}
    return Seen(checks=checks, facts=facts, answer=answers.get(len({event.pid for event in play.said}), ""))


def _see_run(material: Material) -> Seen:
    (play,) = material.plays
    said = {name: len(play.lane(name).said) for name in ("empty", "assigned", "overridden")}
    codes = [event.numbers[-1] for event in _main(play).said]
    checks = (
        Check(id="empty-does-nothing", passed=said["empty"] == 0 and codes[0] == 0),
        Check(id="assigned-runs", passed=said["assigned"] == 1 and codes[1] == 0),
        Check(id="overridden-runs", passed=said["overridden"] == 1 and codes[2] == 0),
    )
    answer = "error" if codes[0] else "hello" if said["empty"] else "nothing"
    return Seen(checks=checks, facts={"empty_code": str(codes[0])}, answer=answer)


def _main(play: Play) -> Track:
    return play.lanes[0]


LESSONS = (
    Lesson(
        name="fork",
        runs=always(Run(program="fork")),
        see=_see_fork,
        options=("zero", "child", "parent"),
        unavailable=_no_fork,
    ),
    Lesson(
        name="process-start",
        runs=always(Run(program="process_start")),
        see=_see_start,
        options=("one", "two", "three"),
    ),
    Lesson(
        name="process-run",
        runs=always(Run(program="process_run")),
        see=_see_run,
        options=("nothing", "hello", "error"),
    ),
)
