"""How far can the verdicts be trusted? Whole studies, one after the other, held against what is known to be true.

    python bench/trust.py                     20 studies, and the naive method at equal time after each
    python bench/trust.py --hog               the same beside a process that eats a core
    python bench/trust.py --method naive      only the naive method
    python bench/trust.py --keep FOLDER       save every study there as well
    python bench/trust.py --of FOLDER         conclude anew from the studies saved there: nothing is measured

Prints each arm's spread between studies, how often its intervals held the long-run value, which is the median over all
of these studies, and how wide they were; counts right, wrong and withheld verdicts. An interval is of its study's own
minutes: where the host's speed wanders between studies, fewer of them than the level promises hold that value. Exit
code 1 if any verdict of gilstudy was wrong.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median, stdev

from hog import hog
from naive import ARMS, one_shot
from rich.console import Console
from rich.table import Table

from gilstudy.concluding.findings import Findings, conclude, is_enough
from gilstudy.host.machine import read_host
from gilstudy.host.runtime import this_runtime
from gilstudy.measuring.conductor import run_study
from gilstudy.measuring.plan import make_plan
from gilstudy.report.study import load, save
from gilstudy.stats import Estimate

NAIVE_THRESHOLD = 1.5
"""The bare ratio from which a reader of the naive method would say that an arm scales."""


def truth() -> tuple[dict[str, str], dict[str, str]]:
    """What is so by construction on a host with two CPUs: a verdict for each arm and for each claim."""
    runtime = this_runtime()
    gil = runtime.gil_enabled is not False
    follows_gil = "does-not-scale" if gil else "scales"
    arms = {"threads": follows_gil, "threads-nogil": "scales", "threads-held": follows_gil, "processes": "scales"}
    claims = {
        "threads-do-not-scale": "supported" if gil else "refuted",
        "threads-slower-than-serial": "refuted",
        "threads-use-one-core": "supported" if gil else "refuted",
        "c-extension-scales": "supported",
        "c-must-release-the-gil": "supported" if gil else "refuted",
        "processes-scale": "supported",
        "only-c-or-processes": ("untestable" if runtime.own_gil_interpreters else "supported") if gil else "refuted",
    }
    if not gil:
        claims["needs-gil-free-interpreter"] = "supported"  # with a GIL it cannot be tested: no merit in saying so
    return arms, claims


@dataclass
class Tally:
    """The outcomes of one method."""

    speedups: dict[str, list[float]] = field(default_factory=lambda: {arm: [] for arm in ARMS})
    intervals: dict[str, list[Estimate]] = field(default_factory=dict)
    """Of speedups and gains, where the method has any."""
    verdicts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def judge(self, name: str, verdict: str, true: str) -> None:
        """Count a verdict as right, wrong or withheld."""
        withheld = verdict in ("inconclusive", "untestable") and verdict != true
        kind = "right" if verdict == true else "withheld" if withheld else "wrong"
        self.verdicts[kind] += 1
        if kind == "wrong":
            self.wrong.append(f"{name}: {verdict}")


def study(tally: Tally, budget_s: float | None, seed: int, keep: Path | None) -> float:
    """One whole study; return how long it took from start to verdicts."""
    start = time.perf_counter()
    host = read_host()
    record = run_study(make_plan(workers=(2,), budget_s=budget_s, seed=seed), host, enough=is_enough)
    findings = conclude(record)
    seconds = time.perf_counter() - start
    tally.seconds.append(seconds)
    _count(tally, findings)
    if keep:
        save(keep / f"{seed}.json", record, findings)
    return seconds


def saved(tally: Tally, paths: Iterable[Path]) -> None:
    """The studies of these files, concluded by today's rules."""
    for path in paths:
        record = load(path)
        tally.seconds.append(record.elapsed_s)
        _count(tally, conclude(record))


def _count(tally: Tally, findings: Findings) -> None:
    arms, claims = truth()
    for finding in findings.arms:
        if finding.workers > 1 and finding.speedup is not None:
            tally.intervals.setdefault(finding.arm, []).append(finding.speedup)
            if finding.gain is not None and finding.arm in arms:
                tally.intervals.setdefault(f"{finding.arm}: gain", []).append(finding.gain)
        if finding.arm in arms and finding.speedup is not None:
            tally.speedups[finding.arm].append(finding.speedup.point)
            tally.judge(finding.arm, finding.verdict, arms[finding.arm])
    for claim in findings.claims:
        if claim.id in claims:
            tally.judge(claim.id, claim.verdict, claims[claim.id])


