"""``gilstudy lesson``: an example of the tutorial, run for real, with its timeline and its checks."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TextIO

from gilstudy.commands import json_option
from gilstudy.errors import BadInput
from gilstudy.report import document as documents
from gilstudy.report.document import Document
from gilstudy.system import streams
from gilstudy.text import shown

if TYPE_CHECKING:
    from rich.console import Console

    from gilstudy.lessons.lesson import Lesson, Setting
    from gilstudy.lessons.perform import Performance
    from gilstudy.lessons.words import Words
    from gilstudy.recording.events import Event

PASSED: Final = 0
FAILED: Final = 1
TEXTS_N: Final = 100_000_000
N_OF_ALL: Final = 5_000_000
LARGEST_N: Final = 2**64 - 1

EXAMPLES = """
examples:
  gilstudy lesson --list                       the names of all lessons
  gilstudy lesson join-one                     one lesson
  gilstudy lesson deadlock --predict           guess first what will happen
  gilstudy lesson pool-async --show-code       with the program that runs
  gilstudy lesson --all                        all lessons, one line each
  gilstudy lesson why-threads --n 20000000     a smaller experiment

exit codes: 0 all checks passed; 1 a check failed; 2 bad usage, or standard
output cannot be written; 130 interrupted
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from gilstudy.lessons.words import LANGUAGES

    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    parser.add_argument("name", metavar="NAME", nargs="?", help="the lesson, see --list")
    parser.add_argument("--list", action="store_true", help="list the lessons")
    parser.add_argument("--all", action="store_true", help="run all lessons and print one line for each")
    parser.add_argument("--show-code", action="store_true", help="print the program before it runs")
    parser.add_argument("--predict", action="store_true", help="ask for a guess first (skipped without a terminal)")
    parser.add_argument(
        "--json", action="store_true", help="write what happened, with all events, as one JSON document"
    )
    parser.add_argument("--lang", choices=LANGUAGES, help="language of lessons and programs (default: by the locale)")
    parser.add_argument(
        "--n",
        metavar="N",
        type=int,
        help=f"why-threads counts down from here (default: {TEXTS_N:,}, as the text does; {N_OF_ALL:,} with --all)",
    )


parse = json_option.parse_flag


def run(args: argparse.Namespace) -> int:
    """Run what was asked for."""
    from gilstudy.lessons.catalogue import CATALOGUE
    from gilstudy.lessons.lesson import Setting, usable_cpus
    from gilstudy.lessons.words import Words, default_language
    from gilstudy.report.console import console as make_console
    from gilstudy.report.lesson import print_list

    _check(args, list(CATALOGUE))
    console = make_console()
    words = Words(args.lang or default_language())
    setting = Setting(n=args.n or (N_OF_ALL if args.all else TEXTS_N), cpus=usable_cpus())
    if args.list:
        print_list(console, CATALOGUE.values(), words)
        return PASSED
    if args.all:
        return _run_all(console, list(CATALOGUE.values()), setting, words, as_json=args.json)
    return _run_one(console, CATALOGUE[args.name], setting, words, args)


