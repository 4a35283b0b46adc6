"""The program that bench/watch.py watches: two busy threads, turn after turn, with or without something looking on.

It obeys lines on its standard input, ``KERNEL TOOL SECONDS``, and answers each with the work done per second. KERNEL
is ``python`` (the threads fight for the GIL) or ``nogil`` (they keep two CPUs busy); TOOL is ``none``, ``watch:US``,
``watch-gil:US`` (without lanes), US being the period in microseconds, or ``gilknocker``.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator

from gilstudy.kernels import KERNELS, Kernel
from gilstudy.watching import watch

THREADS = 2
LAPS = {"python": 20_000, "nogil": 1_000_000}


def main() -> None:
    for line in sys.stdin:
        kernel, tool, seconds = line.split()
        with looked_at_by(tool):
            rate = turn(KERNELS[kernel], LAPS[kernel], float(seconds))
        print(rate, flush=True)


def turn(kernel: Kernel, lap: int, seconds: float) -> float:
    """Laps per second of all threads together."""
    counts = [0] * THREADS
    gate = threading.Barrier(THREADS + 1)

    def work(place: int) -> None:
        gate.wait()
        done, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            kernel(lap)
            done += 1
        counts[place] = done

    threads = [threading.Thread(target=work, args=(place,)) for place in range(THREADS)]
    for thread in threads:
        thread.start()
    gate.wait()
    begin = time.monotonic()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.monotonic() - begin)


@contextlib.contextmanager
def looked_at_by(tool: str) -> Iterator[None]:
    name, _, period = tool.partition(":")
    if name.startswith("watch"):
        with watch(period_us=float(period), lanes=name == "watch"):
            yield
    elif name == "gilknocker":
        from gilknocker import KnockKnock  # type: ignore[import-not-found,import-untyped,unused-ignore]

        knocker = KnockKnock(polling_interval_micros=1_000)
        knocker.start()
        yield
        knocker.stop()
    else:
        yield


if __name__ == "__main__":
    main()
