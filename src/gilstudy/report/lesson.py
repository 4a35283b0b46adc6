"""A lesson on the terminal: its code, what it printed, the timeline, the three sentences, the checks."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from gilstudy.codec import encode
from gilstudy.lessons.lesson import Lesson, Setting
from gilstudy.lessons.models import slices_of
from gilstudy.lessons.perform import Performance
from gilstudy.lessons.words import Words
from gilstudy.recording.events import Play
from gilstudy.recording.source import program_source
from gilstudy.report import lanes
from gilstudy.report.console import draws_unicode
from gilstudy.report.document import Document, made
from gilstudy.report.wording import STYLES
from gilstudy.report.wrapping import hanging, wrap
from gilstudy.text import shown

OUTCOME_STYLES: Final = {"passed": "green", "failed": "bold red", "unavailable": "cyan"}
MOST: Final = 1000
"""Columns of a sentence."""
MOST_LINES: Final = 35
FEW_LINES: Final = 4
"""Of output that is numbers for the timeline."""


def print_list(console: Console, lessons: Iterable[Lesson], words: Words) -> None:
    """Print the names and titles of lessons."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column(words.ui("list_name"), no_wrap=True)
    table.add_column(words.ui("list_title"))
    for lesson in lessons:
        table.add_row(lesson.name, words.lesson(lesson.name, "title"))
    console.print(table)


def print_code(console: Console, lesson: Lesson, setting: Setting, words: Words) -> None:
    """Print the programs that run, word for word."""
    sources = {run.program: program_source(run.program, words.code) for run in lesson.runs(setting)}
    for module in lesson.modules:
        spec = importlib.util.find_spec(module)
        if spec and spec.origin:
            sources[module] = Path(spec.origin).read_text(encoding="utf-8")
    syntax = Syntax("", "python", theme="ansi_light", background_color="default")
    for name, source in sources.items():
        console.print(Text(words.ui("program", program=name), style="bold"))
        code = syntax.highlight(source.rstrip())
        code.rstrip()
        console.print(code, soft_wrap=True)
        console.print()


def print_lesson(console: Console, lesson: Lesson, given: Performance, words: Words) -> None:
    """Print everything about a lesson that was given."""
    console.print(Text.assemble((lesson.name, "bold"), "  ", words.lesson(lesson.name, "title")))
    if given.outcome == "unavailable":
        console.print(Text(words.reason(given.trouble, detail=given.detail), style=OUTCOME_STYLES["unavailable"]))
        return
    for play in given.plays:
        _print_play(console, lesson, play, words)
    if words.has(lesson.name, "rows") and given.seen.facts:
        _print_rows(console, lesson, given, words)
    _print_sentences(console, lesson, given, words)
    _print_checks(console, lesson, given, words)
    console.print(outcome_line(lesson, given, words), soft_wrap=True)


def outcome_line(lesson: Lesson, given: Performance, words: Words) -> Text:
    """One line: how it went, which lesson, how long it took, what it shows."""
    what = words.lesson(lesson.name, "title")
    if given.outcome == "unavailable":
        what = words.reason(given.trouble, detail=given.detail)
    elif given.outcome == "failed":
        wrong = [check.id for check in given.seen.checks if check.passed is False]
        what = (
            words.ui("trouble", trouble=shown(given.trouble, MOST))
            if given.trouble
            else _check(lesson, wrong[0], words)
        )
    return Text.assemble(
        (_fit(words.ui(given.outcome), 8), OUTCOME_STYLES[given.outcome]),
        f" {lesson.name:<26} {given.elapsed_ns / 1e9:5.2f} s  {what}",
    )


def _fit(word: str, columns: int) -> str:
    """``word`` padded to so many columns of the terminal, of which a Chinese character takes two."""
    return word + " " * (columns - cell_len(word))


# -- output and timeline ---------------------------------------------------------------------------------------------


def _print_play(console: Console, lesson: Lesson, play: Play, words: Words) -> None:
    console.print(Text(f"\n{words.ui('output')} ({play.program})", style="bold"))
    most = MOST_LINES if lesson.lanes == "order" else FEW_LINES
    for number, event in enumerate(play.said[:most], 1):
        mark = lanes.line_mark(number) if lesson.lanes == "order" else " "
        console.print(Text.assemble((f"  {mark} ", "bold"), shown(event.text)), soft_wrap=True)
    if not play.said:
        console.print(Text("    " + words.ui("nothing"), style="dim"))
    if len(play.said) > most:
        console.print(Text("    " + words.ui("more_lines", count=len(play.said) - most), style="dim"))
    if play.events:
        _print_timeline(console, lesson, play, words)


