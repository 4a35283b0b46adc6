"""What an update costs: without a lock, with a lock that nobody else wants, and with one that several threads want."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from gilstudy.experimenting import balance
from gilstudy.experimenting.crew import wall_ns
from gilstudy.host.runtime import gil_enabled
from gilstudy.measuring.observations import Cost, LockCosts

ROUNDS: Final = 31
UPDATES: Final = 20_000
"""Of one case in a round, by all its threads together."""

CASES: Final[tuple[tuple[Callable[[int], None], int], ...]] = (
    (balance.split_by_call, 1),
    (balance.locked, 1),
    (balance.split_by_call, 2),
    (balance.locked, 2),
    (balance.locked, 4),
)


def measure() -> LockCosts:
    """Time every case in every round, in random order, so that a busy host hits all of them alike."""
    random = Random(1)
    _round(random)  # warm up
    rounds = tuple(_round(random) for _ in range(ROUNDS))
    return LockCosts(gil=gil_enabled(), rounds=rounds)


def _round(random: Random) -> tuple[Cost, ...]:
    return tuple(_time(*case) for case in random.sample(CASES, len(CASES)))


def _time(function: Callable[[int], None], threads: int) -> Cost:
    passes = UPDATES // threads
    return Cost(function.__name__, threads, passes * threads, wall_ns(function, passes, threads))
