"""The way in: what keeps the rest from being imported is told in one line."""

from __future__ import annotations

import sys

from gilstudy import system
from gilstudy.system.shadows import stand_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> int:
    """``gilstudy COMMAND ...``, also as ``python -m gilstudy``."""
    if sys.argv[1:2] == ["trace"] and not sys.flags.safe_path:
        # What Python put there is of our command, not of the program's that is run; nor are we to import from it.
        del sys.path[0]

    def run() -> int:
        from gilstudy import cli

        return cli.main()

    return _told("gilstudy", run)


def command(name: str, prog: str) -> int:
    """One command under a name of its own, such as ``python -m gilstudy.bench``."""

    def run() -> int:
        from gilstudy import cli

        return cli.run_command(name, sys.argv[1:], prog=prog)

    return _told(prog, run)


def _told(prog: str, run: Callable[[], int]) -> int:
    try:
        return run()
    except KeyboardInterrupt:  # before the command line's own way with it was set up
        if _runs_a_program():
            raise
        _say(f"{prog}: interrupted")
        return 130
    except (Exception, SystemExit) as error:
        line = "" if _runs_a_program() else stand_in(error)
        if not line:
            raise
        _say(f"{prog}: error: {line}")
        return 2


def _runs_a_program() -> bool:
    """Whether what ended us is the end of the user's own program, which Python is to tell and to carry out."""
    signals = getattr(system, "signals", None)  # not from sys.modules, where the program is not to see it
    return signals is not None and signals.are_handed_back()


def _say(line: str) -> None:
    try:
        sys.stderr.write(line + "\n")
    except (AttributeError, OSError, ValueError):  # it is closed, or full: there is nowhere to tell it
        return
