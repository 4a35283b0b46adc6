"""``gilstudy report FILE``: a saved study again, concluded anew from its raw record."""

from __future__ import annotations

import argparse
from pathlib import Path

from gilstudy.commands import json_option


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = "exit codes: 0 done; 2 bad usage or bad input, or output that cannot be written; 130 interrupted"
    parser.add_argument("file", metavar="FILE", type=Path, help="a study saved by gilstudy bench --json FILE")
    json_option.add(parser, "write the study with its findings computed anew")
    parser.add_argument("--quiet", action="store_true", help="only one line per claim")


def run(args: argparse.Namespace) -> int:
    """Load, conclude, show."""
    from gilstudy.commands import studying
    from gilstudy.report import study
    from gilstudy.report.terminal import print_claims, print_study
    from gilstudy.system import files

    if args.json:
        files.check_writable(args.json)
    studying.finish(study.load(args.file), args.json, print_claims if args.quiet else print_study)
    return 0
