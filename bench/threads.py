"""Many threads that come and go beside a watch: whom are their holds credited to.

    python bench/threads.py [--threads 10000] [--at-once 4] [--period 50]

Run it with the interpreter that is to be tried. Each thread computes for a moment and notes when it began and ended. A
hold is right if it is credited to a thread that lived then, and nobody's if to none. Printed are the shares of the time
that was held, what was lost, and what the watch cost.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time

import gilstudy

BLUR_NS = 2_000_000
"""A hold's ends are known to within a look or two, more on a busy host."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=10_000)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--period", type=float, default=50.0, metavar="US")
    args = parser.parse_args()
    lives: dict[str, tuple[int, int]] = {"MainThread": (0, sys.maxsize)}

    def work() -> None:
        begin, end = time.monotonic_ns(), time.thread_time_ns() + 300_000
        while time.thread_time_ns() < end:
            sum(range(50))
        lives[threading.current_thread().name] = begin, time.monotonic_ns()

    with gilstudy.watch(period_us=args.period) as w:
        for first in range(0, args.threads, args.at_once):
            crew = [threading.Thread(target=work, name=f"number {first + n}") for n in range(args.at_once)]
            for thread in crew:
                thread.start()
            for thread in crew:
                thread.join()
    trace = w.trace()
    held, wrong, nobody = 0, 0, 0
    blur = max(BLUR_NS, trace.longest_gap_ns)
    for begin, end, holder in trace.holders:
        if holder == -1:
            continue
        held += end - begin
        name = trace.holder_name(holder)
        if holder < 0 or name not in lives:
            nobody += end - begin
        elif not (lives[name][0] - blur <= begin and end <= lives[name][1] + blur):
            wrong += end - begin
    share, unknown = 100 * wrong / (held or 1), 100 * nobody / (held or 1)
    print(
        f"Python {sys.version.split()[0]}: {args.threads} threads in {trace.span_ns / 1e9:.1f} s, {trace.polls} looks"
    )
    print(f"of the time held {share:.2f} % credited to the wrong thread, {unknown:.2f} % to nobody")
    print(f"lost {trace.lost.threads} threads, {trace.lost.lanes} lanes")
    print(f"the watch's own CPU time: {100 * trace.watch_cpu_ns / trace.span_ns:.1f} % of a CPU")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())
