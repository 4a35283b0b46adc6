"""The watch against the truth, on the interpreter that runs this: see bench/watch.py --holds.

Two busy pure-Python threads: their median hold should be the switch interval, and the hand-offs that the watch saw
should be as many as the interpreter counted. Each thread has a CPU of its own: on one CPU it must often wait until the
other has had its turn there, so that holds really are longer (try --unpinned).
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Sequence

from gilstudy.host.runtime import this_runtime
from gilstudy.measuring.kernels import python
from gilstudy.measuring.modes.pinning import Pin
from gilstudy.watching.gil import gil_reason
from gilstudy.watching.watch import watch

SECONDS, TURNS = 1.0, 5


def work(end: threading.Event, cpu: int) -> None:
    Pin().move(cpu)
    while not end.is_set():
        python(20_000)


def one(interval_ms: float, cpus: Sequence[int]) -> tuple[float, float, int]:
    """Median hold in milliseconds, hand-offs seen for each that was counted, hand-offs counted."""
    sys.setswitchinterval(interval_ms / 1000)
    end = threading.Event()
    threads = [threading.Thread(target=work, args=(end, cpu)) for cpu in cpus]
    for thread in threads:
        thread.start()
    with watch() as w:
        time.sleep(SECONDS)
    end.set()
    for thread in threads:
        thread.join()
    summary = w.summary()
    assert summary.holds is not None
    assert summary.handoffs is not None
    assert summary.holds.median_ns is not None, "most hand-offs were missed"
    return summary.holds.median_ns / 1e6, summary.handoffs_seen / summary.handoffs, summary.handoffs


def two_cpus() -> Sequence[int]:
    """Two CPUs to be pinned to; -1: to none."""
    if "--unpinned" in sys.argv or not hasattr(os, "sched_getaffinity"):
        return (-1, -1)
    usable = sorted(os.sched_getaffinity(0))
    return usable[:2] if len(usable) > 1 else (-1, -1)


def main() -> None:
    label = this_runtime().label
    if reason := gil_reason():
        print(f"{label:6} {reason}")
        return
    for interval_ms in (0.5, 1, 5, 20):
        turns = [one(interval_ms, two_cpus()) for _ in range(TURNS)]
        medians = sorted(median for median, _, _ in turns)
        seen = sorted(share for _, share, _ in turns)
        print(
            f"{label:6} interval {interval_ms:4g} ms: median hold {medians[TURNS // 2]:6.2f} ms "
            f"({medians[0]:.2f} to {medians[-1]:.2f}); hand-offs seen / counted {seen[TURNS // 2]:.3f} "
            f"({seen[0]:.3f} to {seen[-1]:.3f}), about {turns[0][2]}"
        )


if __name__ == "__main__":
    main()
