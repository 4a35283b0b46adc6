"""The main job: ``python -m gilstudy.bench`` times the countdown in every execution model and judges the claims."""

from __future__ import annotations

import sys

from gilstudy.commands import entry

if __name__ == "__main__":  # before anything else is imported
    sys.exit(entry.command("bench", prog="python -m gilstudy.bench"))

import argparse
import secrets

from gilstudy.commands import json_option, studying

EXAMPLES = """
examples:
  gilstudy bench                      two workers, about twelve seconds at most
  gilstudy bench --workers 1,2,4,8    how it goes on with more
  gilstudy bench --arms threads,processes[spawn]
  gilstudy bench --claims all         all of the tutorial's claims
  gilstudy bench --json study.json    keep everything that was measured

exit codes:
  0    done
  1    an arm or an experiment failed; the others are reported
  2    bad usage or bad input, or output that cannot be written
  130  interrupted; what was measured is reported and saved
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from gilstudy.measuring.plan import ARM_NAMES

    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    parser.add_argument(
        "--workers", metavar="N[,N...]", help="worker counts, such as 2 or 1,2,4,8 (default: what fits the host)"
    )
    parser.add_argument(
        "--arms",
        metavar="ARM[,ARM...]",
        help=f"what to time, of {', '.join(ARM_NAMES)}; processes may carry a start method, as in processes[spawn]; "
        "the baselines that are needed and the ceiling are always added (default: all)",
    )
    parser.add_argument(
        "--claims",
        choices=("speedup", "all"),
        default="speedup",
        help="judge the claims on speedup, or also those on switching, shared variables and locks, "
        "by experiments that take some seconds more (default: speedup)",
    )
    parser.add_argument(
        "--budget",
        metavar="SECONDS",
        type=float,
        help="most time to take, start-up included (default: 12 for 2 workers)",
    )
    parser.add_argument("--level", type=float, default=0.95, help="confidence level of all intervals (default: 0.95)")
    parser.add_argument("--seed", type=int, help="seed of the random order of trials (default: drawn, and shown)")
    json_option.add(parser, "save everything that was measured and concluded")
    parser.add_argument("--quiet", action="store_true", help="no progress display, and only one line per claim")


def run(args: argparse.Namespace) -> int:
    """Plan, measure, save, conclude, show."""
    from gilstudy.host.machine import read_host
    from gilstudy.measuring.plan import ARM_NAMES, default_workers, make_plan
    from gilstudy.report.console import console
    from gilstudy.report.terminal import print_claims, print_study
    from gilstudy.system import files

    host = read_host()
    plan = make_plan(
        workers=parse_workers(args.workers) if args.workers is not None else default_workers(host),
        arms=parse_names(args.arms) if args.arms is not None else ARM_NAMES,
        budget_s=args.budget,
        level=args.level,
        seed=secrets.randbelow(1_000_000) if args.seed is None else args.seed,
    )
    if args.json:
        files.check_writable(args.json)
    progress = console(stderr=True, quiet=args.quiet)
    record = studying.measure(plan, host, progress, experiments=args.claims == "all", save=studying.saver(args.json))
    return studying.finish(record, args.json, print_claims if args.quiet else print_study)


def parse_workers(text: str) -> tuple[int, ...]:
    """Worker counts from text such as ``1,2,4``. Raises BadInput."""
    from gilstudy.errors import BadInput

    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise BadInput(f"--workers takes whole numbers such as 2 or 1,2,4,8, not {text!r}") from None


def parse_names(text: str) -> tuple[str, ...]:
    """Names from text such as ``threads,processes``."""
    return tuple(name for part in text.split(",") if (name := part.strip()))
