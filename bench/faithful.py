"""Whether programs behave under ``gilstudy trace`` as they do under Python, and how much slower they are.

    python bench/faithful.py [--python PATH --path FOLDER] [NAME ...]     the programs of tests/programs.py
    python bench/faithful.py --control [NAME ...]                         Python against itself: nothing may differ
    python bench/faithful.py --time [--runs N]                            the time of bench/timed.py's loads

PATH is another interpreter, FOLDER where it finds gilstudy, built for it. The exit code is the number of programs that
differ, or 1 if a load is surely more than 5 % slower.
"""

from __future__ import annotations

import argparse
import collections
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gilstudy.stats import Estimate, over_rounds

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import differential  # noqa: E402
from programs import CASES  # noqa: E402

LEVEL = 0.95
MOST = 1.05
SLOW_S = 5
TIMED = str(ROOT / "bench/timed.py")


def compare(args: argparse.Namespace) -> int:
    """Run the programs both ways; print and count those that differ."""
    wanted = [name for name in CASES if not args.names or any(re.fullmatch(one, name) for one in args.names)]
    differ = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in wanted:
            one = Path(folder, name.replace(" ", "-"))
            begin = time.perf_counter()
            if args.control:
                first = differential.run(CASES[name], one / "here", [args.python, *CASES[name].flags], args.path)
                again = differential.run(CASES[name], one / "here", [args.python, *CASES[name].flags], args.path)
                found = differential.differences(first, again)
            else:
                found = differential.tried(CASES[name], one, args.python, args.path)
            if (took := time.perf_counter() - begin) > SLOW_S:
                print(f"slow    {name} took {took:.1f} s", flush=True)
            if found:
                differ += 1
                print(f"DIFFERS {name}\n  " + "\n  ".join(found), flush=True)
    print(f"{args.python}: {len(wanted)} programs, {differ} differ")
    return differ


def own_seconds(python: str, path: str, words: list[str], load: str) -> tuple[float, float]:
    """How long a load took, by its own clock, and the whole process with it."""
    begin = time.perf_counter()
    done = subprocess.run(
        [python, *words, TIMED, load], capture_output=True, check=True, text=True, env=differential.environment(path)
    )
    return float(done.stdout.split()[-1]), time.perf_counter() - begin


def time_loads(args: argparse.Namespace) -> int:
    """Pair runs with and without the trace, in turn, and print the ratios."""
    loads = subprocess.run([args.python, TIMED], capture_output=True, check=True, text=True).stdout.split()
    loads = [load for load in loads if not args.names or load in args.names]
    trace = ["-m", "gilstudy", "trace", "--report", "/dev/null"]
    own: dict[str, list[float]] = collections.defaultdict(list)
    rest: dict[str, list[float]] = collections.defaultdict(list)
    for turn in range(args.runs):
        for load in loads:
            seconds = {}
            for words in ([], trace) if turn % 2 else (trace, []):
                seconds[bool(words)] = own_seconds(args.python, args.path, words, load)
            own[load].append(seconds[True][0] / seconds[False][0])
            rest[load].append(seconds[True][1] - seconds[True][0] - seconds[False][1] + seconds[False][0])
    print(f"{args.python}: time under trace / time under Python, {args.runs} pairs each, {LEVEL:.0%} intervals")
    slow = 0
    for load in loads:
        ratio, beside = map(over, (own[load], rest[load]))
        slow += ratio.low > MOST
        print(f"  {load:<12} {ratio.point:.3f} [{ratio.low:.3f}, {ratio.high:.3f}]", end="")
        print(f"   start and end: {beside.point:+.2f} s [{beside.low:+.2f}, {beside.high:+.2f}]", flush=True)
    return int(bool(slow))


def over(values: list[float]) -> Estimate:
    """The midmean with its interval."""
    return over_rounds(values, LEVEL)


def main() -> int:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--python", default=sys.executable, help="the interpreter (default: this one)")
    add("--path", default="", help="where it finds gilstudy")
    add("--control", action="store_true", help="run each program twice under Python alone")
    add("--time", action="store_true", help="measure the time")
    add("--runs", type=int, default=12, help="pairs of runs for each load (default: 12)")
    add("names", nargs="*", metavar="NAME", help="only these programs (regular expressions), or loads")
    add("--limit", type=float, default=differential.LIMIT_S, help="seconds for each run (default: 100)")
    args = parser.parse_args()
    differential.LIMIT_S = args.limit
    return time_loads(args) if args.time else compare(args)


if __name__ == "__main__":
    sys.exit(main())
