"""``gilstudy claims``: every claim of the tutorial, with its verdict under this interpreter on this host."""

from __future__ import annotations

import argparse
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from gilstudy.commands import json_option, studying

if TYPE_CHECKING:
    from gilstudy.measuring.record import Record


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = (
        "exit codes: 0 done; 1 an arm or an experiment failed; 2 bad usage or bad input, or output that cannot be "
        "written; 130 interrupted, and what was measured is saved"
    )
    parser.add_argument(
        "--study",
        metavar="FILE",
        type=Path,
        help="measure nothing: show the claims of a study saved by gilstudy bench --claims all --json FILE",
    )
    parser.add_argument("--budget", metavar="SECONDS", type=float, help="most time for the study of the speedups")
    json_option.add(parser, "save everything that was measured and concluded")


def run(args: argparse.Namespace) -> int:
    """Judge all claims and show them."""
    from gilstudy.report import study
    from gilstudy.report.claims import print_table
    from gilstudy.system import files

    if args.json:
        files.check_writable(args.json)
    record = study.load(args.study) if args.study else _measure(args.budget, args.json)
    return studying.finish(record, args.json, print_table)


def _measure(budget_s: float | None, path: Path | None) -> Record:
    from gilstudy.host.machine import read_host
    from gilstudy.measuring.plan import ARM_NAMES, default_workers, make_plan
    from gilstudy.report.console import console

    host = read_host()
    plan = make_plan(
        workers=default_workers(host), arms=ARM_NAMES, budget_s=budget_s, level=0.95, seed=secrets.randbelow(1_000_000)
    )
    return studying.measure(plan, host, console(stderr=True), experiments=True, save=studying.saver(path))
