"""``gilstudy probe``: whether functions release the GIL."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from gilstudy.codec import decode, encode
from gilstudy.commands import json_option
from gilstudy.commands.delivering import Act, deliver
from gilstudy.errors import BadInput
from gilstudy.probing.entries import Entry, Limits, Prepared
from gilstudy.probing.table import EXPECTED, Call, cases_in, public_functions
from gilstudy.report.console import console
from gilstudy.report.document import save
from gilstudy.report.probe import document, junit, print_probes
from gilstudy.report.waiting import Waiting
from gilstudy.system import files, scratch, streams
from gilstudy.system.apart import Apart, News, Send
from gilstudy.system.signals import INTERRUPTED, was_signalled
from gilstudy.text import shown
from gilstudy.watching.lastreport import TIME_IS_UP, LastReport
from gilstudy.watching.watch import watch

MOST_REPORT: Final = 1 << 20
"""A last report is not read beyond this."""

EPILOG = """columns:
  GIL       releases    the GIL is free for half of the call's time or more
            mixed       for less
            holds       it is never let go; or but for an instant, which is too
                        short for a thread that waits for it
            not judged  threads of the call's own work, or its arguments were
                        used up by the first call
  released  the share of the call's time for which the GIL was free, and its
            95 % interval
  times     how often a call lets it go: that was seen, and it may be more
  holds     the longest time within a call in which it was not seen to let go
  stalls    the longest time within a call in which a thread that asked for the
            GIL did not get it

examples:
  gilstudy probe hashlib:sha256 --args "b'x' * 1_000_000"
  gilstudy probe hashlib:sha256 --args "b'x' * N" --sweep 1:1_000_000
  gilstudy probe hashlib:file_digest --args "open('big.bin', 'rb'), 'sha256'"
  gilstudy probe zlib:crc32 zlib:adler32 --setup "d = bytes(10**6)" --args d
  gilstudy probe --setup "import json; d = '[1.5]' * 10" --stmt "json.dumps(d)"
  gilstudy probe --module zlib --table zlib.toml --junit zlib.xml

exit codes:
  0    done
  1    a call failed; or is not what is expected (--expect), not judged included
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
    add("--once-args", action="store_true", help="work the arguments out once, not anew for each call")
    add(
        "--stmt",
        action="append",
        default=[],
        metavar="CODE",
        help="probe an expression or a statement (may be given more than once)",
    )
    add("--setup", metavar="CODE", default="", help="Python statements to run once before; --args may use their names")
    add(
        "--sweep",
        metavar="LOW:HIGH",
        type=_limits,
        help="find the smallest N, used in EXPR or CODE, from which it releases",
    )
    add("--expect", choices=EXPECTED, default="", help="exit with 1 if a verdict is another one")
    add("--timeout", metavar="S", type=float, help="end after so many seconds, and tell who held the GIL then")
    add("--show-output", action="store_true", help="let through what the calls print, which is set aside otherwise")
    add("--module", metavar="MODULE", help="probe this module's public functions; --table has their arguments")
    add("--table", metavar="FILE", type=Path, help="functions and their arguments in TOML")
    json_option.add(parser, "write all of it as JSON")
    add("--junit", metavar="FILE", type=Path, help="write JUnit XML")


def run(args: argparse.Namespace) -> int:
    """Check the controls, probe, save, show."""
    for path in (args.json, args.junit):
        if path is not None:
            files.check_writable(path)
    if args.timeout is not None and not 0 < args.timeout <= 10**7:
        raise BadInput(f"--timeout takes more than 0 seconds, not {args.timeout:g}")
    session = _Session(args, _calls(args))
    session.run()
    entries = session.entries
    saves: list[Act] = []
    if args.json is not None:
        saves.append(partial(save, args.json, document(entries)))
    if args.junit is not None:
        saves.append(partial(files.write, args.junit, junit(entries)))
    deliver(saves, session.show)
    session.end()
    if session.was_interrupted:
        raise KeyboardInterrupt
    return session.code or int(any(entry.is_wrong for entry in entries))


