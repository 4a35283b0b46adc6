"""``gilstudy info``: what this host and this interpreter give, before anything is measured."""

from __future__ import annotations

import argparse

from gilstudy.commands import json_option
from gilstudy.host.counters import read_counters
from gilstudy.host.machine import read_host
from gilstudy.host.runtime import this_runtime
from gilstudy.system import streams


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = "exit codes: 0 done; 2 bad usage, or output that cannot be written; 130 interrupted"
    parser.add_argument("--json", action="store_true", help="write the facts to standard output as one JSON document")


parse = json_option.parse_flag


def run(args: argparse.Namespace) -> int:
    """Read the facts and show them."""
    unusable = _load_extensions()
    runtime = this_runtime()  # before anything else is imported that could turn the GIL on, such as psutil
    host, counters = read_host(), read_counters()
    from gilstudy.report.console import console
    from gilstudy.report.document import as_json
    from gilstudy.report.info import document, print_info

    if args.json:
        streams.output().write(as_json(document(host, runtime, counters, unusable)))
        return 0
    print_info(console(), host, runtime, counters, unusable=unusable)
    return 0


def _load_extensions() -> str:
    """Import what every measured child imports; return why that is impossible, or ""."""
    try:
        import gilstudy._kernels
        import gilstudy._native  # noqa: F401
    except ImportError as error:
        return str(error)
    return ""
