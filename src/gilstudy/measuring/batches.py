"""A worker's turn: the same few lines of Python in every mode and for every kernel.

Each worker sleeps to a common instant, then repeats a short batch of its kernel until it has passed the closing of the
window. It never stops in between, so nobody idles in a tail; and since it keeps the batch boundaries on both sides of
the opening and of the closing, the work that all workers did in their *common* window can be told to within a batch,
however raggedly they began or ended. (Counting a fixed amount of work and adding up each worker's own rate instead
would be biased: threads under a GIL that start one after the other read 1.4x.)
"""

from __future__ import annotations

from typing import NamedTuple

from gilstudy._native import now_ns, sleep_until, thread_cpu_ns
from gilstudy.measuring.kernels import Kernel
from gilstudy.measuring.record import Batch, Edge, Span


class Turn(NamedTuple):
    """What every worker of a trial is told. Times are nanoseconds on the host's monotonic clock."""

    batch: int
    begin_ns: int
    open_ns: int
    close_ns: int


def run(kernel: Kernel, turn: Turn) -> Span:
    """Work through one turn on the calling thread."""
    ready_ns = sleep_until(turn.begin_ns)
    start_ns = now_ns()
    opened = _run_past(kernel, turn.batch, turn.open_ns, Edge(start_ns, start_ns, -1, 0))
    closed = _run_past(kernel, turn.batch, turn.close_ns, opened)
    return Span(ready_ns, opened, closed)


def _run_past(kernel: Kernel, batch: int, instant_ns: int, last: Edge) -> Edge:
    """Run batches until one has passed ``instant_ns``. It may be the last one already: then no more is run.

    That matters where many workers share few CPUs or a GIL: one that first got its turn after the closing has done
    nothing in the window, and must not be credited with a batch.
    """
    _, after_ns, batches, _ = last
    before_ns = last.before_ns
    while after_ns < instant_ns or batches < 0:
        before_ns = after_ns
        kernel(batch)
        after_ns = now_ns()
        batches += 1
    return Edge(before_ns, after_ns, batches, thread_cpu_ns())


def calibrate(name: str, kernel: Kernel, target_ns: int, tries: int = 7) -> Batch:
    """Find how many steps of ``kernel`` take about ``target_ns``, and time twice as many beside them."""
    steps = 1000
    while (took_ns := _best(kernel, steps, tries)) < target_ns // 4:
        steps *= 4
    steps = max(1, round(steps * target_ns / took_ns))
    pairs = [(_time(kernel, steps), _time(kernel, 2 * steps)) for _ in range(tries)]
    return Batch(
        kernel=name, runtime="", steps=steps, once_ns=min(p[0] for p in pairs), double_ns=min(p[1] for p in pairs)
    )


def _best(kernel: Kernel, steps: int, tries: int) -> int:
    return max(1, min(_time(kernel, steps) for _ in range(tries)))


def _time(kernel: Kernel, steps: int) -> int:
    start_ns = now_ns()
    kernel(steps)
    return now_ns() - start_ns