class _Session:
    """The calls, probed in a child (where the system has fork): what they do to their process is not done to ours."""

    def __init__(self, args: argparse.Namespace, calls: Sequence[Call]) -> None:
        self._args = args
        self._calls = calls
        self._child: Apart | None = None
        self._begin_s = time.monotonic()
        self._place, self._size = 0, None
        self._is_probing = False
        self._is_done = False
        self._left: list[str] = []
        self._last_words = ""
        self._skipped: list[str] = []
        self.entries: list[Entry] = []
        self.was_interrupted = False
        self.code = 0
        """If a time limit, or a request to end, ended all of it: the exit code."""

    def run(self) -> None:
        """Probe them all. A call that ends the child has failed, and another child goes on after it.

        Raises:
            BadInput: something that was written down does not work.
        """
        show = Waiting(console(), is_on=not self._args.show_output)
        with contextlib.ExitStack() as stack:
            stack.enter_context(show)
            try:
                folder: Path | None = stack.enter_context(scratch.folder())
            except scratch.NoRoom:
                folder = None
            try:
                while not self._is_done:
                    self._run_child(show, folder and folder / f"last report {self._place}")
            except BaseException:
                if self._child is not None:
                    self._child.kill()
                raise
        streams.errors().write(self._last_words)

    def _run_child(self, show: Waiting, report: Path | None) -> None:
        first, self._is_probing = len(self.entries), False
        work = partial(_work, self._args, self._calls[first:], self._left_s(), str(report or ""), first == 0)
        for message in self._messages(work):
            if message is not None:
                self._hear(message, first)
            if self._is_done:
                return
            show.say(self._now())
        self._died(report)

    def _messages(self, work: Callable[[Send], None]) -> Iterator[News | None]:
        if not hasattr(os, "fork"):
            heard: list[News] = []
            work(heard.append)
            yield from heard
            return
        self._child = Apart(work, is_mute=not self._args.show_output)
        yield from self._child.messages()

    def _hear(self, message: News, first: int) -> None:
        if "begins" in message:
            self._place, self._size = first + message["begins"], message["size"]
            self._is_probing = message["probing"]
        elif "entry" in message:
            self.entries.append(decode(Entry, message["entry"]))
        elif "skipped" in message:
            self._skipped = message["skipped"]
        elif "bad" in message:
            raise BadInput(message["bad"])
        elif "done" in message:
            self._is_done, self._left = True, message["left"]
            self.was_interrupted = message["interrupted"]

    def _died(self, report: Path | None) -> None:
        """The child has ended before its work was done."""
        code = self._child.code if self._child is not None and self._child.code is not None else 0
        last = _text_of(report)
        if not last and self._left_s() == 0:
            last = f"gilstudy: probe {self._target()} was ended after {self._args.timeout:g} s, the time limit\n"
            code = TIME_IS_UP
        if last:
            self._last_words = last
            self._is_done, self.code = True, code if code > 0 else 128 - code
        elif code == INTERRUPTED and self._child is not None and self._child.was_asked_to_end:
            self._is_done = self.was_interrupted = True
        elif not self._is_probing:
            raise BadInput(f"cannot prepare {shown(self._target())}: that {_end(code)}")
        else:
            call = self._calls[self._place]
            self.entries.append(
                Entry(target=call.target, probe=None, error=f"the call {_end(code)}", expect=call.expect)
            )
            self._is_done = len(self.entries) == len(self._calls)

    def show(self) -> None:
        """Tell what is known."""
        out = json_option.console_beside(self._args.json)
        if self.entries:
            print_probes(out, self.entries, self._skipped)
        if self._left:
            names = shown(", ".join(self._left))
            out.print(f"This ends when the threads do that the call left behind: {names}.", style="dim")

    def end(self) -> None:
        """Wait until the child has ended."""
        if self._child is not None:
            self._child.wait()

    def _target(self) -> str:
        return self._calls[self._place].target

    def _now(self) -> str:
        what = "probing" if self._is_probing else "preparing"
        size = "" if self._size is None else f", N = {self._size}"
        return f"{what} {shown(self._target(), 40)} ({self._place + 1} of {len(self._calls)}){size}"

    def _left_s(self) -> float | None:
        """How much of the time limit is left."""
        if self._args.timeout is None or self._child is None:
            return self._args.timeout  # type: ignore[no-any-return]
        left_s: float = self._args.timeout - (time.monotonic() - self._begin_s)
        return max(0.0, left_s)


