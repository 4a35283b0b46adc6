"""The edge to the terminal: parsing, errors in one line, exit codes. Nothing below it prints or exits."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn

from gilstudy._version import __version__
from gilstudy.errors import BadInput
from gilstudy.system import signals, streams
from gilstudy.system.shadows import stand_in
from gilstudy.text import shown

OK, ARM_FAILED, BAD_INPUT = 0, 1, 2

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
    """Run ``gilstudy COMMAND ...`` and return its exit code.

    Args:
        argv: the words after ``gilstudy``; by default those of this process, which has nothing else to do then.
    """
    if argv is not None:
        return _main(argv)
    code = _main(sys.argv[1:])
    if code == signals.INTERRUPTED:
        signals.end_with(code)
    return code


def _main(argv: Sequence[str]) -> int:
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
    """Run one command and return its exit code; all errors of the user are caught here.

    What runs a program of the user's ends as that program does: SystemExit and the program's KeyboardInterrupt pass.
    """
    module_name, purpose = COMMANDS[name]
    with signals.interrupted_once():
        try:
            module = importlib.import_module(module_name)
            parser = Parser(prog=prog, description=purpose[0].upper() + purpose[1:] + ".")
            module.configure(parser)
            if shadowed := stand_in():
                raise BadInput(shadowed)
            parse: Callable[[Parser, Sequence[str]], argparse.Namespace] = getattr(module, "parse", Parser.parse_args)
            return _run(module.run, parse(parser, argv))
        except BadInput as error:
            _say(f"{prog}: error: {shown(error, MOST)}")
            return BAD_INPUT
        except KeyboardInterrupt as interrupt:
            if signals.are_handed_back():
                raise
            _say(f"{prog}: interrupted" + (f": {shown(interrupt, MOST)}" if interrupt.args else ""))
            return signals.INTERRUPTED
        finally:
            if not signals.are_handed_back():
                streams.errors().flush()


def _run(run: Callable[[argparse.Namespace], int], args: argparse.Namespace) -> int:
    code = run(args)
    streams.output().flush()
    return code


def _say(line: str) -> None:
    streams.errors().write(line + "\n")
