"""``gilstudy probe``: whether functions release the GIL."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from gilstudy import files
from gilstudy.asking import doubts
from gilstudy.cases import EXPECTED, Case, cases_in, public_functions
from gilstudy.errors import BadInput
from gilstudy.probing import Probe, probe_call
from gilstudy.report.probe import Entry, document, junit, print_probes
from gilstudy.sweep import sweep

EPILOG = """examples:
  gilstudy probe hashlib:sha256 --args "b'x' * 1_000_000"
  gilstudy probe hashlib:sha256 --args "b'x' * N" --sweep 1:1_000_000
  gilstudy probe zlib:crc32 zlib:adler32 --setup "d = bytes(10**6)" --args d
  gilstudy probe --module zlib --table zlib.toml --junit zlib.xml"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    add = parser.add_argument
    add("functions", nargs="*", metavar="MODULE:FUNCTION", help="what to probe")
    add("--args", dest="arguments", metavar="EXPR", default="", help="arguments as in a call: \"b'x' * 1000, level=9\"")
    add("--setup", metavar="CODE", default="", help="Python statements to run before; --args may use their names")
    add("--sweep", metavar="LOW:HIGH", type=_limits, help="find the smallest N, used in --args, from which it releases")
    add("--expect", choices=EXPECTED, default="", help="exit with 1 if a verdict is another one")
    add("--module", metavar="MODULE", help="probe this module's public functions; --table has their arguments")
    add("--table", metavar="FILE", type=Path, help="functions and their arguments in TOML")
    add("--json", metavar="FILE", type=Path, help="write all of it as JSON")
    add("--junit", metavar="FILE", type=Path, help="write JUnit XML")


def run(args: argparse.Namespace) -> int:
    """Check the controls, probe, show."""
    from rich.console import Console

    for path in (args.json, args.junit):
        if path is not None:
            files.check_writable(path)
    cases, skipped = _cases(args)
    for case in cases:
        case.function(), case.values(args.sweep[1] if args.sweep else None)  # all mistakes before any measurement
    reason = doubts()
    entries = [_entry(case, reason, args.sweep) for case in cases]
    print_probes(Console(highlight=False), entries, skipped)
    if args.json is not None:
        args.json.write_text(json.dumps(document(entries), indent=2) + "\n", encoding="utf-8")
    if args.junit is not None:
        args.junit.write_text(junit(entries), encoding="utf-8")
    return 1 if any(entry.is_wrong for entry in entries) else 0


def _cases(args: argparse.Namespace) -> tuple[Sequence[Case], Sequence[str]]:
    """What to probe, and the public functions of ``--module`` for which there are no arguments."""
    cases = [
        Case(target=name, arguments=args.arguments, setup=args.setup, expect=args.expect) for name in args.functions
    ]
    skipped: list[str] = []
    if args.table is not None:
        cases += cases_in(args.table, args.module or "")
    elif args.module:
        raise BadInput("--module needs --table FILE: which arguments its functions take cannot be guessed")
    if args.module:
        given = {case.target for case in cases}
        skipped = [name for name in public_functions(args.module) if f"{args.module}:{name}" not in given]
    if not cases:
        raise BadInput("name what to probe, such as hashlib:sha256 with --args \"b'x' * 1_000_000\"")
    if args.sweep and not all("N" in case.arguments for case in cases):
        raise BadInput("--sweep varies N, so --args must use it, as in --args \"b'x' * N\"")
    return cases, skipped


def _entry(case: Case, reason: str, limits: tuple[int, int] | None) -> Entry:
    def probe_at(size: int | None) -> Probe:
        return probe_call(case.target, case.call(size), reason=reason)

    try:
        if limits is None:
            return Entry(target=case.target, probe=probe_at(None), expect=case.expect)
        found = sweep(probe_at, *limits)
        return Entry(target=case.target, probe=dict(found.probes)[limits[1]], expect=case.expect, sweep=found)
    except BadInput:
        raise
    except Exception as error:
        told = f"the call failed: {type(error).__name__}: {error}"
        return Entry(target=case.target, probe=None, error=told, expect=case.expect)


def _limits(text: str) -> tuple[int, int]:
    low, _, high = text.partition(":")
    try:
        limits = int(low), int(high)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form LOW:HIGH, such as 1:1000000") from None
    if not 1 <= limits[0] < limits[1]:
        raise argparse.ArgumentTypeError(f"{text!r}: the sizes go from 1 up")
    return limits
