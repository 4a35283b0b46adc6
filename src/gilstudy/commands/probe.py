"""``gilstudy probe``: whether functions release the GIL."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from gilstudy.commands.delivering import Act, deliver
from gilstudy.errors import BadInput
from gilstudy.probing.asking import doubt
from gilstudy.probing.evidence import Doubt
from gilstudy.probing.probe import Probe, probe_call
from gilstudy.probing.quiet import disturbance
from gilstudy.probing.sweep import sweep
from gilstudy.probing.table import EXPECTED, Call, cases_in, public_functions, told
from gilstudy.report.console import console
from gilstudy.report.document import save
from gilstudy.report.probe import Entry, document, junit, print_probes
from gilstudy.system import files, streams
from gilstudy.system.signals import was_signalled
from gilstudy.text import shown
from gilstudy.watching.lastreport import LastReport
from gilstudy.watching.watch import watch

if TYPE_CHECKING:
    from rich.console import Console

Limits = tuple[int, int]

EPILOG = """examples:
  gilstudy probe hashlib:sha256 --args "b'x' * 1_000_000"
  gilstudy probe hashlib:sha256 --args "b'x' * N" --sweep 1:1_000_000
  gilstudy probe zlib:crc32 zlib:adler32 --setup "d = bytes(10**6)" --args d
  gilstudy probe --module zlib --table zlib.toml --junit zlib.xml

exit codes:
  0    done
  1    a call failed, or a verdict is not the expected one
  2    bad usage or bad input, or output that cannot be written
  124  ended at the time limit (--timeout), with what the call did at the end
  130  interrupted; the functions probed until then are shown and saved"""


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
    add("--timeout", metavar="S", type=float, help="end after so many seconds, and tell who held the GIL then")
    add("--module", metavar="MODULE", help="probe this module's public functions; --table has their arguments")
    add("--table", metavar="FILE", type=Path, help="functions and their arguments in TOML")
    add("--json", metavar="FILE", type=Path, help="write all of it as JSON")
    add("--junit", metavar="FILE", type=Path, help="write JUnit XML")


def run(args: argparse.Namespace) -> int:
    """Check the controls, probe, save, show."""
    # What is called may leave for another folder.
    json_path, junit_path = (path and path.absolute() for path in (args.json, args.junit))
    for path in (json_path, junit_path):
        if path is not None:
            files.check_writable(path)
    cases, skipped = _cases(args)
    for case in cases:
        case.function(), case.values(args.sweep[1] if args.sweep else None)  # all mistakes before any measurement
    output = streams.kept_output()
    with _limited(args.timeout, ", ".join(case.target for case in cases)):
        entries, interrupt = _entries(cases, args.sweep)
    saves: list[Act] = []
    if json_path is not None:
        saves.append(partial(save, json_path, document(entries)))
    if junit_path is not None:
        saves.append(partial(files.write, junit_path, junit(entries)))
    deliver(saves, lambda: _show(console(output=output), entries, skipped))
    if interrupt is not None:
        raise interrupt
    return 1 if any(entry.is_wrong for entry in entries) else 0


@contextlib.contextmanager
def _limited(timeout_s: float | None, what: str) -> Iterator[None]:
    """A call that never comes back ends with its time limit, or with a second Ctrl-C, and it is told what it did."""
    if timeout_s is not None and not 0 < timeout_s <= 10**7:
        raise BadInput(f"--timeout takes more than 0 seconds, not {timeout_s:g}")
    with watch() as watcher:
        watcher.arm(LastReport(what=f"probe {what}", is_short=True, timeout_s=timeout_s))
        yield


def _entries(cases: Sequence[Call], limits: Limits | None) -> tuple[list[Entry], KeyboardInterrupt | None]:
    """The cases' outcomes; Ctrl-C keeps those that are known until then."""
    entries: list[Entry] = []
    try:
        known = doubt()
        for case in cases:
            # The call before may have left something behind.
            spoilt = disturbance() if entries and known is None else ""
            entries.append(_entry(case, Doubt(spoilt) if spoilt else known, limits))
    except KeyboardInterrupt as interrupt:
        return entries, interrupt
    return entries, None


def _show(console: Console, entries: Sequence[Entry], skipped: Sequence[str]) -> None:
    is_closed = streams.is_closed(sys.stdout)
    streams.Output(sys.stdout, forgiving=True).flush()  # what was called printed before us
    if entries:
        print_probes(console, entries, skipped)
    if is_closed and entries:
        console.print("Standard output is closed: by what was called, or before.", style="dim")
    waits_for = [t.name for t in threading.enumerate() if not t.daemon and t is not threading.main_thread()]
    if waits_for:
        names = shown(", ".join(waits_for))
        console.print(f"This ends when the threads do that the call left behind: {names}.", style="dim")


def _cases(args: argparse.Namespace) -> tuple[Sequence[Call], Sequence[str]]:
    """What to probe, and the public functions of ``--module`` for which there are no arguments."""
    cases = [
        Call(target=name, arguments=args.arguments, setup=args.setup, expect=args.expect) for name in args.functions
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


def _entry(case: Call, doubt: Doubt | None, limits: Limits | None) -> Entry:
    def probe_at(size: int | None) -> Probe:
        return probe_call(case.target, case.call(size), doubt=doubt)

    process = os.getpid()
    try:
        if limits is None:
            return Entry(target=case.target, probe=probe_at(None), expect=case.expect)
        found = sweep(probe_at, *limits)
        return Entry(target=case.target, probe=dict(found.probes)[limits[1]], expect=case.expect, sweep=found)
    except BadInput:
        raise
    except BaseException as error:  # also what would end this process, such as SystemExit
        if os.getpid() != process:
            _end_child(error)
        if was_signalled(error):
            raise
        return Entry(target=case.target, probe=None, error=f"the call failed: {told(error)}", expect=case.expect)


def _end_child(error: BaseException) -> NoReturn:
    """End a child that the call forked, as Python would; the probe goes on in its parent."""
    streams.Output(sys.stdout, forgiving=True).flush()
    code = error.code if isinstance(error, SystemExit) else 1
    os._exit(code if isinstance(code, int) else int(code is not None))


def _limits(text: str) -> Limits:
    low, _, high = text.partition(":")
    try:
        limits = int(low), int(high)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form LOW:HIGH, such as 1:1000000") from None
    if not 1 <= limits[0] < limits[1]:
        raise argparse.ArgumentTypeError(f"{text!r}: the sizes go from 1 up")
    return limits
