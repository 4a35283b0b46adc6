"""How long threads really hold the GIL, and how many bytecodes they run meanwhile, at several switch intervals.

It answers the claim that the interpreter releases the GIL every 100 bytecodes. So it did until 3.1, where
``sys.setcheckinterval`` counted them; since 3.2 a thread that waits asks for the GIL after the switch interval.
"""

from __future__ import annotations

import dis
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType
from typing import Final, Literal

from gilstudy import kernels
from gilstudy.gil import gil_reason
from gilstudy.heartbeat import switch_interval
from gilstudy.watching import watch

INTERVALS_S: Final = (0.0005, 0.001, 0.005, 0.02)
CLAIMED: Final = 100
SURELY_OTHER: Final = 10.0
"""Holds of this many times the claimed number of bytecodes, or more, are not that number."""
FOLLOWS: Final = 1.5
"""A median hold follows the switch interval if it is within this factor of it."""
STEPS: Final = 5_000
SECONDS: Final = 0.4
FEWEST_HOLDS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchPoint:
    """Two busy pure-Python threads at one switch interval."""

    interval_ns: int
    median_hold_ns: float
    holds: int
    """How many complete holds were seen."""
    handoffs: int
    """By the interpreter's own count."""
    bytecodes_per_hold: float
    """All bytecodes that both threads ran, by the number of hand-offs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switching:
    """What was measured; or why nothing could be."""

    reason: str
    bytecodes_per_step: int
    """Instructions, as the compiler made them, in one turn of the loop."""
    points: tuple[SwitchPoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchRuling:
    """The verdict on the claim ``switch-every-100-bytecodes``, and a sentence with its numbers."""

    verdict: Literal["supported", "refuted", "inconclusive", "untestable"]
    evidence: str


def measure_switching(intervals_s: Sequence[float] = INTERVALS_S, *, seconds: float = SECONDS) -> Switching:
    """Watch two threads count down, for ``seconds`` at each switch interval. The interval is put back afterwards."""
    if reason := gil_reason():
        return Switching(reason=reason, bytecodes_per_step=0, points=())
    step = loop_length(kernels.python.__code__)
    with _busy_threads() as steps_done:
        points = tuple(_point(interval_s, seconds, step, steps_done) for interval_s in intervals_s)
    return Switching(reason="", bytecodes_per_step=step, points=points)


def loop_length(code: CodeType) -> int:
    """The number of instructions in the longest loop of ``code``, from the target of its backward jump to the jump."""
    instructions = list(dis.get_instructions(code))
    places = {instruction.offset: place for place, instruction in enumerate(instructions)}
    jumps = [
        place - places[one.argval] + 1
        for place, one in enumerate(instructions)
        if one.opcode in (*dis.hasjrel, *dis.hasjabs) and one.argval in places and one.argval <= one.offset
    ]
    return max(jumps, default=0)


@contextmanager
def _busy_threads() -> Iterator[Callable[[], int]]:
    """Two threads that count down meanwhile; gives a function that tells the steps they have done so far."""
    counts, ends = [0, 0], threading.Event()

    def work(place: int) -> None:
        while not ends.is_set():
            kernels.python(STEPS)
            counts[place] += STEPS

    threads = [threading.Thread(target=work, args=(place,), name=f"busy {place + 1}") for place in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield lambda: sum(counts)
    finally:
        ends.set()
        for thread in threads:
            thread.join()


def _point(interval_s: float, seconds: float, step: int, steps_done: Callable[[], int]) -> SwitchPoint:
    with switch_interval(interval_s):
        time.sleep(4 * interval_s)  # waits that began under the old interval end
        with watch(lanes=False) as w:
            before = steps_done()
            time.sleep(seconds)
            done = steps_done() - before
    found = w.summary()
    handoffs = found.handoffs or 0
    return SwitchPoint(
        interval_ns=round(interval_s * 1e9),
        median_hold_ns=found.holds.median_ns if found.holds else 0.0,
        holds=found.holds.count if found.holds else 0,
        handoffs=handoffs,
        bytecodes_per_hold=done * step / max(1, handoffs),
    )


def judge_switching(found: Switching) -> SwitchRuling:
    """The verdict that follows from the measurement."""
    if found.reason:
        return SwitchRuling(verdict="untestable", evidence=f"The GIL: {found.reason}.")
    if not found.points or any(point.holds < FEWEST_HOLDS for point in found.points):
        return SwitchRuling(verdict="inconclusive", evidence="Too few holds were seen: the host was too busy.")
    evidence = _evidence(found)
    counts = [point.bytecodes_per_hold for point in found.points]
    if min(counts) > SURELY_OTHER * CLAIMED:
        return SwitchRuling(verdict="refuted", evidence=f"{_length(found)} {evidence}")
    if max(counts) < 2 * CLAIMED:
        return SwitchRuling(verdict="supported", evidence=evidence)
    return SwitchRuling(verdict="inconclusive", evidence=evidence)


def _length(found: Switching) -> str:
    ratios = [point.median_hold_ns / point.interval_ns for point in found.points]
    if all(1 / FOLLOWS < ratio < FOLLOWS for ratio in ratios):
        return "Holds last about as long as the switch interval, not for a number of bytecodes."
    return "Holds are not for a number of bytecodes; a busy host stretched them beyond the switch interval."


def _evidence(found: Switching) -> str:
    told = [f"{p.median_hold_ns / 1e6:.2f} ms at {p.interval_ns / 1e6:g} ms" for p in found.points]
    counts = [f"{round(p.bytecodes_per_hold, -2):,.0f}".replace(",", " ") for p in found.points]
    return f"Median hold {_listed(told)}; bytecodes per hold {_listed(counts)}."


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + f" and {words[-1]}" if len(words) > 1 else "".join(words)
