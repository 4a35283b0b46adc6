"""``gilstudy trace``: run something with the GIL watched, and show who held it when."""

from __future__ import annotations

import argparse
import atexit
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gilstudy.commands.reporting import TROUBLE, Reporter
from gilstudy.errors import BadInput
from gilstudy.report.saving import ENDINGS
from gilstudy.system import files, signals, streams
from gilstudy.text import shown
from gilstudy.watching import fork_warning, program
from gilstudy.watching.gil import unwatchable
from gilstudy.watching.hiding import Hiding
from gilstudy.watching.program import Program, code_program, module_program, path_program, stdin_program
from gilstudy.watching.targets import function_job, module_is_there
from gilstudy.watching.watch import watch

EXAMPLES: Final = f"""
what to run, as python would run it:
  script.py ...        a script, a folder with __main__.py or an archive
  -m MODULE ...        a module
  -c CODE ...          code
  - ...                a program from standard input
and beside these:
  MODULE:FUNCTION ...  a function; its arguments are Python values or text
  ARM                  an arm of the study: threads, processes, ...

Options of gilstudy come before it; all that comes after is the program's.
The report goes to standard error, so that standard output is the program's.
Ctrl-C reaches the program; a second one ends it, and what was seen is told,
also while the GIL is held for ever (not on Windows; nor is --timeout).

examples:
  gilstudy trace script.py its arguments
  gilstudy trace -m pytest -q tests
  gilstudy trace package.module:function 10 word flag=True
  gilstudy trace --out t.json --out t.svg --window 100:250 script.py
  gilstudy trace --seconds 3 --workers 4 threads-nogil

exit codes: the program's own, and
  2    bad usage or bad input; nothing was run
  124  the program was ended at its time limit (--timeout)
  {TROUBLE}  nothing can be watched here, and nothing was run; or what was seen
       could not be reported
  130  interrupted; what was seen is shown and saved
"""
_KEYWORD: Final = re.compile(r"([^\W\d]\w*)=(.*)", re.DOTALL)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.usage = "%(prog)s [options] WHAT [arguments]"
    parser.epilog = EXAMPLES
    add = parser.add_argument
    files_help = "write .json (Chrome trace events, for Perfetto), .svg, .png or .html; may be given several times"
    add("--out", metavar="FILE", type=Path, action="append", default=[], help=files_help)
    add("--report", metavar="FILE", type=Path, help="write the report to a file, not to standard error")
    add("--timeout", metavar="S", type=float, help="end the program after so many seconds, and report")
    add("--period", metavar="US", type=float, help="microseconds between two looks at the GIL, 20 to 1000")
    add("--window", metavar="MS:MS", type=_window, help="what to draw in detail, in milliseconds, such as 100:250")
    add("--workers", metavar="N", type=int, help="for an arm: how many workers (default 2)")
    add("--seconds", metavar="S", type=float, help="for an arm: how long (default 1)")
    add("--by-name", action="store_true", help="sum the threads whose names differ by a number only, as in a pool")
    add("--quiet", action="store_true", help="only the figures, no table and no lanes")