def _print_timeline(console: Console, lesson: Lesson, play: Play, words: Words) -> None:
    glyphs = lanes.UNICODE if draws_unicode(console) else lanes.ASCII
    width = lanes.label_width(play)
    columns = max(lanes.FEWEST_COLUMNS, console.width - width - 6)
    slices = {lane.name: slices_of(lane) for lane in play.lanes if lane.said} if lesson.lanes == "slices" else {}
    if slices:
        chart = lanes.slices_chart(play, slices, columns)
        axis = words.ui("by_time", length=columns * lanes.COLUMN_NS // 1_000_000)
    else:
        chart = lanes.order_chart(play, columns)
        axis = words.ui("by_order", begin=f"{chart.begin_ns / 1e6:.1f}", end=f"{chart.end_ns / 1e6:.1f}")
    console.print(Text(words.ui("timeline", program=play.program), style="bold"))
    for line in lanes.drawn(chart, glyphs, width):
        console.print(line, soft_wrap=True)
    console.print(Text(f"  {axis}", style="dim"))
    console.print(Text(f"  {_legend(lanes.states_in([chart]), glyphs, words)}", style="dim"))


LEGEND: Final = {
    "running": "running",
    "waiting": "waiting",
    "said": "line_mark",
    "lock": "lock_mark",
    "unlock": "unlock_mark",
    "started": "started_mark",
    "ended": "ended_mark",
    "killed": "killed_mark",
}


def _legend(states: set[str], glyphs: lanes.Glyphs, words: Words) -> str:
    return "  ".join(f"{getattr(glyphs, state)} {words.ui(key)}" for state, key in LEGEND.items() if state in states)


# -- words -----------------------------------------------------------------------------------------------------------


def _print_sentences(console: Console, lesson: Lesson, given: Performance, words: Words) -> None:
    told = {"says": words.lesson(lesson.name, "says")}
    if given.seen.facts:
        told["seen"] = words.lesson(lesson.name, given.seen.sentence, **given.seen.facts)
    told["since"] = words.lesson(lesson.name, "since")
    indent = 2 + max(cell_len(words.ui(key)) for key in told)
    console.print()
    for key, sentence in told.items():
        label = words.ui(key)
        first, *rest = hanging(label, shown(sentence, MOST), console.width, indent)
        console.print(Text.assemble((label, "bold"), first.removeprefix(label)))
        for line in rest:
            console.print(Text(line))
    if words.has(lesson.name, "proves"):
        console.print()
        for line in wrap(words.lesson(lesson.name, "proves"), console.width):
            console.print(Text(line))


def _print_checks(console: Console, lesson: Lesson, given: Performance, words: Words) -> None:
    console.print()
    if given.trouble:
        console.print(Text(words.ui("trouble", trouble=shown(given.trouble, MOST)), style="bold red"), soft_wrap=True)
    styles = {True: ("check_passed", "green"), False: ("check_failed", "bold red"), None: ("check_open", "magenta")}
    for check in given.seen.checks:
        key, style = styles[check.passed]
        note = f" {words.ui('open_check')}" if check.passed is None else ""
        console.print(Text.assemble((_fit(words.ui(key), 4), style), _check(lesson, check.id, words), note))
    for claim in given.claims:
        verdict = (words.ui(claim.verdict), STYLES[claim.verdict])
        console.print(Text.assemble(words.ui("claim"), " ", (claim.id, "bold"), ": ", verdict))


def _check(lesson: Lesson, check: str, words: Words) -> str:
    return words.within(lesson.name, "checks", check)


def _print_rows(console: Console, lesson: Lesson, given: Performance, words: Words) -> None:
    table = Table(box=None, padding=(0, 2), header_style="bold")
    table.add_column("")
    table.add_column(words.lesson(lesson.name, "table_text"), justify="right")
    table.add_column(words.lesson(lesson.name, "table_here", **given.seen.facts), justify="right")
    facts = given.seen.facts
    for row in words.keys(lesson.name, "rows"):
        text = facts.get(f"text_{row}")
        table.add_row(words.within(lesson.name, "rows", row), f"{text} s" if text else "", f"{shown(facts[row])} s")
    console.print()
    console.print(table)


def options(lesson: Lesson, words: Words) -> Sequence[str]:
    """The possible answers to the lesson's question."""
    return [words.within(lesson.name, "options", option) for option in lesson.options]


def document(given: Performance, words: Words) -> Document:
    """A lesson as plain JSON values."""
    name, seen = given.lesson, given.seen
    trouble = words.reason(given.trouble, detail=given.detail) if given.outcome == "unavailable" else given.trouble
    return made(
        lesson=name,
        language=words.language,
        outcome=given.outcome,
        trouble=trouble,
        elapsed_ns=given.elapsed_ns,
        says=words.lesson(name, "says"),
        seen=words.lesson(name, seen.sentence, **seen.facts) if seen.facts else "",
        since=words.lesson(name, "since"),
        facts=seen.facts,
        checks=[
            {"id": check.id, "passed": check.passed, "text": words.within(name, "checks", check.id)}
            for check in seen.checks
        ],
        claims=encode(given.claims),
        plays=encode(given.plays),
    )
