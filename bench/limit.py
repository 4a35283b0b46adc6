"""How close to the limit? The C kernel against a standalone C program of the same loop, interleaved in random rounds.

    python bench/limit.py                     400 rounds, about twenty seconds

Prints two ratios with their intervals: the kernel's rate per step over the program's, and the speedup of two nogil
threads over the speedup of the program's own two threads.
"""

from __future__ import annotations

import argparse
import math
import shlex
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from gilstudy.codec import encode
from gilstudy.concluding.ratios import rates
from gilstudy.host.machine import read_host
from gilstudy.measuring.client import Client
from gilstudy.measuring.plan import WARM_NS, WINDOW_NS, arm_of
from gilstudy.measuring.record import Edge, Span, Trial
from gilstudy.stats import draws, interval, midmean, replicate

BATCH_NS = 100_000
LEVEL = 0.95
ROOT = Path(__file__).parent.parent


@contextmanager
def program() -> Iterator[subprocess.Popen[str]]:
    """The standalone program, compiled with Python's own compiler at -O2."""
    with tempfile.TemporaryDirectory() as folder:
        binary = Path(folder) / "limit"
        compiler = shlex.split(sysconfig.get_config_var("CC") or "cc")[:1]
        source = [str(ROOT / "bench/limit.c"), "-I", str(ROOT / "ext")]
        subprocess.run([*compiler, "-O2", "-pthread", *source, "-o", str(binary)], check=True)
        with subprocess.Popen([binary, "2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield process
            finally:
                process.kill()


def program_turn(process: subprocess.Popen[str], batch: int, cpus: list[int]) -> list[float]:
    """One turn of the program: each worker's steps per second."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{batch} {len(cpus)} {' '.join(map(str, cpus))}\n")
    process.stdin.flush()
    return [float(word) for word in process.stdout.readline().split()]


def station_turn(line: Client, batch: int, cpus: list[int]) -> list[float]:
    """The same turn of an arm of gilstudy."""
    answer = line.ask("trial", 10.0, batch=batch, cpus=cpus, warm_ns=WARM_NS, window_ns=WINDOW_NS)
    spans = tuple(Span(ready, Edge(*opened), Edge(*closed)) for ready, opened, closed in answer["spans"])
    trial = Trial(
        round=0,
        arm=line.arm,
        workers=len(cpus),
        cpus=tuple(cpus),
        batch=batch,
        open_ns=answer["open_ns"],
        close_ns=answer["close_ns"],
        gil=None,
        spans=spans,
    )
    return rates(trial)


def measure(rounds: int, seed: int) -> tuple[list[float], list[float]]:
    """Log ratios of each round: the rate per step, and the speedup of two threads."""
    cpus = list(read_host().placement[:2])
    lines = {name: Client(name) for name in ("single-nogil", "threads-nogil")}
    random = Random(seed)
    steps: list[float] = []
    speedups: list[float] = []
    try:
        with program() as limit:
            for name, line in lines.items():
                line.ask("open", 30.0, arm=encode(arm_of(name)), workers=2)
            batch = lines["single-nogil"].ask("calibrate", 10.0, target_ns=BATCH_NS)["batch"]["steps"]
            turns = [(who, [cpu]) for who in ("program", "single-nogil") for cpu in cpus]
            turns += [("program", cpus), ("threads-nogil", cpus)]
            for _ in range(rounds):
                random.shuffle(turns)
                seen: dict[tuple[str, int], list[float]] = {}
                for who, places in turns:
                    turn = (
                        program_turn(limit, batch, places)
                        if who == "program"
                        else station_turn(lines[who], batch, places)
                    )
                    seen[who, places[0] if len(places) == 1 else -1] = turn
                steps += [math.log(seen["single-nogil", cpu][0] / seen["program", cpu][0]) for cpu in cpus]
                theirs = sum(seen["program", -1][i] / seen["program", cpu][0] for i, cpu in enumerate(cpus))
                ours = sum(seen["threads-nogil", -1][i] / seen["single-nogil", cpu][0] for i, cpu in enumerate(cpus))
                speedups.append(math.log(ours / theirs))
    finally:
        for line in lines.values():
            line.end()
    return steps, speedups


def shown(name: str, logs: list[float]) -> str:
    """A ratio with its interval, from its logarithms."""
    found = interval(midmean(logs), replicate(logs, draws(len(logs), LEVEL, 0)), len(logs), LEVEL, LEVEL)
    point, low, high = (math.exp(value) for value in (found.point, found.low, found.high))
    return f"{name:<66} {point:.3f} [{low:.3f}, {high:.3f}]"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=400, help="how many (default: 400)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if len(read_host().placement) < 2:
        print("limit: it takes two CPUs", file=sys.stderr)
        return 2
    steps, speedups = measure(args.rounds, args.seed)
    print(f"{args.rounds} rounds, ratios of one round each, {LEVEL:.0%} intervals")
    print(shown("rate of the C kernel called from Python / of the standalone program", steps))
    print(shown("speedup of two nogil threads / of the program's own two threads", speedups))
    return 0


if __name__ == "__main__":
    sys.exit(main())
