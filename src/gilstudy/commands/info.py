"""``gilstudy info``: what this host and this interpreter give, before anything is measured."""

from __future__ import annotations

import argparse
import json
from typing import Any

from gilstudy._version import __version__
from gilstudy.codec import encode
from gilstudy.host.counters import Counters, read_counters
from gilstudy.host.machine import Host, read_host
from gilstudy.host.runtime import Runtime, this_runtime
from gilstudy.system import streams


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="write the facts to standard output as one JSON document")


def run(args: argparse.Namespace) -> int:
    """Read the facts and show them."""
    unusable = _load_extensions()
    runtime = this_runtime()  # before anything else is imported that could turn the GIL on, such as psutil
    host, counters = read_host(), read_counters()
    if args.json:
        streams.output().write(json.dumps(document(host, runtime, counters, unusable), indent=2) + "\n")
        return 0
    from gilstudy.report.console import console
    from gilstudy.report.info import print_info

    print_info(console(), host, runtime, counters, unusable=unusable)
    return 0


def document(host: Host, runtime: Runtime, counters: Counters, unusable: str = "") -> dict[str, Any]:
    """The facts as plain JSON values: as in a record, and under ``derived`` what follows from them."""
    return {
        "gilstudy": __version__,
        "host": encode(host),
        "derived": {
            "effective_cpus": host.effective_cpus,
            "default_cpus": host.default_cpus,
            "placement": list(host.placement),
            "has_smt": host.has_smt,
            "is_mixed": host.is_mixed,
        },
        "runtime": encode(runtime),
        "pulse": encode(counters),
        "unusable": unusable,
    }


def _load_extensions() -> str:
    """Import what every measured child imports; return why that is impossible, or ""."""
    try:
        import gilstudy._kernels
        import gilstudy._native  # noqa: F401
    except ImportError as error:
        return str(error)
    return ""
