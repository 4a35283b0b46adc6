"""How long a thread keeps the GIL while another wants it, in time and in bytecode instructions.

Two threads write their own number into one place and run a tight loop until they find the other's there. Under a GIL
that can only happen when the interpreter has switched, so every turn ends with a switch. The length of a turn in
instructions is the number of passes times the instructions of a pass, which `dis` tells. Instructions that the
interpreter has fused into one are counted as one. Meanwhile the GIL itself is watched, where it can be read.
"""

from __future__ import annotations

import dis
import threading
import time
from collections.abc import Callable, Sequence
from time import perf_counter_ns
from typing import Any, Final

from gilstudy.host.runtime import gil_enabled
from gilstudy.measuring.observations import Spell, Stint, Switching
from gilstudy.watching.gil import gil_reason
from gilstudy.watching.heartbeat import switch_interval
from gilstudy.watching.summary import complete_holds
from gilstudy.watching.trace import Trace
from gilstudy.watching.watch import watch

INTERVALS_S: Final = (0.0005, 0.001, 0.005, 0.02)
SECONDS: Final = 0.2
TURNS: Final = 40
"""A spell is long enough for so many turns, and at least `SECONDS` long."""

Log = list[tuple[int, int, int]]


def take_turns(me: int, place: list[int], going: list[bool], log: Log) -> None:
    """Run until told to stop, and log each turn."""
    while going:
        place[0] = me
        begin = perf_counter_ns()
        passes = 0
        while place[0] == me:
            passes += 1
        log.append((me, begin, passes))


def measure(intervals_s: Sequence[float] = INTERVALS_S) -> Switching:
    """Let two threads take turns, for a spell at each switch interval."""
    gil = gil_enabled()
    spells = () if gil is False else tuple(_spell(interval_s) for interval_s in intervals_s)
    return Switching(
        gil=gil,
        unwatched=gil_reason(),
        bytecodes_per_pass=bytecodes_per_pass(take_turns),
        spells=spells,
    )


def _spell(interval_s: float) -> Spell:
    place, going = [0], [True]
    log: Log = []
    threads = [threading.Thread(target=take_turns, args=(me, place, going, log), daemon=True) for me in (1, 2)]
    with switch_interval(interval_s):
        for thread in threads:
            thread.start()
        with watch(lanes=False) as watcher:
            time.sleep(max(SECONDS, TURNS * interval_s))
        going.clear()
        while any(thread.is_alive() for thread in threads):
            place[0] = 0
            time.sleep(0.001)
    return Spell(
        interval_ns=round(interval_s * 1e9),
        turns=tuple(Stint(*entry) for entry in sorted(log, key=lambda entry: entry[1])),
        holds_ns=_holds_ns(watcher.trace(), {thread.ident for thread in threads}),
    )


def _holds_ns(trace: Trace, idents: set[int | None]) -> tuple[int, ...]:
    """The holds of these threads, as long as both their ends were seen."""
    ours = {place for place, lane in enumerate(trace.lanes) if lane.ident in idents}
    return tuple(end - begin for begin, end, holder in complete_holds(trace) if holder in ours)


def bytecodes_per_pass(function: Callable[..., Any]) -> int:
    """The number of instructions in the innermost loop of ``function``, which must not branch within."""
    loops = []
    instructions = list(dis.get_instructions(function))
    for last, jump in enumerate(instructions):
        target = jump.argval if "JUMP" in jump.opname else None
        if isinstance(target, int) and target <= jump.offset:
            loops.append(sum(target <= other.offset for other in instructions[: last + 1]))
    return min(loops)
