"""``gilstudy claims``: every claim of the tutorial, with its verdict under this interpreter on this host."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gilstudy.claims import Claim

StudyFindings = Callable[[argparse.Namespace], "Iterable[Claim]"]
"""Supplies the verdicts on the claims that a study settles."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--study", metavar="FILE", type=Path, help="take the speedups from a study that gilstudy bench --json saved"
    )
    parser.add_argument("--budget", metavar="SECONDS", type=float, help="most time for a new study")
    parser.add_argument("--json", action="store_true", help="write the claims as one JSON document")


def run(args: argparse.Namespace, *, study: StudyFindings | None = None) -> int:
    """Judge all claims and show them.

    Args:
        args: the options.
        study: supplies the study's verdicts instead of a study of the default plan.
    """
    from rich.console import Console

    from gilstudy.experiments.conduct import observe
    from gilstudy.experiments.judging import judge
    from gilstudy.report.claims import in_order, print_table

    claims = list((study or study_findings)(args))
    with Console(stderr=True).status("") as status:
        claims += judge(observe(notice=lambda name: status.update(f"experiment: {name}")))
    if args.json:
        from gilstudy.codec import encode

        json.dump({"claims": encode(in_order(claims))}, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        print_table(Console(highlight=False), claims)
    return 0


def study_findings(args: argparse.Namespace) -> Iterable[Claim]:
    """The claims of the study in a file, or of a new one with the default plan."""
    from rich.console import Console

    from gilstudy import files
    from gilstudy.findings import conclude, is_enough
    from gilstudy.host import read_host
    from gilstudy.plan import ARM_NAMES, default_workers, make_plan
    from gilstudy.report.progress import Display
    from gilstudy.study import run_study

    if args.study:
        return conclude(files.load(args.study)).claims
    host = read_host()
    plan = make_plan(
        workers=default_workers(host),
        arms=ARM_NAMES,
        budget_s=args.budget,
        level=0.95,
        seed=secrets.randbelow(1_000_000),
    )
    with Display(Console(stderr=True)) as display:
        record = run_study(plan, host, enough=is_enough, notice=display.notice)
    if record.interrupted:
        raise KeyboardInterrupt
    return conclude(record).claims
