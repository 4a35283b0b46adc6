"""Observations of experiments, made by hand."""

from __future__ import annotations

from gilstudy.measuring.observations import (
    Cost,
    Layer,
    Layers,
    LockCosts,
    LostUpdates,
    Spell,
    Stint,
    Switching,
    Updates,
)


def switching(
    *, passes: int = 100_000, hold_ns: int = 5_000_000, turns: int = 40, gil: bool | None = True, unwatched: str = ""
) -> Switching:
    """Two spells, at 1 and at 5 ms; in the first one turns are a fifth as long."""
    if gil is False:
        return Switching(gil=gil, unwatched="not applicable: this build has no GIL", bytecodes_per_pass=10, spells=())

    def spell(part: int) -> Spell:
        seen = tuple(Stint(at % 2 + 1, at * hold_ns // part, passes // part + at % 3) for at in range(turns))
        holds = () if unwatched else (hold_ns // part,) * turns
        return Spell(interval_ns=5_000_000 // part, turns=seen, holds_ns=holds)

    return Switching(gil=gil, unwatched=unwatched, bytecodes_per_pass=10, spells=(spell(5), spell(1)))


def updates(*, written: int = 0, split: int = 5, locked: int = 0, gil: bool | None = True) -> LostUpdates:
    def variant(name: str, threads: int, lost: int) -> Updates:
        return Updates(variant=name, threads=threads, updates=100_000, lost=(0, lost))

    return LostUpdates(
        gil=gil,
        variants=(
            variant("as_written", 2, written),
            variant("as_written", 16, 0),
            variant("split_by_call", 2, split),
            variant("locked", 2, locked),
            variant("locked", 16, 0),
        ),
    )


def costs(*, two: int = 410, four: int = 420, rounds: int = 20, gil: bool | None = True) -> LockCosts:
    """Nanoseconds for an update in two and in four threads; alone it takes 400 with a lock and 100 without."""

    def round_(at: int) -> tuple[Cost, ...]:
        each = {("split_by_call", 1): 100, ("locked", 1): 400, ("locked", 2): two, ("locked", 4): four}
        return tuple(Cost(name, threads, 1000, 1000 * ns + at % 3) for (name, threads), ns in each.items())

    return LockCosts(gil=gil, rounds=tuple(map(round_, range(rounds))))


def layers(*, threads: int = 1000, processes: int = 2000, both: int = 2000) -> Layers:
    each = {(1, 1): 1000, (1, 2): threads, (2, 1): processes, (2, 2): both}
    round_ = tuple(Layer(*case, steps, 25_000_000) for case, steps in each.items())
    return Layers(gil=True, rounds=(round_,) * 11)
