"""Two processes on the CPUs they are told to use; each prints when it ran without a break."""

import os
import sys
from multiprocessing import Barrier, Process
from time import perf_counter_ns


def run(cpu, meeting):
    os.sched_setaffinity(0, {cpu})
    slices = []
    meeting.wait()
    begin = last = perf_counter_ns()
    end = begin + 300_000_000
    while last < end:
        now = perf_counter_ns()
        if now - last > 50_000:  # nanoseconds in which this process did not run
            slices.append((begin, last))
            begin = now
        last = now
    slices.append((begin, last))
    for begin, last in slices:
        print("ran from", begin, "to", last)


if __name__ == "__main__":
    meeting = Barrier(2)
    cpus = [int(word) for word in sys.argv[1:]]
    processes = [Process(target=run, args=(cpu, meeting), name=f"p{place}") for place, cpu in enumerate(cpus, 1)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
