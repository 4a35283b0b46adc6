"""What does gilstudy itself cost? Import, help, the start of a study, a trial, a whole study against its trials.

python bench/overhead.py
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from random import Random
from statistics import median

from gilstudy.host.machine import read_host
from gilstudy.measuring.conductor import Progress, run_study
from gilstudy.measuring.plan import make_plan
from gilstudy.measuring.record import Record
from gilstudy.stats import Estimate, over_rounds

LEVEL = 0.95
COMMANDS = {
    "bare interpreter": ["-c", "pass"],
    "import gilstudy": ["-c", "import gilstudy"],
    "gilstudy --help": ["-m", "gilstudy", "--help"],
    "gilstudy info": ["-m", "gilstudy", "info"],
}


def start_times(runs: int) -> dict[str, list[float]]:
    """Milliseconds of each command's whole process, interleaved in random order."""
    random = Random(0)
    found: dict[str, list[float]] = {name: [] for name in COMMANDS}
    names = list(COMMANDS)
    for run in range(runs + 1):
        random.shuffle(names)
        for name in names:
            start = time.perf_counter()
            subprocess.run([sys.executable, *COMMANDS[name]], check=True, capture_output=True)
            if run:  # the first fills the caches
                found[name].append(1000 * (time.perf_counter() - start))
    return found


def over(values: list[float]) -> Estimate:
    """The midmean of ``values`` with its interval."""
    return over_rounds(values, LEVEL)


def one_study(budget_s: float) -> tuple[Record, dict[str, float]]:
    """A study that spends its budget, and the second at which each of its phases began."""
    phases: dict[str, float] = {}

    def notice(progress: Progress) -> None:
        phases.setdefault(progress.phase, progress.elapsed_s)

    start = time.perf_counter()
    record = run_study(make_plan(workers=(2,), budget_s=budget_s), read_host(), notice=notice)
    phases["whole"] = time.perf_counter() - start
    return record, phases


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=30, help="of each command (default: 30)")
    parser.add_argument("--budget", type=float, default=6.0, help="seconds for the study (default: 6)")
    args = parser.parse_args()
    found = start_times(args.runs)
    print(f"whole processes, {args.runs} runs each, interleaved (ms)")
    for name, values in found.items():
        beyond = over([value - bare for value, bare in zip(values, found["bare interpreter"], strict=True)])
        added = (
            "" if name == "bare interpreter" else f"  adds {beyond.point:6.1f} [{beyond.low:.1f}, {beyond.high:.1f}]"
        )
        print(f"  {name:<18} median {median(values):6.1f}, {min(values):.1f} to {max(values):.1f}{added}")
    record, phases = one_study(args.budget)
    timed_s = sum((record.plan.warm_ns + trial.close_ns - trial.open_ns) / 1e9 for trial in record.trials)
    first, last = record.trials[0], record.trials[-1]
    span_s = (last.close_ns - first.open_ns) / 1e9
    each_ms = 1000 * (span_s - timed_s) / len(record.trials)
    set_up_s = phases["done"] - phases["calibrating"] - span_s
    window_ms, whole_s = record.plan.window_ns / 1e6, phases["whole"]
    print(f"one study of {len(record.trials)} trials ({window_ms:g} ms windows) in {whole_s:.1f} s")
    print(f"  start of {len(record.plan.arms)} stations: {phases['calibrating']:.2f} s")
    print(f"  calibration and first turns: {set_up_s:.2f} s")
    print(f"  beside each trial's warm-up and window: {each_ms:.2f} ms")
    print(f"  the trials are {timed_s / whole_s:.0%} of the whole study")
    return 0


if __name__ == "__main__":
    sys.exit(main())
