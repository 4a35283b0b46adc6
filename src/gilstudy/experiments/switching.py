"""How long a thread keeps the GIL while another wants it, in time and in bytecode instructions.

Two threads write their own number into one place and run a tight loop until they find the other's there. Under a GIL
that can only happen when the interpreter has switched, so every turn ends with a switch. The length of a turn in
instructions is the number of passes times the instructions of a pass, which `dis` tells. Instructions that the
interpreter has fused into one are counted as one.
"""

from __future__ import annotations

import dis
import sys
import threading
import time
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any, Final

from gilstudy.observations import Switching, Turn
from gilstudy.runtime import gil_enabled

SECONDS: Final = 0.4

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


def measure() -> Switching:
    """Let two threads take turns for `SECONDS`."""
    gil = gil_enabled()
    turns = _turns() if gil is not False else ()
    return Switching(
        gil=gil,
        interval_ns=round(sys.getswitchinterval() * 1e9),
        bytecodes_per_pass=bytecodes_per_pass(take_turns),
        turns=turns,
    )


def _turns() -> tuple[Turn, ...]:
    place, going = [0], [True]
    log: Log = []
    threads = [threading.Thread(target=take_turns, args=(me, place, going, log), daemon=True) for me in (1, 2)]
    for thread in threads:
        thread.start()
    time.sleep(SECONDS)
    going.clear()
    while any(thread.is_alive() for thread in threads):
        place[0] = 0
        time.sleep(0.001)
    return tuple(Turn(*entry) for entry in sorted(log, key=lambda entry: entry[1]))


def bytecodes_per_pass(function: Callable[..., Any]) -> int:
    """The number of instructions in the innermost loop of ``function``, which must not branch within."""
    loops = []
    instructions = list(dis.get_instructions(function))
    for last, jump in enumerate(instructions):
        target = jump.argval if "JUMP" in jump.opname else None
        if isinstance(target, int) and target <= jump.offset:
            loops.append(sum(target <= other.offset for other in instructions[: last + 1]))
    return min(loops)
