"""Forks beside a watch: whether every child of a watched process can end, and can watch.

    python bench/forks.py --forks 100000 threads     children that only end; threads come and go beside
    python bench/forks.py --forks 10000 watches      threads and watches come and go; children use watches of both kinds
    python bench/forks.py --forks 1000 interpreter   after a second interpreter has loaded the extension too
    python bench/forks.py --forks 100000 bare        as ``threads``, but nothing is watched

Run it under each interpreter that gilstudy is built for. It ends with 1 if a child hung or failed.
"""

from __future__ import annotations

import argparse
import atexit
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from itertools import cycle

import gilstudy
from gilstudy.host.runtime import gil_enabled

PATIENCE_S = 60.0
"""A child that has not ended after this time hangs; it has some milliseconds of work at the most."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--forks", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end after this time, however many forks")
    parser.add_argument("how", choices=("threads", "watches", "interpreter", "bare"))
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # Python warns of forks beside threads, which is what is tried here
    begin = time.monotonic()
    forks, bad = fork_on(args.how, args.forks, begin + args.seconds)
    told = f"{forks} forks in {time.monotonic() - begin:.0f} s, {bad} children hung or failed"
    print(f"{sys.version.split()[0]} {args.how}: {told}", flush=True)
    os._exit(1 if bad else 0)


def fork_on(how: str, most: int, end: float) -> tuple[int, int]:
    """How many children were forked, and how many of them hung or failed; it gives up after the third."""
    outer = gilstudy.watch(period_us=20)
    if how != "bare":
        outer.start()
    if how == "interpreter":
        load_in_a_second_interpreter()
    for churn in [churn_threads] + [churn_watches] * 2 * (how == "watches"):
        threading.Thread(target=churn, daemon=True).start()
    children: list[Callable[[gilstudy.watching.watch.Watch], object]] = [lambda _: None]
    if how == "watches":
        children += [watch_again, stop_the_parents]
    bad = 0
    for forks, child in enumerate(cycle(children)):
        if forks == most or bad == 3 or time.monotonic() > end:
            break
        bad += fork(child, outer) != 0
    return forks, bad


def churn_threads() -> None:
    while True:
        crew = [threading.Thread(target=time.sleep, args=(0.0005,)) for _ in range(2)]
        for thread in crew:
            thread.start()
        for thread in crew:
            thread.join()


def churn_watches() -> None:
    while True:
        with gilstudy.watch(period_us=50):
            pass
        time.sleep(0.001)


def watch_again(_: gilstudy.watching.watch.Watch) -> None:
    with gilstudy.watch(period_us=50) as own:
        sum(range(1000))
        if (
            gil_enabled() is not False
        ):  # else an object of threading's, contended when it forked, may be locked for ever
            worker = threading.Thread(target=sum, args=(range(1000),), name="of the child")
            worker.start()
            worker.join()
    own.trace()


def stop_the_parents(outer: gilstudy.watching.watch.Watch) -> None:
    outer.stop()
    outer.trace()
    atexit._run_exitfuncs()


def load_in_a_second_interpreter() -> None:
    try:
        made = import_module("_interpreters")
    except ImportError:
        made = import_module("_xxsubinterpreters")
    if sys.version_info >= (3, 13):
        one, run = made.create("legacy"), made.exec
    else:
        one, run = made.create(isolated=False) if sys.version_info >= (3, 12) else made.create(), made.run_string
    run(one, "import gilstudy._gilwatch")
    made.destroy(one)


def fork(child: Callable[[gilstudy.watching.watch.Watch], object], outer: gilstudy.watching.watch.Watch) -> int:
    """The child's exit code; one that hangs is ended."""
    pid = os.fork()
    if not pid:
        code = 7
        try:
            child(outer)
            code = 0
        finally:
            os._exit(code)
    end = time.monotonic() + PATIENCE_S
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
            return -9
        time.sleep(0.0002)


if __name__ == "__main__":
    main()
