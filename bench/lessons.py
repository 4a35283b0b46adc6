"""Do the lessons' checks ever fail because the host is busy? All lessons, many times over.

    python bench/lessons.py                   10 runs of gilstudy lesson --all
    python bench/lessons.py --runs 50 --hog   50 runs beside a process that eats a core

Prints how often each lesson passed, failed or had a check that the host did not let be seen. Exit code 1 if any failed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from typing import Any

from hog import hog
from rich.console import Console
from rich.table import Table


def run() -> tuple[float, list[dict[str, Any]]]:
    """Run all lessons once; the seconds that it took, and what each lesson gave."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "gilstudy", "lesson", "--all", "--json", "--lang", "en"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.stderr or done.returncode not in (0, 1):
        raise SystemExit(f"gilstudy lesson --all ended with code {done.returncode}: {done.stderr}")
    lessons: list[dict[str, Any]] = json.loads(done.stdout)["lessons"]
    return seconds, lessons


def count(tally: Counter[tuple[str, str]], lesson: dict[str, Any]) -> None:
    """Count what a lesson gave, and name the check that failed."""
    tally[lesson["lesson"], lesson["outcome"]] += 1
    if any(check["passed"] is None for check in lesson["checks"]):
        tally[lesson["lesson"], "open"] += 1
    if lesson["outcome"] == "failed":
        wrong = [check["id"] for check in lesson["checks"] if check["passed"] is False]
        print(f"failed: {lesson['lesson']}: {', '.join(wrong) or lesson['trouble']}", file=sys.stderr)


def main() -> int:
    """Run, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10, help="how many (default: 10)")
    parser.add_argument("--hog", action="store_true", help="beside a process that eats a core")
    args = parser.parse_args()
    tally: Counter[tuple[str, str]] = Counter()
    seconds: list[float] = []
    with hog(args.hog):
        for _ in range(args.runs):
            took, lessons = run()
            seconds.append(took)
            for lesson in lessons:
                count(tally, lesson)
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False)
    table.add_column("lesson")
    for outcome in ("passed", "failed", "open"):
        table.add_column(outcome, justify="right")
    for name in dict.fromkeys(name for name, _ in tally):
        table.add_row(name, *(str(tally[name, outcome]) for outcome in ("passed", "failed", "open")))
    console.print(table)
    beside = "beside a CPU hog" if args.hog else "without a hog"
    console.print(f"{args.runs} runs {beside}; {min(seconds):.1f} to {max(seconds):.1f} s each")
    return 1 if any(outcome == "failed" for _, outcome in tally) else 0


if __name__ == "__main__":
    sys.exit(main())