def naive(tally: Tally, seconds: float) -> None:
    """The naive method once, in about as many seconds."""
    arms, _ = truth()
    start = time.perf_counter()
    for arm, speedup in one_shot(seconds).items():
        tally.speedups[arm].append(speedup)
        tally.judge(arm, "scales" if speedup > NAIVE_THRESHOLD else "does-not-scale", arms[arm])
    tally.seconds.append(time.perf_counter() - start)


def table(tallies: dict[str, Tally]) -> Table:
    """A row for each arm and method."""
    rows = Table(box=None, pad_edge=False)
    rows.add_column("arm, two workers")
    rows.add_column("method")
    for name in ("mean", "sd / mean", "range"):
        rows.add_column(name, justify="right")
    for arm in ARMS:
        for method, tally in tallies.items():
            values = tally.speedups[arm]
            if len(values) > 1:
                spread = f"{100 * stdev(values) / fmean(values):.1f} %"
                rows.add_row(arm, method, f"{fmean(values):.3f}", spread, f"{min(values):.2f} to {max(values):.2f}")
    return rows


def coverage(intervals: dict[str, list[Estimate]]) -> Table:
    """How often intervals held the long-run value, and their half widths: absolute, as a gain may be 0."""
    rows = Table(box=None, pad_edge=False)
    rows.add_column("of two workers")
    for name in ("long-run value", "intervals hold", "median half width"):
        rows.add_column(name, justify="right")
    held = total = 0
    for name, found in intervals.items():
        bounded = [each for each in found if each.is_bounded]
        if len(bounded) > 1:
            value = median(each.point for each in bounded)
            holds = sum(each.low <= value <= each.high for each in bounded)
            width = median((each.high - each.low) / 2 for each in bounded)
            rows.add_row(name, f"{value:.3f}", f"{holds} of {len(bounded)}", f"{width:.3f}")
            held, total = held + holds, total + len(bounded)
    if total:
        rows.add_row("all", "", f"{held} of {total}, {100 * held / total:.0f} %", "")
    return rows


def main() -> int:
    """Run, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=20, help="how many (default: 20)")
    parser.add_argument("--hog", action="store_true", help="beside a process that eats a core")
    parser.add_argument("--method", choices=("gilstudy", "naive", "both"), default="both")
    parser.add_argument("--budget", type=float, help="seconds for each study, and for the naive method alone")
    parser.add_argument("--keep", type=Path, help="a folder for the studies' records")
    parser.add_argument("--of", type=Path, help="a folder of saved studies to conclude from, instead of measuring")
    args = parser.parse_args()
    if args.of:
        tally, paths = Tally(), sorted(args.of.glob("*.json"))
        saved(tally, paths)
        return told(f"{len(paths)} saved studies", {"gilstudy": tally})
    if args.keep:
        args.keep.mkdir(parents=True, exist_ok=True)
    methods = ("gilstudy", "naive") if args.method == "both" else (args.method,)
    tallies = {method: Tally() for method in methods}
    with hog(args.hog):
        for seed in range(args.studies):
            seconds = args.budget or 12.0
            if "gilstudy" in tallies:
                seconds = study(tallies["gilstudy"], args.budget, seed, args.keep)
            if "naive" in tallies:
                naive(tallies["naive"], seconds)
            if sys.stderr.isatty():
                print(f"{seed + 1} of {args.studies}", end="\r", file=sys.stderr, flush=True)
    beside = "beside a CPU hog" if args.hog else "without a hog"
    return told(f"{args.studies} studies {beside}, Python {this_runtime().label}", tallies)


def told(title: str, tallies: dict[str, Tally]) -> int:
    """Print all; return the exit code."""
    console = Console(highlight=False)
    console.print(title)
    console.print(table(tallies))
    for method, tally in tallies.items():
        if tally.intervals:
            console.print(coverage(tally.intervals))
        counts = ", ".join(f"{tally.verdicts[kind]} {kind}" for kind in ("right", "wrong", "withheld"))
        times = f"{min(tally.seconds, default=0):.1f} to {max(tally.seconds, default=0):.1f} s each"
        console.print(f"{method}: verdicts {counts}; {times}, median {median(tally.seconds or [math.nan]):.1f} s")
        for wrong, often in Counter(tally.wrong).items():
            console.print(f"  wrong: {wrong} ({often} times)")
    return 1 if "gilstudy" in tallies and tallies["gilstudy"].wrong else 0


if __name__ == "__main__":
    sys.exit(main())
