"""What the watch says of sleeps and waits, against programs that count their own.

    python bench/sleeps.py [--runs 40] [--seconds 1] [--hog] [PROGRAM ...]

Each thread of a program counts how long it slept (for time, input or a lock, in C, without the GIL), by its own clocks.
What is left of its time beside that, its time on a CPU and its wait for one (the kernel's count) was its wait for the
GIL. The watch is asked for the same shares of the time that it saw. Printed are the worst errors over threads and runs
in points, and in how many runs none was above 5. Linux, with a C compiler.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import json
import math
import selectors
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import gilstudy
from gilstudy.watching.trace import Lane, Trace

ALLOWED: Final = 5.0
MS: Final = 1_000_000


@dataclass
class Own:
    """What a thread counted of itself, in nanoseconds."""

    native_id: int
    begin_ns: int
    ran_ns: int
    ready_ns: int
    slept_ns: int = 0
    whole_ns: int = 0

    @property
    def waited_ns(self) -> int:
        """What is left: it waited for the GIL."""
        return self.whole_ns - self.ran_ns - self.ready_ns - self.slept_ns


class Counted:
    """The C functions of counted.c: the ones that let the GIL go, and the one that keeps it."""

    def __init__(self, folder: str) -> None:
        library = f"{folder}/counted.so"
        source = Path(__file__).parent / "counted.c"
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-pthread", "-o", library, str(source)], check=True)
        self.free, self.kept = ctypes.CDLL(library), ctypes.PyDLL(library)
        for functions in (self.free, self.kept):
            for name in ("ready_ns", "counted_sleep", "counted_poll", "counted_lock", "compute"):
                getattr(functions, name).restype = ctypes.c_int64
            functions.counted_sleep.argtypes = functions.counted_lock.argtypes = [ctypes.c_int64]
            functions.compute.argtypes = [ctypes.c_int64]

    def begin(self) -> Own:
        """The calling thread's count, from now on."""
        return Own(threading.get_native_id(), time.monotonic_ns(), time.thread_time_ns(), self.kept.ready_ns())

    def end(self, own: Own) -> None:
        """The count is complete."""
        own.whole_ns = time.monotonic_ns() - own.begin_ns
        own.ran_ns = time.thread_time_ns() - own.ran_ns
        own.ready_ns = self.kept.ready_ns() - own.ready_ns


Body = Callable[[Counted, Own, float, Random], None]


# -- programs ------------------------------------------------------------------------------------------------------


def python(length_ns: int) -> None:
    end = time.thread_time_ns() + length_ns
    while time.thread_time_ns() < end:
        sum(range(100))


def busy(_: Counted, __: Own, end: float, ___: Random) -> None:
    while time.monotonic() < end:
        python(MS)