def _check(args: argparse.Namespace, names: list[str]) -> None:
    """Raise BadInput if the arguments make no sense together."""
    asked = [args.name is not None, args.list, args.all]
    if sum(asked) != 1:
        what = "one lesson, --list or --all"
        raise BadInput(f"give {what}" if not any(asked) else f"give only one of these: {what}")
    if args.name is not None and args.name not in names:
        near = difflib.get_close_matches(args.name, names, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise BadInput(f"there is no lesson {args.name!r}{hint} (gilstudy lesson --list shows all)")
    if args.name is None and (args.predict or args.show_code):
        raise BadInput("--predict and --show-code go with the name of one lesson")
    if args.n is not None and not 1 <= args.n <= LARGEST_N:
        raise BadInput(f"--n takes a whole number from 1 to 2**64 - 1, not {args.n}")


def _run_one(console: Console, lesson: Lesson, setting: Setting, words: Words, args: argparse.Namespace) -> int:
    from gilstudy.lessons.perform import perform
    from gilstudy.report.lesson import document, print_code, print_lesson

    if args.show_code and not args.json:
        print_code(console, lesson, setting, words)
    asks = args.predict and not args.json and _is_terminal(sys.stdin) and console.is_terminal
    asks = asks and not lesson.unavailable(setting)
    guess = _ask(console, lesson, words) if asks else None
    with _progress(lesson.name) as follow:
        given = perform(lesson, setting, words.code, follow)
    if args.json:
        _write(document(given, words))
    else:
        if asks:
            _answer(console, lesson, given, words, guess)
        print_lesson(console, lesson, given, words)
    return FAILED if given.outcome == "failed" else PASSED


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and not stream.closed and stream.isatty()


def _run_all(console: Console, lessons: list[Lesson], setting: Setting, words: Words, *, as_json: bool) -> int:
    from gilstudy.report.lesson import document

    done: list[Performance] = []
    try:
        for lesson in lessons:
            _give(done, console, lesson, setting, words, quiet=as_json)
    finally:  # Ctrl-C keeps what was given until then
        if as_json:
            _write(documents.made(lessons=[document(given, words) for given in done]))
    failed = sum(given.outcome == "failed" for given in done)
    if not as_json:
        seconds = f"{sum(given.elapsed_ns for given in done) / 1e9:.1f}"
        passed = sum(given.outcome == "passed" for given in done)
        if failed:
            end = words.ui("some_failed", failed=failed, count=len(done))
        elif passed < len(done):
            end = words.ui("some_here", passed=passed, count=len(done), seconds=seconds)
        else:
            end = words.ui("all_passed", count=passed, seconds=seconds)
        console.print(end)
    return FAILED if failed else PASSED


def _give(
    done: list[Performance], console: Console, lesson: Lesson, setting: Setting, words: Words, *, quiet: bool
) -> None:
    """Give a lesson, add it to those that are done, and print its line."""
    from gilstudy.lessons.perform import perform
    from gilstudy.report.lesson import outcome_line

    with _progress(lesson.name) as follow:
        done.append(perform(lesson, setting, words.code, follow))
    if not quiet:
        line = outcome_line(lesson, done[-1], words)
        if console.is_terminal and done[-1].outcome == "passed":
            line.truncate(console.width, overflow="ellipsis")
        console.print(line, soft_wrap=True)


# -- guessing --------------------------------------------------------------------------------------------------------


def _ask(console: Console, lesson: Lesson, words: Words) -> str | None:
    """The option that the reader guesses, None for a pass."""
    from gilstudy.report.lesson import options

    texts = options(lesson, words)
    console.print(words.lesson(lesson.name, "question"), style="bold")
    for number, text in enumerate(texts, 1):
        console.print(f"  {number}  {text}")
    while True:
        try:
            answer = console.input(words.ui("your_guess", count=len(texts))).strip()
        except EOFError:
            return None
        if not answer:
            return None
        if answer.isdecimal() and 1 <= int(answer) <= len(texts):
            return lesson.options[int(answer) - 1]


def _answer(console: Console, lesson: Lesson, given: Performance, words: Words, guess: str | None) -> None:
    happened = given.seen.answer
    if not happened:
        return
    answer = words.within(lesson.name, "options", happened)
    if guess is None:
        line = words.ui("guess_passed", answer=answer)
    elif guess == happened:
        line = words.ui("guess_right", answer=answer)
    else:
        line = words.ui("guess_wrong", guess=words.within(lesson.name, "options", guess), answer=answer)
    console.print(line + "\n", style="green" if guess == happened else "magenta")


# -- progress and JSON -----------------------------------------------------------------------------------------------


@contextmanager
def _progress(name: str) -> Iterator[Callable[[Event], None]]:
    """On a terminal, a line that tells which lesson runs, for how long, and the last line that it printed."""
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from gilstudy.report.console import console

    columns = (SpinnerColumn("line"), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    errors = console(stderr=True)
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task(name)

        def follow(event: Event) -> None:
            if event.kind == "said":
                progress.update(task, description=f"{name}: {shown(event.text, 50)}")

        yield follow


def _write(document: Document) -> None:
    output = streams.output()
    is_ascii = not output.encoding.lower().startswith("utf")  # JSON's own escapes, where some are needed
    output.write(documents.as_json(document, is_ascii=is_ascii))
