"""How many updates of a shared balance get lost: as written in the text, split by a call, with many threads, locked."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final, Literal, NamedTuple

from gilstudy.experimenting import balance
from gilstudy.experimenting.crew import wall_ns
from gilstudy.host.runtime import gil_enabled
from gilstudy.measuring.observations import LostUpdates, Updates

PASSES: Final = 200_000
"""By all threads of a batch together; a batch takes several switch intervals, so that the threads do take turns."""
MANY: Final = 16
BATCHES: Final = 3
PATIENCE_S: Final = 5.0
"""A variant that can lose updates by nature is tried for so long if it has lost none yet."""


class Variant(NamedTuple):
    """A function that changes the balance, and what to expect of it."""

    function: Callable[[int], None]
    threads: int
    updates_per_pass: int
    gain_per_pass: int
    """By how much a pass raises the balance."""
    loses: Literal["always", "without a GIL", "never"]
    """Under which interpreters its nature is to lose updates, sooner or later."""


VARIANTS: Final = (
    Variant(balance.as_written, 2, updates_per_pass=2, gain_per_pass=0, loses="without a GIL"),
    Variant(balance.as_written, MANY, updates_per_pass=2, gain_per_pass=0, loses="without a GIL"),
    Variant(balance.split_by_call, 2, updates_per_pass=1, gain_per_pass=1, loses="always"),
    Variant(balance.locked, 2, updates_per_pass=1, gain_per_pass=1, loses="never"),
    Variant(balance.locked, MANY, updates_per_pass=1, gain_per_pass=1, loses="never"),
)


def measure() -> LostUpdates:
    """Run all variants."""
    return LostUpdates(gil=gil_enabled(), variants=tuple(run(variant) for variant in VARIANTS))


def run(variant: Variant) -> Updates:
    """Run batches of one variant and see how far the balance is from what it must be."""
    lost: list[int] = []
    each = PASSES // variant.threads
    insist = variant.loses == "always" or (variant.loses == "without a GIL" and gil_enabled() is False)
    give_up = monotonic() + PATIENCE_S
    while len(lost) < BATCHES or (insist and not any(lost) and monotonic() < give_up):
        balance.balance = 0
        wall_ns(variant.function, each, variant.threads)
        lost.append(abs(variant.gain_per_pass * each * variant.threads - balance.balance))
    return Updates(
        variant=variant.function.__name__,
        threads=variant.threads,
        updates=variant.updates_per_pass * each * variant.threads,
        lost=tuple(lost),
    )
