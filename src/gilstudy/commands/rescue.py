"""Takes the place of a process that was stuck, or whose time was up, and reports what its watch had seen.

Run by the watch's native thread (gilrescue.h) as ``python -m gilstudy.commands.rescue ORDERS FILE CAUSE``: what
`lastreport` made ready, the number of the open file that the watch is in, and what ended the program.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gilstudy.codec import decode
from gilstudy.errors import BadInput
from gilstudy.report.last_lines import last_lines
from gilstudy.system import files, streams
from gilstudy.system.signals import INTERRUPTED
from gilstudy.text import shown
from gilstudy.watching.assemble import assemble
from gilstudy.watching.gathering import Told, gather
from gilstudy.watching.lastreport import TIME_IS_UP, LastReport
from gilstudy.watching.summary import summarise
from gilstudy.watching.trace import Stretch, Trace

BY_TIME: Final = 0
"""In place of a signal's number: the time limit ended the program."""


def main() -> int:
    """Report, save, and end as the program would have ended."""
    orders, file, cause = json.loads(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    report = decode(LastReport, orders["report"])
    try:
        trace, calls = _seen(decode(Told, orders["told"]), file)
    except (OSError, ValueError) as error:
        _say(f"gilstudy: {_why(report, cause)}; what was seen could not be kept: {error}\n")
    else:
        # Files first: from then on another Ctrl-C ends this too.
        failures = [*_saved(report, trace)]
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        _tell(report, trace, [f"gilstudy: {_why(report, cause)}", *last_lines(trace, calls), *failures])
    return _end(cause)


def _seen(told: Told, file: int) -> tuple[Trace, dict[int, str]]:
    from gilstudy._gilwatch import saved

    if file < 0:
        raise OSError("the system has no room for it")
    sampler, calls = saved(file)
    os.close(file)
    return assemble(gather(sampler, told)), calls


def _why(report: LastReport, cause: int) -> str:
    if cause == BY_TIME:
        return f"{shown(report.what)} was ended after {report.timeout_s:g} s, the time limit"
    if cause == signal.SIGINT:
        return f"{shown(report.what)} was ended by Ctrl-C"
    return f"{shown(report.what)} was ended by {signal.Signals(cause).name}"


def _saved(report: LastReport, trace: Trace) -> Iterator[str]:
    """Write the files; yield what went wrong."""
    for name in report.out:
        try:
            from gilstudy.report.saving import save_trace  # the last lines are told even if this cannot be imported

            save_trace(Path(name), trace, title=report.title, window=_window(report, trace))
        except BadInput as error:
            yield f"gilstudy: error: {error}"
        except Exception as error:  # there is no second chance: the others, and the report, are to come all the same
            yield f"gilstudy: error: cannot write {shown(name)}: {type(error).__name__}: {shown(error)}"


def _tell(report: LastReport, trace: Trace, lines: list[str]) -> None:
    """Print the last lines, and the whole report; a standard error stream that is closed or full is no trouble."""
    text = "".join(line + "\n" for line in lines)
    if report.report:
        kept = io.StringIO()
        _print(streams.Output(kept), report, trace)
        try:
            files.write(Path(report.report), text + kept.getvalue())
        except BadInput as error:
            _say(f"{text}gilstudy: error: {error}\n")
        return
    _say(text)
    with contextlib.suppress(OSError):
        _print(streams.errors(), report, trace)


def _print(output: streams.Output, report: LastReport, trace: Trace) -> None:
    if not report.is_short:
        from gilstudy.report.console import console
        from gilstudy.report.trace import print_trace

        print_trace(
            console(output=output),
            trace,
            summarise(trace),
            window=_window(report, trace),
            by_name=report.by_name,
            quiet=report.quiet,
        )


def _window(report: LastReport, trace: Trace) -> Stretch | None:
    """What was asked for, as far as the trace goes."""
    if report.window_ms is None:
        return None
    begin, end = (min(trace.end_ns, trace.begin_ns + round(at * 1e6)) for at in report.window_ms)
    return (begin, end) if begin < end else None


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        os.write(2, text.encode("utf-8", "backslashreplace"))


def _end(cause: int) -> int:
    """The exit code; by a signal that ends a program without its doing, this ends by it too, as the shell sees it."""
    if cause == BY_TIME:
        return TIME_IS_UP
    if cause == signal.SIGINT:
        return INTERRUPTED
    signal.signal(cause, signal.SIG_DFL)
    os.kill(os.getpid(), cause)
    return 128 + cause


if __name__ == "__main__":
    sys.exit(main())
