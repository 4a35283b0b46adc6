"""What the experiments observed, as raw integers: verdicts can be computed from this alone, again and again."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import NamedTuple

from gilstudy.codec import Count, Positive


class Stint(NamedTuple):
    """One stretch in which a thread ran and the other did not."""

    thread: int
    begin_ns: Count
    passes: Count
    """How many passes of its loop it made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """Two busy Python threads that take turns, at one switch interval."""

    interval_ns: Positive
    """``sys.getswitchinterval()``."""
    turns: tuple[Stint, ...]
    """In the order of their beginnings."""
    holds_ns: tuple[Count, ...]
    """How long each of the two held the GIL at a time, read from the GIL itself; empty if it could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switching:
    """Spells at several switch intervals, see `gilstudy.experimenting.switching`."""

    gil: bool | None
    """Whether the GIL was on; without it threads do not take turns, and there are no spells here."""
    unwatched: str
    """Why the GIL itself could not be watched; "" if it was."""
    bytecodes_per_pass: Count
    """Bytecode instructions in a pass of the loop."""
    spells: tuple[Spell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Updates:
    """Threads that update one balance at the same time, in batches."""

    variant: str
    """The name of the function that was run, see `gilstudy.experimenting.balance`."""
    threads: Positive
    updates: Positive
    """In one batch, by all threads together."""
    lost: tuple[Count, ...]
    """In each batch, how far the balance was from what it must be: at least so many updates were lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LostUpdates:
    """All variants, see `gilstudy.experimenting.updates`."""

    gil: bool | None
    variants: tuple[Updates, ...]


class Cost(NamedTuple):
    """The time that a number of updates took."""

    variant: str
    threads: Positive
    updates: Positive
    wall_ns: Positive


@dataclass(frozen=True, slots=True, kw_only=True)
class LockCosts:
    """Rounds of updates with and without a lock, alone and in several threads, see `gilstudy.experimenting.costs`."""

    gil: bool | None
    rounds: tuple[tuple[Cost, ...], ...]


class Stuck(NamedTuple):
    """A thread in a deadlock."""

    thread: str
    holds: str
    wants: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlock:
    """Two threads that took two locks in opposite order, and two that took them in the same order."""

    cycle: tuple[Stuck, ...]
    """Who waits for whom; each waits for what the one before it in the cycle holds. Empty if there was no deadlock."""
    opposite_ending: str
    """How the program ended, see `gilstudy.recording.events.Ending`."""
    same_ending: str
    """How the program that takes the locks in the same order ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """A global variable of 0 to which a thread, then a process, adds ``added``."""

    added: int
    in_thread: int
    """Its value in the thread that changed it."""
    after_thread: int
    """Its value in the main thread afterwards."""
    in_process: int
    after_process: int


class Layer(NamedTuple):
    """The work that processes with threads did in a window of time."""

    processes: Positive
    threads: Positive
    """In each process."""
    steps: Count
    window_ns: Positive


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """Rounds of the countdown in several processes with several threads each, see `gilstudy.experimenting.layers`."""

    gil: bool | None
    rounds: tuple[tuple[Layer, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """An experiment that could not be brought to its end."""

    experiment: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """All that was observed. None stands for an experiment that was not done."""

    label: str
    """The interpreter, such as ``3.13t``."""
    switching: Switching | None = None
    updates: LostUpdates | None = None
    costs: LockCosts | None = None
    deadlock: Deadlock | None = None
    sharing: Sharing | None = None
    layers: Layers | None = None
    troubles: tuple[Trouble, ...] = ()

    def joined(self, other: Observations) -> Observations:
        """These and the other's."""
        found = {field.name: getattr(other, field.name) for field in fields(other) if getattr(other, field.name)}
        return replace(self, **{**found, "troubles": self.troubles + other.troubles})
