"""``gilstudy trace``: run something with the GIL watched, and show who held it when."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from gilstudy import files, streams, targets
from gilstudy.errors import BadInput
from gilstudy.gil import unwatchable
from gilstudy.targets import Job, arm_job, function_job, module_job, script_job
from gilstudy.trace import Span, Trace
from gilstudy.watching import watch

EXAMPLES = """
examples:
  gilstudy trace threads                        an arm: pure Python threads
  gilstudy trace --seconds 3 --workers 4 threads-nogil
  gilstudy trace script.py its arguments        options for gilstudy come before
  gilstudy trace -m package.module its arguments
  gilstudy trace package.module:function 10     a function with its arguments
  gilstudy trace --out t.json --out t.svg --window 100:250 threads

exit codes:
  0    done
  1    the program failed; what was seen is shown
  2    bad usage or bad input
  125  nothing can be watched under this Python; nothing was run
  130  interrupted; what was seen is shown and saved
"""
UNWATCHED = 125
ENDINGS = (".json", ".svg", ".png", ".html")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    add = parser.add_argument
    add("-m", dest="module", metavar="MODULE", help="run a module, as python -m does")
    files_help = "write .json (Chrome trace events, for Perfetto), .svg, .png or .html; may be given several times"
    add("--out", metavar="FILE", type=Path, action="append", default=[], help=files_help)
    add("--period", metavar="US", type=float, help="microseconds between two looks at the GIL, 20 to 1000")
    add("--window", metavar="MS:MS", type=_window, help="what to draw in detail, in milliseconds, such as 100:250")
    add("--workers", metavar="N", type=int, default=2, help="for an arm: how many workers (default 2)")
    add("--seconds", metavar="S", type=float, default=1.0, help="for an arm: how long (default 1)")
    add("--by-name", action="store_true", help="sum the threads whose names differ by a number only, as in a pool")
    add("--quiet", action="store_true", help="only the figures, no table and no lanes")
    what = "an arm (threads, processes, ...), module:function or script.py, and its arguments"
    add("what", nargs=argparse.REMAINDER, metavar="WHAT", help=what)


def run(args: argparse.Namespace) -> int:
    """Run it watched, then show."""
    if reason := unwatchable():
        streams.errors().write(f"gilstudy trace: nothing can be watched, so nothing was run: {reason}\n")
        return UNWATCHED
    for path in args.out:
        if path.suffix not in ENDINGS:
            raise BadInput(f"cannot write {str(path)!r}: the name must end in {', '.join(ENDINGS)}")
        files.check_writable(path)
    if any(path.suffix != ".json" for path in args.out):
        _need_matplotlib()
    name = args.module or (args.what[0] if args.what else "")
    with _job(args) as job, watch(period_us=args.period) as watcher:
        failure = _run(job)
    trace = watcher.trace()
    _show(args, trace)
    _save(args, trace, name)
    if isinstance(failure, KeyboardInterrupt):
        raise failure
    return 1 if failure else 0


@contextlib.contextmanager
def _job(args: argparse.Namespace) -> Iterator[Job]:
    words = args.what
    if args.module:
        yield module_job(args.module, words)
    elif not words:
        raise BadInput("name what to trace: an arm such as threads, module:function, script.py, or -m module")
    elif ":" in words[0]:
        yield function_job(words[0], words[1:])
    elif words[0].endswith(".py") or os.sep in words[0]:
        yield script_job(words[0], words[1:])
    else:
        if len(words) > 1:
            raise BadInput(f"an arm takes no arguments: put options before its name, not {words[1]!r} after it")
        if args.workers < 1 or not 0 < args.seconds <= 3600:
            raise BadInput("an arm needs 1 worker or more, and more than 0 to 3600 seconds")
        job, close = arm_job(words[0], args.workers, args.seconds)
        try:
            yield job
        finally:
            close()


def _run(job: Job) -> BaseException | None:
    """Run the job; return what ended it, which is told on standard error as Python itself would tell it."""
    failure: BaseException | None = None
    try:
        try:
            job()
        except SystemExit as leaving:
            if leaving.code not in (None, 0):
                sys.stderr.write(f"the traced program exited with {leaving.code!r}\n")
                failure = leaving
        except Exception as error:
            traceback.print_exception(error.with_traceback(_own_part(error.__traceback__)))
            failure = error
        _wait_for_threads()
    except KeyboardInterrupt as interrupt:
        return interrupt
    return failure


def _own_part(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without the frames that are not the program's but ours, who called it."""
    ours = (__name__, targets.__name__, "runpy")
    own = trace
    while own is not None and own.tb_frame.f_globals.get("__name__") in ours:
        own = own.tb_next
    return own or trace


def _wait_for_threads() -> None:
    """As Python does at its end: the program goes on for as long as one of its threads does that is no daemon."""
    ours = {threading.current_thread(), threading.main_thread()}
    while others := [thread for thread in threading.enumerate() if thread not in ours and not thread.daemon]:
        others[0].join()


def _show(args: argparse.Namespace, trace: Trace) -> None:
    from gilstudy.report.console import console
    from gilstudy.report.trace import print_trace
    from gilstudy.summary import summarise

    sys.stdout.flush()
    window = _absolute(args.window, trace)
    print_trace(console(), trace, summarise(trace), window=window, by_name=args.by_name, quiet=args.quiet)


def _save(args: argparse.Namespace, trace: Trace, name: str) -> None:
    for path in args.out:
        if path.suffix == ".json":
            from gilstudy.report.chrome import chrome_trace

            files.write(path, json.dumps(chrome_trace(trace, pid=os.getpid())))
        else:
            from gilstudy.report.picture import save_picture
            from gilstudy.summary import summarise

            title = f"{Path(name).name} on Python {sys.version.split()[0]}"
            save_picture(path, trace, summarise(trace), title=title, window=_absolute(args.window, trace))


def _need_matplotlib() -> None:
    """Ask before the program runs, not after: it may run for hours."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise BadInput("a picture needs matplotlib: pip install 'gilstudy[plot]'") from error


def _window(text: str) -> tuple[float, float]:
    begin, _, end = text.partition(":")
    try:
        window = float(begin), float(end)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form MS:MS, such as 100:250") from None
    if not 0 <= window[0] < window[1]:
        raise argparse.ArgumentTypeError(f"{text!r}: the end must come after the beginning")
    return window


def _absolute(window: tuple[float, float] | None, trace: Trace) -> Span | None:
    if window is None:
        return None
    begin, end = (min(trace.end_ns, trace.begin_ns + round(at * 1e6)) for at in window)
    if begin >= end:
        raise BadInput(f"the trace is only {trace.span_ns / 1e6:.0f} ms long: choose an earlier --window")
    return begin, end
