"""Has experiments done, each in a child interpreter that is always ended, and brings back what they observed."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from gilstudy.codec import Malformed, decode
from gilstudy.host.runtime import this_runtime
from gilstudy.measuring.observations import (
    Deadlock,
    Layers,
    LockCosts,
    LostUpdates,
    Observations,
    Sharing,
    Stuck,
    Switching,
    Trouble,
)
from gilstudy.recording.events import Play
from gilstudy.recording.player import play
from gilstudy.recording.source import program_source
from gilstudy.system import children
from gilstudy.system.scratch import NoRoom

LIMIT_S: Final = 120.0
"""Most seconds for an experiment; they take less than two on an idle host."""

MEASURED: Final[Mapping[str, type[Any]]] = {
    "switching": Switching,
    "updates": LostUpdates,
    "costs": LockCosts,
    "layers": Layers,
}
"""The experiments that are modules of their own, and what they observe."""

ALL: Final = ("switching", "updates", "costs", "deadlock", "sharing")
"""The experiments that bear on claims."""


Notice = Callable[[str, int, int], None]


class Unfinished(Exception):
    """An experiment came to no end; the message says why, in a few words."""


def observing(names: Sequence[str] = ALL, notice: Notice = lambda name, place, count: None) -> Iterator[Observations]:
    """Do experiments one after the other; after each, all that was observed so far.

    Args:
        names: which.
        notice: is told the name of each as it begins, how many came before it, and how many there are.
    """
    observations = Observations(label=this_runtime().label)
    for place, name in enumerate(names):
        notice(name, place, len(names))
        try:
            observations = observations.joined(_observe(name, observations.label))
        except (Unfinished, NoRoom, OSError) as error:
            trouble = Trouble(experiment=name, reason=str(error))
            observations = observations.joined(Observations(label=observations.label, troubles=(trouble,)))
        yield observations


def observe(names: Sequence[str]) -> Observations:
    """All that experiments observed."""
    *_, last = [Observations(label=this_runtime().label), *observing(names)]
    return last


def _observe(name: str, label: str) -> Observations:
    if name == "deadlock":
        return Observations(label=label, deadlock=see_deadlock(_play("deadlock"), _play("deadlock_avoided")))
    if name == "sharing":
        return Observations(label=label, sharing=see_sharing(_play("sharing")))
    return Observations(label=label, **{name: _measure(name)})


def _play(program: str) -> Play:
    return play(program, program_source(program))


def _measure(name: str) -> Any:
    process = children.Family(
        children.command("gilstudy.experimenting", name, str(os.getpid())),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=children.environment(),
        encoding="utf-8",
        **children.own_group(),
    )
    try:
        output, errors = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        raise Unfinished(f"it took more than {LIMIT_S:g} s and was ended") from None
    finally:
        children.end_family(process)
    if process.returncode:
        raise Unfinished((errors.strip().splitlines() or [f"exit code {process.returncode}"])[-1])
    try:
        return decode(MEASURED[name], json.loads(output))
    except (ValueError, Malformed) as error:
        raise Unfinished(f"its answer was damaged: {error}") from None


def see_deadlock(opposite: Play, same: Play) -> Deadlock:
    """What the two programs with two locks show."""
    found = next((event for event in opposite.events if event.kind == "deadlock"), None)
    cycle = tuple(Stuck(*links) for links in json.loads(found.text)) if found else ()
    return Deadlock(cycle=cycle, opposite_ending=opposite.ending, same_ending=same.ending)


def see_sharing(seen: Play) -> Sharing:
    """What the program with one variable in a thread and a process shows. Raises Unfinished."""
    numbers = [event.numbers[-1] for event in seen.said if event.numbers]
    if seen.ending != "ended" or len(numbers) != 4:
        raise Unfinished(seen.trouble or f"the program's end was: {seen.ending}")
    in_thread, after_thread, in_process, after_process = numbers
    return Sharing(
        added=ADDED,
        in_thread=in_thread,
        after_thread=after_thread,
        in_process=in_process,
        after_process=after_process,
    )


ADDED: Final = 8
"""What the program ``sharing`` adds."""