def parse(parser: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    """Options up to what is run; that, and all behind it, is taken as it is."""
    at = 0
    while at < len(argv) and argv[at] != "-" and argv[at].startswith("-") and argv[at][:2] not in ("-m", "-c"):
        if argv[at] == "--":
            break
        at += 1 + _takes_value(parser, argv[at])
    args = parser.parse_args(argv[:at])
    args.words = list(argv[at + (argv[at : at + 1] == ["--"]) :])
    return args


def _takes_value(parser: argparse.ArgumentParser, word: str) -> bool:
    """Whether the next word is this option's value; options may be shortened."""
    meant = [action for action in parser._actions for option in action.option_strings if option.startswith(word)]
    return bool(meant) and meant[0].nargs is None


def run(args: argparse.Namespace) -> int:
    """Run it watched, then show."""
    if reason := unwatchable():
        streams.errors().write(f"gilstudy trace: nothing can be watched, so nothing was run: {shown(reason)}\n")
        return TROUBLE
    reporter = _reporter(args)
    if not args.words:
        raise BadInput("name what to trace: script.py, -m module, module:function, or an arm such as threads")
    word = args.words[0]
    if _is_arm(word):
        return _run_arm(args, reporter)
    if args.workers is not None or args.seconds is not None:
        raise BadInput("--workers and --seconds are for an arm, such as threads; a program decides for itself")
    if ":" in word and not word.startswith("-") and not Path(word).exists():
        return _run_function(args, reporter)
    return _run_program(args, reporter, _program(args.words))


def _is_arm(word: str) -> bool:
    if not re.fullmatch(r"[a-z][a-z-]*(\[.*\])?", word):
        return False
    from gilstudy.measuring.plan import ARM_NAMES  # a study's parts, which no program needs

    return word in ARM_NAMES or word.endswith("]")


def _reporter(args: argparse.Namespace) -> Reporter:
    """Check all that can be checked before anything runs."""
    for path in args.out:
        if path.suffix not in ENDINGS:
            raise BadInput(f"cannot write {shown(repr(str(path)))}: the name must end in {', '.join(ENDINGS)}")
    for path in [*args.out, *([args.report] if args.report else [])]:
        files.check_writable(path)
    if args.timeout is not None and not 0 < args.timeout <= 10**7:
        raise BadInput(f"--timeout takes more than 0 seconds, not {args.timeout:g}")
    return Reporter(args)


def _program(words: Sequence[str]) -> Program:
    first, rest = words[0], words[1:]
    if first[:2] in ("-m", "-c"):
        text, rest = (first[2:], rest) if first[2:] else (rest[0] if rest else "", rest[1:])
        if not text:
            raise BadInput(f"{first} needs {'a module' if first == '-m' else 'code'} to run")
        return module_program(text, rest) if first[:2] == "-m" else code_program(text, rest)
    if first == "-":
        return stdin_program(rest)
    if not Path(first).exists() and re.fullmatch(r"\w+(\.\w+)*", first) and not first.endswith(".py"):
        if module_is_there(first):
            raise BadInput(f"{first} is a module: -m {first} runs it, {first}:FUNCTION a function of it")
        from gilstudy.measuring.plan import ARM_NAMES

        raise BadInput(f"there is no arm {shown(repr(first))}, nor a file of that name; arms: {', '.join(ARM_NAMES)}")
    return path_program(first, rest)


# -- running ---------------------------------------------------------------------------------------------------------


def _run_arm(args: argparse.Namespace, reporter: Reporter) -> int:
    name, *rest = args.words
    if rest:
        raise BadInput(f"an arm takes no arguments: put options before its name, not {shown(repr(rest[0]))} after it")
    workers, seconds = 2 if args.workers is None else args.workers, 1.0 if args.seconds is None else args.seconds
    if workers < 1 or not 0 < seconds <= 3600:
        raise BadInput("an arm needs 1 worker or more, and more than 0 to 3600 seconds")
    from gilstudy.measuring.job import arm_job

    job, close = arm_job(name, workers, seconds)
    failure: BaseException | None = None
    try:
        with watch(period_us=args.period) as watcher:
            try:
                job()
            except KeyboardInterrupt as interrupt:
                failure = interrupt
    finally:
        close()
    reporter.report(watcher, name)
    if failure:
        raise failure
    return 0


def _run_function(args: argparse.Namespace, reporter: Reporter) -> int:
    name, *words = args.words
    hiding = Hiding()
    signals.hand_back()
    hiding.hide()
    job = function_job(name, *_arguments(words))
    _begin(args, reporter, hiding, name)
    program.conclude(program.outcome(job))
    raise SystemExit(0)


def _arguments(words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """What is given by place, and what by name."""
    given: list[str] = []
    named: dict[str, str] = {}
    for word in words:
        match = _KEYWORD.fullmatch(word)
        if match:
            named[match[1]] = match[2]
        elif named:
            raise BadInput(f"{shown(repr(word))} comes after {next(iter(named))}=...: arguments by place come first")
        else:
            given.append(word)
    return given, named


def _run_program(args: argparse.Namespace, reporter: Reporter, chosen: Program) -> int:
    hiding = Hiding()
    signals.hand_back()
    program.prepare(chosen)
    hiding.hide()
    _begin(args, reporter, hiding, chosen.title)
    program.run(chosen)
    raise SystemExit(0)  # Python's own end comes next: threads, atexit, and there, last of all, our report


def _begin(args: argparse.Namespace, reporter: Reporter, hiding: Hiding, title: str) -> None:
    """Watch from now on until Python has done all of the program's that it does at its end."""
    with hiding.shown():
        watcher = watch(period_us=args.period)
        atexit.register(reporter.at_end, watcher, hiding, title)
        watcher.start()
        watcher.arm(reporter.last(title))
    fork_warning.hold_back()


def _window(text: str) -> tuple[float, float]:
    begin, _, end = text.partition(":")
    try:
        window = float(begin), float(end)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form MS:MS, such as 100:250") from None
    if not 0 <= window[0] < window[1]:
        raise argparse.ArgumentTypeError(f"{text!r}: the end must come after the beginning")
    return window
