"""The edge to the terminal: parsing, errors in one line, exit codes. Nothing below it prints or exits."""

from __future__ import annotations

import _thread
import argparse
import contextlib
import importlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any, Final, NoReturn

from gilstudy import streams
from gilstudy._version import __version__
from gilstudy.errors import BadInput
from gilstudy.text import shown

OK, ARM_FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

MOST: Final = 1000
"""Columns of an error's line."""

COMMANDS = {
    "bench": ("gilstudy.bench", "time the countdown in every execution model, and judge the tutorial's claims"),
    "claims": ("gilstudy.commands.claims", "say of every claim of the tutorial whether it holds here and today"),
    "lesson": ("gilstudy.commands.lesson", "run an example of the tutorial, with its timeline and its checks"),
    "trace": ("gilstudy.commands.trace", "run something and show who holds the GIL, straight from the interpreter"),
    "probe": ("gilstudy.commands.probe", "find out whether a function releases the GIL"),
    "report": ("gilstudy.commands.report", "show a saved study again; nothing is measured"),
    "info": ("gilstudy.commands.info", "say what this host and this interpreter give"),
}
"""Each command's module and what it does. The module is imported only when its command is given."""


class Parser(argparse.ArgumentParser):
    """A parser that answers bad usage with one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is, and exit with code 2."""
        _say(f"{self.prog}: error: {shown(message, MOST)} (see {self.prog} --help)")
        sys.exit(BAD_INPUT)

    def _print_message(self, message: str, file: Any = None) -> None:
        """Help and the version, which go to standard output as all that we tell."""
        streams.output().write(message)


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``gilstudy COMMAND ...`` and return its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    parser = Parser(
        prog="gilstudy",
        description="Which execution model gives Python code multi-core speedup? Measured on your own cores.",
        epilog="gilstudy COMMAND --help tells more. Begin with: gilstudy bench",
    )
    parser.add_argument("--version", action="version", version=f"gilstudy {__version__}")
    listing = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (_, purpose) in COMMANDS.items():
        listing.add_parser(name, help=purpose, add_help=False)
    try:
        known, rest = parser.parse_known_args(argv[:1])
    except BadInput as error:  # standard output is full
        _say(f"gilstudy: error: {error}")
        return BAD_INPUT
    if len(argv) > 1 and rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    return run_command(known.command, argv[1:], prog=f"gilstudy {known.command}")


def run_command(name: str, argv: Sequence[str], *, prog: str) -> int:
    """Run one command and return its exit code; all errors of the user are caught here."""
    module_name, purpose = COMMANDS[name]
    try:
        with interrupted_once():
            module = importlib.import_module(module_name)
            parser = Parser(prog=prog, description=purpose[0].upper() + purpose[1:] + ".")
            module.configure(parser)
            return _run(module.run, parser.parse_args(argv))
    except BadInput as error:
        _say(f"{prog}: error: {shown(error, MOST)}")
        return BAD_INPUT
    except KeyboardInterrupt as interrupt:
        _say(f"{prog}: interrupted" + (f": {shown(interrupt, MOST)}" if interrupt.args else ""))
        return INTERRUPTED
    finally:
        streams.errors().flush()


def _run(run: Callable[[argparse.Namespace], int], args: argparse.Namespace) -> int:
    code = run(args)
    streams.output().flush()
    return code


def _say(line: str) -> None:
    streams.errors().write(line + "\n")


def was_signalled(error: BaseException) -> bool:
    """Whether ``error`` is the interruption that a signal to this command raised, and nobody's own exception."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return isinstance(error, KeyboardInterrupt) and trace is not None and trace.tb_frame.f_globals is globals()


@contextlib.contextmanager
def interrupted_once() -> Iterator[None]:
    """Turn the first Ctrl-C or request to end into KeyboardInterrupt; ignore more while we clean up and save.

    Python drops an exception that is raised within a callback of its own, such as a finaliser. An interrupt that is
    dropped so is made again, or the user's Ctrl-C would do nothing, and the next ones would be ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    kinds = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

    last = signal.SIGINT

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal last
        last = signal.Signals(number)
        for kind in kinds:
            signal.signal(kind, signal.SIG_IGN)
        raise KeyboardInterrupt

    def watch() -> None:
        for kind in kinds:
            if before[kind] is not signal.SIG_IGN:  # under nohup it stays ignored
                signal.signal(kind, interrupt)

    def dropped(what: sys.UnraisableHookArgs) -> None:
        if what.exc_type is not KeyboardInterrupt:
            show_dropped(what)
            return
        watch()
        # Not from here, where it would be dropped again.
        threading.Timer(0.05, _signal_main_thread, [last]).start()

    before: dict[int, Any] = {kind: signal.getsignal(kind) for kind in kinds}
    show_dropped, sys.unraisablehook = sys.unraisablehook, dropped
    try:
        watch()
        yield
    finally:
        sys.unraisablehook = show_dropped
        for kind, handler in before.items():
            signal.signal(kind, handler)


def _signal_main_thread(kind: signal.Signals) -> None:
    if hasattr(signal, "pthread_kill"):  # ends its waiting in a system call too
        signal.pthread_kill(threading.main_thread().ident or 0, kind)
    else:
        _thread.interrupt_main(kind)
