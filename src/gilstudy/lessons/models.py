"""Lessons on ways to run things: in turns or at the same time, waiting or not, and the layers of the third model."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from typing import Final

from gilstudy.concluding.claims.experiments import typical
from gilstudy.lessons.lesson import Check, Lesson, Material, Run, Seen, Setting, always, in_order, ms
from gilstudy.measuring.observations import Layers
from gilstudy.recording.events import Track
from gilstudy.stats import Estimate

BREAK_NS: Final = 50_000
"""A process that did not look at the clock for so long did not run; the program ``taking_turns`` says the same."""
TOGETHER_NS: Final = 20 * BREAK_NS
"""Two processes on one CPU cannot both look at the clock every 50 us for so long: it takes 20 switches each way."""
LEAST_TURNS: Final = 3

Slice = tuple[int, int]


def slices_of(lane: Track) -> list[Slice]:
    """When the process ran without a break, from the lines that it printed."""
    return [(event.numbers[-2], event.numbers[-1]) for event in lane.said]


def longest_overlap_ns(first: Sequence[Slice], second: Sequence[Slice]) -> int:
    """The longest stretch in which both ran without a break."""
    overlaps = [min(a[1], b[1]) - max(a[0], b[0]) for a in first for b in second]
    return max(0, *overlaps)


def turns(first: Sequence[Slice], second: Sequence[Slice]) -> int:
    """How often the CPU went from one to the other."""
    order = [who for _, who in sorted([(begin, 1) for begin, _ in first] + [(begin, 2) for begin, _ in second])]
    return sum(one != other for one, other in itertools.pairwise(order))


def _runs_of_turns(setting: Setting) -> tuple[Run, ...]:
    one, *rest = setting.cpus
    cpus = [(one, one)] + [(one, other) for other in rest[:1]]
    return tuple(Run(program="taking_turns", args=tuple(map(str, pair))) for pair in cpus)


def _see_turns(material: Material) -> Seen:
    found = [(slices_of(play.lane("p1")), slices_of(play.lane("p2"))) for play in material.plays]
    overlaps = [longest_overlap_ns(*slices) for slices in found]
    switches = turns(*found[0])
    # A busy host can keep two processes from ever running at once, but it cannot make them do so on one CPU.
    together = len(found) > 1 and overlaps[1] >= TOGETHER_NS
    checks = (
        Check(id="in-turns", passed=overlaps[0] < TOGETHER_NS),
        Check(id="both-progress", passed=True if switches >= LEAST_TURNS else None),
        Check(id="at-the-same-time", passed=True if together else None),
    )
    facts = {"turns": str(switches), "one_ms": ms(overlaps[0]), "two_ms": ms(overlaps[-1])}
    sentence = "seen" if together else "seen-one-cpu" if len(found) == 1 else "seen-busy"
    return Seen(checks=checks, facts=facts, sentence=sentence, answer="no" if overlaps[0] < TOGETHER_NS else "yes")


def _no_pinning(setting: Setting) -> str:
    return "" if hasattr(os, "sched_setaffinity") else "no-pinning"


def _see_sync(material: Material) -> Seen:
    (play,) = material.plays
    (made_later,) = (event for event in play.said if event.thread)
    own = [event for event in play.said if not event.thread]
    (made,) = (event for event in own if event.text == made_later.text)
    went_on, received = (event for event in own if event.numbers)
    went_on_at_once = own[-2]
    checks = (
        Check(id="sync-waits", passed=in_order(made, went_on)),
        Check(id="async-goes-on", passed=in_order(went_on, went_on_at_once, made_later)),
        Check(id="answer-comes-later", passed=in_order(made_later, received)),
    )
    facts = {"thread": made_later.thread, "answer": str(received.numbers[0])}
    answer = "caller" if made_later.at_ns > went_on_at_once.at_ns else "answer"
    return Seen(checks=checks, facts=facts, answer=answer)


PROCESSES, THREADS = 2, 2


def _see_hybrid(material: Material) -> Seen:
    (play,) = material.plays
    layers = material.observations.layers
    if layers is None:
        raise LookupError("the experiment on layers came to no end")
    workers = {(event.pid, event.thread_id) for event in play.said}
    crew = [lane for lane in play.lanes if lane.said]
    met = max(lane.of("waits")[0].at_ns for lane in crew) < min(lane.said[0].at_ns for lane in crew)
    checks = (
        Check(id="all-ran", passed=len(workers) == PROCESSES * THREADS),
        Check(id="own-ids", passed={event.numbers for event in play.said} == workers),
        Check(id="at-once", passed=met),
    )
    facts = {
        "workers": str(len(workers)),
        "threads": _ratio(layer_speedup(layers, 1, THREADS)),
        "processes": _ratio(layer_speedup(layers, PROCESSES, 1)),
        "both": _ratio(layer_speedup(layers, PROCESSES, THREADS)),
    }
    return Seen(checks=checks, facts=facts, answer={4: "four", 2: "two"}.get(len(workers), ""))


def layer_speedup(seen: Layers, processes: int, threads: int) -> Estimate:
    """Work of so many processes with so many threads each against one thread in one process, within the round."""
    ratios = []
    for round_ in seen.rounds:
        steps = {(layer.processes, layer.threads): layer.steps for layer in round_}
        ratios.append(steps[processes, threads] / max(1, steps[1, 1]))
    return typical(ratios)


def _ratio(estimate: Estimate) -> str:
    return f"{estimate.point:.2f}x [{estimate.low:.2f}, {estimate.high:.2f}]"


LESSONS = (
    Lesson(
        name="concurrency-vs-parallelism",
        runs=_runs_of_turns,
        see=_see_turns,
        options=("no", "yes"),
        lanes="slices",
        unavailable=_no_pinning,
    ),
    Lesson(
        name="sync-vs-async",
        runs=always(Run(program="sync_and_async")),
        see=_see_sync,
        options=("caller", "answer"),
    ),
    Lesson(
        name="hybrid",
        runs=always(Run(program="hybrid", args=(str(PROCESSES), str(THREADS)))),
        see=_see_hybrid,
        options=("two", "three", "four"),
        experiments=("layers",),
    ),
)
