"""The tutorial's third model: several processes with several threads each, and what each layer gives.

The workers of all cases are the same two processes. In each window of time some of their threads count down, and the
steps that they did until it closed are compared with those of one thread in one process. Where the system can, each
process is kept on a CPU of its own, or each thread if there is one process, since the scheduler sometimes leaves two on
one CPU for seconds; the CPUs change places from round to round.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from multiprocessing.connection import Connection
from random import Random
from typing import Final

from gilstudy.host.runtime import gil_enabled
from gilstudy.measuring.kernels import python
from gilstudy.measuring.observations import Layer, Layers

PROCESSES: Final = 2
THREADS: Final = 2
ROUNDS: Final = 11
WINDOW_NS: Final = 25_000_000
LEAD_NS: Final = 2_000_000
BATCH: Final = 2_000
"""Steps between two looks at the clock: less than a tenth of a millisecond."""
CASES: Final = ((1, 1), (1, THREADS), (PROCESSES, 1), (PROCESSES, THREADS))


def measure() -> Layers:
    """Time every case in every round, in random order."""
    pipes = [multiprocessing.Pipe() for _ in range(PROCESSES)]
    crew = [multiprocessing.Process(target=serve, args=(theirs,), daemon=True) for _, theirs in pipes]
    for process in crew:
        process.start()
    ours = [mine for mine, _ in pipes]
    random = Random(1)
    cpus = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    _, *rounds = [_round(ours, cpus[at % 2 :] + cpus[: at % 2], random) for at in range(ROUNDS + 1)]
    for pipe in ours:
        pipe.send(None)
    for process in crew:
        process.join()
    return Layers(gil=gil_enabled(), rounds=tuple(rounds))  # the first only warms up


def _round(pipes: list[Connection], cpus: list[int], random: Random) -> tuple[Layer, ...]:
    return tuple(_time(pipes, cpus, *case) for case in random.sample(CASES, len(CASES)))


def _time(pipes: list[Connection], cpus: list[int], processes: int, threads: int) -> Layer:
    open_ns = time.perf_counter_ns() + LEAD_NS
    for place, pipe in enumerate(pipes[:processes]):
        places = [place if processes > 1 else thread for thread in range(threads)]
        pipe.send(([cpus[place % len(cpus)] if cpus else None for place in places], open_ns, open_ns + WINDOW_NS))
    steps = sum(pipe.recv() for pipe in pipes[:processes])
    return Layer(processes, threads, steps, WINDOW_NS)


def serve(orders: Connection) -> None:
    """Carry out orders in a child process until None comes."""
    while (order := orders.recv()) is not None:
        cpus, *window = order
        done: list[int] = []
        crew = [threading.Thread(target=_count, args=(cpu, *window, done)) for cpu in cpus]
        for thread in crew:
            thread.start()
        for thread in crew:
            thread.join()
        orders.send(sum(done))


def _count(cpu: int | None, open_ns: int, close_ns: int, done: list[int]) -> None:
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})  # of this thread alone
    time.sleep(max(0, open_ns - time.perf_counter_ns()) / 1e9)
    batches = 0
    while time.perf_counter_ns() < close_ns:
        batches += 1
        python(BATCH)
    done.append(batches * BATCH)