def _end(code: int) -> str:
    if code < 0:
        return f"ended the process by signal {-code} ({_signal_name(-code)})"
    return f"ended the process, with exit code {code}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "a signal of no name"


def _text_of(report: Path | None) -> str:
    if report is None:
        return ""
    with contextlib.suppress(OSError):
        return report.read_text(encoding="utf-8", errors="replace")[:MOST_REPORT]
    return ""


# -- in the child --------------------------------------------------------------------------------------------------


def _work(
    args: argparse.Namespace, calls: Sequence[Call], left_s: float | None, report: str, is_first: bool, send: Send
) -> None:
    """Prepare the calls, probe them, and tell of each."""
    is_probing = False

    def begins(place: int, size: int | None) -> None:
        send({"begins": place, "size": size, "probing": is_probing})

    was_interrupted = False
    try:
        with _limited(left_s, args.timeout, f"probe {', '.join(call.target for call in calls)}", report):
            if args.module and is_first:
                given = {call.target for call in calls}
                skipped = [name for name in public_functions(args.module) if f"{args.module}:{name}" not in given]
                send({"skipped": skipped})
            prepared = Prepared(calls, args.sweep, begins)
            is_probing = True
            for entry in prepared.entries():
                send({"entry": encode(entry)})
    except BadInput as error:
        send({"bad": str(error)})
        return
    except KeyboardInterrupt as interrupt:
        if not was_signalled(interrupt):
            raise
        was_interrupted = True
    left = [t.name for t in threading.enumerate() if not t.daemon and t is not threading.main_thread()]
    send({"done": True, "interrupted": was_interrupted, "left": left})


@contextlib.contextmanager
def _limited(left_s: float | None, timeout_s: float | None, what: str, report: str) -> Iterator[None]:
    """A call that never comes back ends with its time limit, or with a second Ctrl-C, and it is told what it did."""
    with watch() as watcher:
        watcher.arm(LastReport(what=what, is_short=True, report=report, timeout_s=left_s))
        yield


# -- what is asked -------------------------------------------------------------------------------------------------


def _calls(args: argparse.Namespace) -> Sequence[Call]:
    """What to probe."""
    setup = (args.setup,) if args.setup else ()
    shared = {"setup": setup, "expect": args.expect}
    calls = [Call(target=name, arguments=args.arguments, once=args.once_args, **shared) for name in args.functions]
    calls += [Call(target=text, is_statement=True, **shared) for text in args.stmt]
    if args.table is not None:
        calls += cases_in(args.table, args.module or "", once=args.once_args)
    elif args.module:
        raise BadInput("--module needs --table FILE: which arguments its functions take cannot be guessed")
    if not calls:
        raise BadInput("name what to probe, such as hashlib:sha256 with --args \"b'x' * 1_000_000\"")
    if args.sweep and not all("N" in (call.target if call.is_statement else call.arguments) for call in calls):
        raise BadInput("--sweep varies N, so --args (or --stmt) must use it, as in --args \"b'x' * N\"")
    return calls


def _limits(text: str) -> Limits:
    low, _, high = text.partition(":")
    try:
        limits = int(low), int(high)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form LOW:HIGH, such as 1:1000000") from None
    if not 1 <= limits[0] < limits[1]:
        raise argparse.ArgumentTypeError(f"{text!r}: the sizes go from 1 up")
    return limits
