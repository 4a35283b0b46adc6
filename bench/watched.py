"""The program that bench/watch.py watches: two busy threads, with or without something looking on for a while.

    python bench/watched.py KERNEL

KERNEL is ``python`` (the threads fight for the GIL) or ``nogil`` (they keep two CPUs busy). It obeys lines on its
standard input, ``TOOL SECONDS``, and answers each with the work done per second in so many seconds. TOOL is ``none``,
``watch:US``, ``watch-gil:US`` (without lanes), US being the period in microseconds, or ``gilknocker``.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator

from gilstudy.measuring.kernels import KERNELS
from gilstudy.watching.watch import watch

THREADS = 2
BATCHES = {"python": 5_000, "nogil": 200_000}


def main() -> None:
    counts = [0] * THREADS
    for place in range(THREADS):
        threading.Thread(target=work, args=(sys.argv[1], counts, place), daemon=True).start()
    for line in sys.stdin:
        tool, seconds = line.split()
        with looked_at_by(tool):
            rate = turn(counts, float(seconds))
        print(rate, flush=True)


def work(kernel: str, counts: list[int], place: int) -> None:
    run, batch = KERNELS[kernel], BATCHES[kernel]
    while True:
        run(batch)
        counts[place] += 1


def turn(counts: list[int], seconds: float) -> float:
    """Batches per second of all threads together."""
    time.sleep(0.005)  # who looks on has begun
    begin, before = time.monotonic(), sum(counts)
    time.sleep(seconds)
    end, after = time.monotonic(), sum(counts)
    return (after - before) / (end - begin)


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
