"""What ``gilstudy trace`` does with what was seen: files first, then the report."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import signal
import sys
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gilstudy.commands.delivering import deliver
from gilstudy.errors import BadInput
from gilstudy.report.console import console
from gilstudy.report.saving import save_trace
from gilstudy.report.trace import print_trace
from gilstudy.system import files, signals, streams
from gilstudy.watching.lastreport import LastReport
from gilstudy.watching.summary import summarise
from gilstudy.watching.trace import Stretch, Trace

if TYPE_CHECKING:
    from gilstudy.watching.hiding import Hiding
    from gilstudy.watching.watch import Watch

TROUBLE: Final = 125
"""The exit code if we could not do our part, whatever the program did."""


class Reporter:
    """Where the report and the files go. All that it needs is imported when it is made, before the program runs."""

    def __init__(self, args: argparse.Namespace) -> None:
        """Take the command line's options.

        Raises:
            BadInput: a picture is asked for, and matplotlib is not installed.
        """
        # The program may change its folder.
        self._out = [Path.cwd() / path for path in args.out]
        self._report = Path.cwd() / args.report if args.report else None
        self._window: tuple[float, float] | None = args.window
        self._by_name, self._quiet, self._timeout_s = args.by_name, args.quiet, args.timeout
        self._pid = os.getpid()
        # It is not imported: what it brings with it, such as numpy, cannot be loaded twice if the program wants it too.
        if any(path.suffix != ".json" for path in self._out) and find_spec("matplotlib") is None:
            raise BadInput("a picture needs matplotlib: pip install 'gilstudy[plot]'")

    def last(self, title: str) -> LastReport:
        """What is reported if the program is stuck or its time is up."""
        return LastReport(
            what=title,
            out=tuple(map(str, self._out)),
            title=_heading(title),
            window_ms=self._window,
            report=str(self._report or ""),
            by_name=self._by_name,
            quiet=self._quiet,
            timeout_s=self._timeout_s,
        )

    def report(self, watcher: Watch, title: str) -> None:
        """Save, then show. Raises BadInput if something cannot be written; the rest is done all the same."""
        trace = watcher.trace()

        def save(path: Path) -> None:
            save_trace(path, trace, title=_heading(title), window=_absolute(self._window, trace))

        deliver([partial(save, path) for path in self._out], partial(self._show, trace))

    def at_end(self, watcher: Watch, hiding: Hiding, title: str) -> None:
        """The same when Python has ended the program; in a forked child that comes here too, nothing."""
        if os.getpid() != self._pid:
            return
        with contextlib.suppress(Exception):
            sys.stdout.flush()  # so that on a terminal the report comes last; Python does it again, and tells failures
        with hiding.shown(), _ending_at_once():
            watcher.stop()
            try:
                self.report(watcher, title)
            except BadInput as error:
                streams.errors().write(f"gilstudy trace: error: {error}\n")
                _leave(TROUBLE)

    def _show(self, trace: Trace) -> None:
        kept = io.StringIO()
        output = streams.Output(kept if self._report else sys.__stderr__, forgiving=not self._report)
        window = _absolute(self._window, trace)
        print_trace(
            console(stderr=True, output=output),
            trace,
            summarise(trace),
            window=window,
            by_name=self._by_name,
            quiet=self._quiet,
        )
        if self._report:
            files.write(self._report, kept.getvalue())


def _heading(title: str) -> str:
    return f"{title} on Python {sys.version.split()[0]}"


@contextlib.contextmanager
def _ending_at_once() -> Iterator[None]:
    """A signal that comes while we report ends the process: the program has had its end already."""
    before = {kind: signal.getsignal(kind) for kind in signals.KINDS}
    signals.end_with(signals.INTERRUPTED)
    try:
        yield
    finally:
        for kind, handler in before.items():
            if handler is not None:
                signal.signal(kind, handler)


def _leave(code: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(code)


def _absolute(window: tuple[float, float] | None, trace: Trace) -> Stretch | None:
    if window is None:
        return None
    begin, end = (min(trace.end_ns, trace.begin_ns + round(at * 1e6)) for at in window)
    if begin >= end:
        raise BadInput(f"the trace is only {trace.span_ns / 1e6:.0f} ms long: choose an earlier --window")
    return begin, end
