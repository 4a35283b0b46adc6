"""Lessons on process pools: handing tasks over, waiting for each, results, and how a pool ends."""

from __future__ import annotations

from typing import NamedTuple

from gilstudy.lessons.lesson import Check, Lesson, Material, Run, Seen, always, in_order
from gilstudy.recording.events import Event, Play


class Task(NamedTuple):
    """A task that was seen to begin and to end in a worker process."""

    start: Event
    end: Event


def tasks_of(play: Play) -> list[Task]:
    """The tasks, by their numbers, from lines that begin with the number of the task. Raises LookupError."""
    lines = [event for event in play.said if event.pid != play.main_pid]
    numbers = sorted({event.numbers[0] for event in lines})
    tasks = [[event for event in lines if event.numbers[0] == number] for number in numbers]
    if any(len(task) != 2 for task in tasks):
        raise LookupError(f"{play.program}: a task did not begin and end once")
    return [Task(*task) for task in tasks]


def most_at_once(tasks: list[Task]) -> int:
    """The largest number of tasks that ran at the same time."""
    return max(sum(task.start.at_ns <= other.start.at_ns < task.end.at_ns for task in tasks) for other in tasks)


COUNTS = {1: "one", 3: "three", 4: "four"}


def _see_async(material: Material) -> Seen:
    (play,) = material.plays
    tasks = tasks_of(play)
    *first, fourth = tasks
    before = [task for task in first if in_order(task.end, fourth.start)]
    went_on = next(event for event in play.said if event.pid == play.main_pid)
    most = most_at_once(tasks)
    checks = (
        Check(id="three-at-once", passed=len(tasks) == 4 and most == 3),
        Check(id="fourth-waits", passed=bool(before)),
        Check(id="worker-reused", passed=fourth.start.pid in {task.end.pid for task in before}),
        Check(id="not-blocked", passed=all(in_order(went_on, task.end) for task in tasks)),
    )
    facts = {"most": str(most), "worker": str(fourth.start.pid)}
    return Seen(checks=checks, facts=facts, answer=COUNTS.get(most, ""))


def _see_blocking(material: Material) -> Seen:
    (play,) = material.plays
    tasks = tasks_of(play)
    went_on = next(event for event in play.said if event.pid == play.main_pid)
    workers = len({task.start.pid for task in tasks})
    checks = (
        Check(id="one-at-a-time", passed=len(tasks) == 4 and most_at_once(tasks) == 1),
        Check(id="in-order", passed=in_order(*(event for task in tasks for event in task))),
        Check(id="parent-last", passed=in_order(tasks[-1].end, went_on)),
    )
    facts = {"most": str(most_at_once(tasks)), "workers": str(workers)}
    return Seen(checks=checks, facts=facts, answer=COUNTS.get(most_at_once(tasks), ""))


def _see_results(material: Material) -> Seen:
    (play,) = material.plays
    got = [event for event in play.said if not event.thread]
    told = [event for event in play.said if event.thread]
    values = [event.numbers[0] for event in got if event.numbers]
    raised = "ZeroDivisionError" in got[-1].text
    checks = (
        Check(id="values-in-order", passed=values == [4, 6, 12]),
        Check(id="error-reaches-get", passed=raised and len(got) == 4),
        Check(id="callbacks", passed=sorted(event.numbers[0] for event in told if event.numbers) == [4, 6, 12]),
        Check(id="error-callback", passed=sum("ZeroDivisionError" in event.text for event in told) == 1),
    )
    facts = {"values": ", ".join(map(str, values)), "thread": told[0].thread}
    return Seen(checks=checks, facts=facts, answer="raises" if raised else "")


def _see_endings(material: Material) -> Seen:
    (play,) = material.plays
    error, after_close, after_terminate = play.said
    (done,), (kept,) = after_close.numbers, after_terminate.numbers
    checks = (
        Check(id="join-needs-close", passed="ValueError" in error.text),
        Check(id="close-finishes", passed=done == 3),
        Check(id="terminate-drops", passed=kept == 0),
    )
    facts = {"done": str(done), "dropped": str(3 - kept)}
    return Seen(checks=checks, facts=facts, answer={0: "none", 3: "all"}.get(kept, "some"))


LESSONS = (
    Lesson(
        name="pool-async",
        runs=always(Run(program="pool_async")),
        see=_see_async,
        options=("one", "three", "four"),
    ),
    Lesson(
        name="pool-blocking",
        runs=always(Run(program="pool_blocking")),
        see=_see_blocking,
        options=("one", "three", "four"),
    ),
    Lesson(
        name="pool-results",
        runs=always(Run(program="pool_results")),
        see=_see_results,
        options=("raises", "none", "hangs"),
    ),
    Lesson(
        name="pool-close-join-terminate",
        runs=always(Run(program="pool_endings")),
        see=_see_endings,
        options=("all", "some", "none"),
    ),
)
