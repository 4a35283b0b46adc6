"""What the GIL watch costs, and whether what it says is right.

    python bench/watch.py                                       slowdown; py-spy --gil, gilknocker if installed
    python bench/watch.py --holds python3.12 python3.13 ...     holds and hand-offs against the truth, per interpreter

Slowdown: the same two busy threads (bench/watched.py) run on and on, and what looks on comes and goes, in random order
within each round; the work done in each turn is divided by the mean of the bare turns before and after it; midmean with
a bootstrap interval.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

from gilstudy.stats import Estimate, over_rounds
from gilstudy.watching.watch import default_period_us

LEVEL = 0.95
TURNS = 4
"""In each round, of all tools but py-spy, which takes long to start."""
HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=0.1, help="length of a turn")
    parser.add_argument("--periods", type=float, nargs="*", default=[50, 250, default_period_us()], metavar="US")
    parser.add_argument("--tools", nargs="*", help="such as watch:250 watch-gil:250 gilknocker py-spy:100")
    parser.add_argument("--kernels", nargs="+", choices=("python", "nogil"), default=("python", "nogil"))
    parser.add_argument("--holds", nargs="+", metavar="PYTHON", help="interpreters to compare with the truth instead")
    args = parser.parse_args()
    if args.holds:
        for python in args.holds:
            subprocess.run([python, str(HERE / "holds.py")], check=True)
        return
    for kernel in args.kernels:
        slowdown(kernel, args.tools or installed(args.periods), args.rounds, args.seconds)


# -- slowdown ------------------------------------------------------------------------------------------------------


def installed(periods: list[float]) -> list[str]:
    tools = [f"watch:{period:g}" for period in periods]
    tools += ["gilknocker"] if importlib.util.find_spec("gilknocker") else []
    return tools + (["py-spy:100", "py-spy:1000"] if py_spy() else [])


def slowdown(kernel: str, tools: list[str], rounds: int, seconds: float) -> None:
    found: dict[str, list[float]] = {tool: [] for tool in tools}
    random = Random(0)
    with Program(kernel, seconds) as program:
        program.turn("none")
        for _ in range(rounds):
            order = [tool for tool in tools for _ in range(1 if tool.startswith("py-spy") else TURNS)]
            random.shuffle(order)
            before = program.turn("none")
            for tool in order:
                with outside(tool, program.pid):
                    rate = program.turn("none" if tool.startswith("py-spy") else tool)
                after = program.turn("none")
                found[tool].append(100 * (1 - rate / ((before + after) / 2)))
                before = after
    print(f"slowdown of two busy threads, kernel {kernel}, {rounds} rounds, turns of {seconds:g} s")
    for tool in sorted(tools):
        told = over(found[tool])
        turns = len(found[tool])
        print(f"  {tool:14} {told.point:6.2f} % [{told.low:6.2f}, {told.high:6.2f}], {turns} turns", flush=True)


def over(values: list[float]) -> Estimate:
    """The midmean of ``values`` with its interval."""
    return over_rounds(values, LEVEL)


class Program:
    """bench/watched.py in a process of its own."""

    def __init__(self, kernel: str, seconds: float) -> None:
        self._kernel, self._seconds = kernel, seconds

    def __enter__(self) -> Program:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._process = subprocess.Popen([sys.executable, str(HERE / "watched.py"), self._kernel], text=True, **pipes)  # type: ignore[call-overload]
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait()

    @property
    def pid(self) -> int:
        """Its process id."""
        return int(self._process.pid)

    def turn(self, tool: str) -> float:
        """The work per second in a turn under ``tool``."""
        self._process.stdin.write(f"{tool} {self._seconds}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())


def py_spy() -> str | None:
    """Where py-spy is: beside this interpreter, or on the path."""
    return shutil.which("py-spy", path=str(Path(sys.executable).parent)) or shutil.which("py-spy")


@contextlib.contextmanager
def outside(tool: str, pid: int) -> Iterator[None]:
    """Run ``py-spy record --gil`` on the program meanwhile, if that is the tool."""
    name, _, rate = tool.partition(":")
    if name != "py-spy":
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        out = f"{folder}/profile"
        command = [str(py_spy()), "record", "--gil", "--pid", str(pid), "--rate", rate, "--format", "raw", "-o", out]
        spy = subprocess.Popen([*command, "-d", "60"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.5)  # it first reads the program's symbols
        if spy.poll() is not None:
            raise SystemExit("py-spy could not attach: it may need more rights")
        try:
            yield
        finally:
            spy.terminate()
            spy.wait()


if __name__ == "__main__":
    main()