def in_turns(c: Counted, own: Own, end: float, random: Random) -> None:
    """Sleep, wait for a lock, compute with and without the GIL, in any order."""
    while time.monotonic() < end:
        length = round(random.uniform(0.5, 12) * MS)
        kind = random.randrange(5)
        if kind == 0:
            own.slept_ns += c.free.counted_sleep(length)
        elif kind == 1:
            own.slept_ns += c.free.counted_lock(length // 4)
        elif kind == 2:
            c.free.compute(length // 4)
        else:
            python(length // 4)


def short_turns(c: Counted, own: Own, end: float, random: Random) -> None:
    """Turns that are mostly shorter than the time between two looks."""
    while time.monotonic() < end:
        own.slept_ns += c.free.counted_sleep(round(random.uniform(0.1, 2) * MS))
        python(round(random.uniform(0.1, 1) * MS))


def holds_in_c(c: Counted, own: Own, end: float, random: Random) -> None:
    while time.monotonic() < end:
        c.kept.compute(round(random.uniform(1, 60) * MS))
        own.slept_ns += c.free.counted_sleep(round(random.uniform(0.5, 20) * MS))


def idle(c: Counted, own: Own, end: float, _: Random) -> None:
    while (left := end - time.monotonic()) > 0:
        own.slept_ns += c.free.counted_sleep(round(left * 1e9))


class Selector(selectors.SelectSelector):
    """Sleeps in C, for a loop that has nothing to wait for but time and its own pipe."""

    def __init__(self, counted: Counted, own: Own) -> None:
        super().__init__()
        self._counted, self._own = counted, own

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Sleep, and then ask without sleeping."""
        if timeout is None or timeout > 0:
            (pipe,) = self.get_map()
            most = -1 if timeout is None else math.ceil(timeout * 1000)
            self._own.slept_ns += self._counted.free.counted_poll(pipe, most)
        return super().select(0)


def loop(c: Counted, own: Own, end: float, random: Random) -> None:
    """An event loop that sleeps 5 ms again and again, beside executor threads that hold the GIL in C."""
    text = json.dumps([list(range(100))] * 3000)

    def work() -> None:
        while time.monotonic() < end:
            json.loads(text)
            python(round(random.uniform(1, 20) * MS))

    async def main(executor: ThreadPoolExecutor) -> None:
        futures = [asyncio.get_running_loop().run_in_executor(executor, work) for _ in range(2)]
        while not all(future.done() for future in futures):
            await asyncio.sleep(0.005)

    with ThreadPoolExecutor(2) as executor:
        ready = threading.Barrier(3)  # both workers have begun: to wait for that is no sleep of the loop's
        for _ in range(2):
            executor.submit(ready.wait)
        ready.wait()
        own.__dict__ |= c.begin().__dict__
        runner = asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(Selector(c, own)))
        with runner:
            runner.run(main(executor))
        c.end(own)


PROGRAMS: Final[dict[str, Sequence[Body]]] = {
    "loop": [loop],
    "turns": [in_turns] * 6,
    "short": [short_turns] * 3,
    "c": [holds_in_c, holds_in_c, busy, in_turns],
    "many": [in_turns] * 4 + [idle] * 10 + [busy, holds_in_c],
}


def run(name: str, c: Counted, seconds: float, seed: int) -> tuple[list[Own], Trace]:
    """What each of its threads counted, and what the watch saw."""
    told: list[Own] = []
    gate = threading.Barrier(len(PROGRAMS[name]))

    def one(body: Body, place: int) -> None:
        random = Random(f"{seed} {place}")
        gate.wait()
        own = c.begin()
        body(c, own, time.monotonic() + seconds, random)
        if not own.whole_ns:
            c.end(own)
        told.append(own)

    threads = [threading.Thread(target=one, args=(body, n)) for n, body in enumerate(PROGRAMS[name])]
    with gilstudy.watch() as w:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return told, w.trace()


# -- the comparison ------------------------------------------------------------------------------------------------


@dataclass
class Found:
    """The watch against one thread's own count, in points of its time."""

    sleep: float
    wait: float
    unseen: float
    longest_ns: int

    @property
    def worst(self) -> float:
        """The greater of the two errors."""
        return max(abs(self.sleep), abs(self.wait))


def compared(own: Own, lane: Lane) -> Found:
    begin, end = own.begin_ns, own.begin_ns + own.whole_ns
    told = {state: 0 for _, _, state in lane.pieces}
    for b, e, state in lane.pieces:
        told[state] += max(0, min(e, end) - max(b, begin))
    unseen = told.pop("unknown", 0)
    inside = unseen / (sum(e - b for b, e, state in lane.pieces if state == "unknown") or 1)
    for state, length in lane.unplaced_ns.items():
        told[state] = told.get(state, 0) + round(length * inside)
    seen = sum(told.values()) or 1
    return Found(
        sleep=100 * (told.get("blocked", 0) / seen - own.slept_ns / own.whole_ns),
        wait=100 * (told.get("waiting", 0) / seen - own.waited_ns / own.whole_ns),
        unseen=100 * unseen / own.whole_ns,
        longest_ns=max((e - b for b, e, state in lane.pieces if state == "unknown"), default=0),
    )


def compare(name: str, c: Counted, runs: int, seconds: float) -> None:
    """Run a program so often, and print the line for it."""
    worst: list[Found] = []
    every: list[Found] = []
    for seed in range(runs):
        told, trace = run(name, c, seconds, seed)
        lanes = {lane.native_id: lane for lane in trace.lanes}
        found = [compared(own, lanes[own.native_id]) for own in told]
        worst.append(max(found, key=lambda one: one.worst))
        every += found
    good = sum(one.worst <= ALLOWED for one in worst)
    sleep, wait = (max((getattr(one, kind) for one in every), key=abs) for kind in ("sleep", "wait"))
    unseen = [one.unseen for one in every]
    longest = max(one.longest_ns for one in every)
    print(
        f"  {name:6} within {ALLOWED:g} points {good} of {runs}; worst: sleep {sleep:+5.1f}, wait {wait:+5.1f}; "
        f"unseen {sum(unseen) / len(unseen):.1f} %, {max(unseen):.0f} % at most, {longest / MS:.0f} ms at a time",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help=f"of {', '.join(PROGRAMS)}; all")
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--hog", action="store_true", help="beside a process that computes")
    args = parser.parse_args()
    hog: Any = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if args.hog else None
    try:
        with tempfile.TemporaryDirectory() as folder:
            counted = Counted(folder)
            print(f"Python {sys.version.split()[0]}, {args.runs} runs{', beside a hog' if hog else ''}")
            for name in args.programs or PROGRAMS:
                compare(name, counted, args.runs, args.seconds)
    finally:
        if hog:
            hog.kill()
            hog.wait()


if __name__ == "__main__":
    main()
