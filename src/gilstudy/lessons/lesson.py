"""What a lesson is: programs to run, and a pure function that says what was seen in them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from gilstudy.measuring.observations import Observations
from gilstudy.recording.events import Ending, Event, Play


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the lesson is run with."""

    n: int
    """The number from which ``why-threads`` counts down."""
    cpus: tuple[int, ...]
    """The CPUs that this process may use."""


def usable_cpus() -> tuple[int, ...]:
    """The CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A program that is run, by its name in `gilstudy.recording.examples`."""

    program: str
    args: tuple[str, ...] = ()
    ending: Ending = "ended"
    """How it must end."""
    limit_s: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What the lesson's programs and experiments gave."""

    setting: Setting
    plays: tuple[Play, ...]
    """One for each run, each of which ended as it must."""
    observations: Observations
    """Of each of the lesson's experiments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Something that the lesson teaches, and whether it was so. Its words are in the texts."""

    id: str
    passed: bool | None
    """None if this host, now, does not let it be seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen: the checks, the facts for the sentence that says so, and the answer to the question."""

    checks: tuple[Check, ...]
    facts: dict[str, str] = field(default_factory=dict)
    sentence: str = "seen"
    """Which of the lesson's texts says what was seen."""
    answer: str = ""
    """Which option of the lesson's question came true; "" if that cannot be said."""
    observed: Observations | None = None
    """What the programs showed that bears on claims."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """One lesson. Its words, in each language, are in the texts under its name."""

    name: str
    see: Callable[[Material], Seen]
    """May raise LookupError if the programs did not do what they should."""
    runs: Callable[[Setting], tuple[Run, ...]]
    options: tuple[str, ...] = ()
    """The possible answers to the lesson's question."""
    experiments: tuple[str, ...] = ()
    """Of `gilstudy.experimenting.conduct.MEASURED`."""
    modules: tuple[str, ...] = ()
    """Modules of gilstudy that the experiments measure: their code belongs to what is shown."""
    claims: tuple[str, ...] = ()
    lanes: Literal["order", "slices"] = "order"
    """How the timeline is drawn: a step for each event, or to scale from slices that the program printed."""
    unavailable: Callable[[Setting], str] = lambda setting: ""
    """The text that says why this platform cannot give the lesson; "" if it can."""


def always(*runs: Run) -> Callable[[Setting], tuple[Run, ...]]:
    """The same runs in every setting."""
    return lambda setting: runs


def in_order(*events: Event) -> bool:
    """Whether each event came before the next."""
    return all(first.at_ns < second.at_ns for first, second in itertools.pairwise(events))


def ms(ns: float) -> str:
    """Nanoseconds as milliseconds, such as ``12.3``."""
    return f"{ns / 1e6:.1f}"
