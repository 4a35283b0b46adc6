"""A trace on the terminal: figures, a table of threads, and lanes, one a thread. Readable at 80 columns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from gilstudy.report.choosing import Choice, choose
from gilstudy.report.figures import count, ms, share
from gilstudy.report.labels import Speller, by_stem, labels, speller
from gilstudy.report.timeline import print_lanes
from gilstudy.report.trace_table import FEWEST_FOR_MEDIAN, HEADING, blocks, lines, longest, name_width, parts
from gilstudy.text import shown
from gilstudy.watching.summary import FEWEST_LOOKS, FEWEST_SEEN, Holds, Summary, Waits, seen_share
from gilstudy.watching.trace import FREE, OFF, Stretch, Trace

SUBJECT: Final = 10
"""Columns for what a line is about."""
LONGEST_NAME: Final = 28
"""Columns of a name within a sentence, at most."""
FEWEST_FOR_P99: Final = 100
"""Holds: of fewer, the 99th percentile is only the longest."""
FEWEST_HANDOFFS: Final = 20
LEAST_HELD: Final = 0.05
"""That hand-offs were missed is worth a caution if there were so many, and the GIL was held for so much of the time."""
MUCH_UNSEEN: Final = 0.05
"""The share of a thread's time, or of the watch's in one gap, that is worth a caution if nothing was seen in it."""


def print_trace(
    console: Console,
    trace: Trace,
    summary: Summary,
    *,
    window: Stretch | None = None,
    by_name: bool = False,
    quiet: bool = False,
) -> None:
    """Print the whole report.

    Args:
        console: where to print.
        trace: what was seen.
        summary: its figures.
        window: the part of the trace that is drawn in detail; None for the busiest stretch of contention.
        by_name: whether threads whose names differ by a number only are summed.
        quiet: whether to print only the figures of the whole, and what to know before believing them.
    """
    spell = speller(console.encoding)
    for line in headlines(trace, summary, spell):
        _print_hanging(console, line)
    if quiet:
        return
    choice = choose(trace, summary, spell, by_name=by_name)
    if choice.rows:
        _print_threads(console, trace, summary, choice, window)
    for words in choice.others:
        console.print(Text(words, style="dim"))
    if choice.more and not by_name and len(by_stem(trace.lanes)) < len(trace.lanes):
        console.print(Text("--by-name sums the threads whose names differ by a number only", style="dim"))


def _print_hanging(console: Console, line: Text) -> None:
    """Print a figure or a caution, all its lines after the subject."""
    subject, told = line[:SUBJECT], line[SUBJECT:]
    for part in told.wrap(console, max(SUBJECT, console.width - SUBJECT)):
        part.rstrip()
        console.print(subject + part, soft_wrap=True)
        subject = Text(" " * SUBJECT)


def _print_threads(console: Console, trace: Trace, summary: Summary, choice: Choice, window: Stretch | None) -> None:
    spell = speller(console.encoding)
    rows = [*choice.rows, choice.more] if choice.more else list(choice.rows)
    longest_name = max(map(cell_len, (HEADING, *labels(rows, console.width, spell))))
    given = blocks(parts(summary, rows), longest_name, console.width)
    names = labels(rows, name_width(given, longest_name, console.width), spell)
    for line in lines(given, names):
        console.print(line, soft_wrap=True)
    print_lanes(console, trace, names[: len(choice.rows)], choice.groups, window)


# -- the figures of the whole ----------------------------------------------------------------------------------------


def headlines(trace: Trace, summary: Summary, spell: Speller = shown) -> Iterable[Text]:
    """The figures of the whole process, a line each, and what to know before believing them and the rest."""
    yield _line("watched", f"for {ms(summary.span_ns)}: {_looks(summary)}{_interval(trace, summary)}")
    if trace.gil_reason:
        yield _line("GIL", spell(trace.gil_reason, 400))
    else:
        yield from gil_lines(summary, spell)
    if trace.gil_wanted_by:
        wanted_by = spell(", ".join(trace.gil_wanted_by), 400)
        yield _line("build", f"This is a free-threaded build; its GIL was turned on by {wanted_by}.")
    if trace.lanes_reason:
        yield _line("threads", f"not seen: {spell(trace.lanes_reason, 400)}")
    for caution in cautions(trace, spell):
        yield Text(f"{'caution:':<{SUBJECT}}{caution}", style="magenta")


def _looks(summary: Summary) -> str:
    unseen = f", at threads {ms(summary.longest_unseen_ns)}" if summary.longest_unseen_ns else ""
    return f"{count(summary.polls, 'look')}, longest gap {ms(summary.longest_gap_ns)}{unseen}"


def _interval(trace: Trace, summary: Summary) -> str:
    if trace.gil_reason:
        return ""
    changed = ""
    if trace.interval_changes:
        times = "" if trace.interval_changes == 1 else f", {trace.interval_changes} times"
        changed = f", changed by the program{times}; {1000 * trace.last_interval_s:g} ms at the end"
    return f"; switch interval {1000 * summary.switch_interval_s:g} ms{changed}"


def gil_lines(summary: Summary, spell: Speller = shown) -> Iterable[Text]:
    """What was seen of the GIL in all, a line each."""
    if summary.held is None:
        yield _line("GIL", f"not seen well enough: {count(summary.polls, 'look')}, and a share takes {FEWEST_LOOKS}")
    else:
        contended = "" if summary.contended is None else f", while another thread waited {share(summary.contended)}"
        yield _line("GIL", f"held {share(summary.held)} of the time{contended}")
    per_s = summary.handoffs_per_s
    rate = "" if per_s is None else ", <1 per s" if 0 < per_s < 1 else f", {per_s:.0f} per s"
    seen = f"({summary.handoffs_seen} seen)"
    yield _line("hand-offs", f"{summary.handoffs} by the interpreter's count {seen}{rate}")
    yield _line(
        "holds", "no complete hold was seen" if summary.holds is None else _holds(summary.holds, summary, spell)
    )
    if summary.waits is not None:
        yield _line("waits", _waits(summary.waits, spell))


def _line(subject: str, told: str) -> Text:
    return Text.assemble((f"{subject:<{SUBJECT}}", "bold"), told)


def _holds(holds: Holds, summary: Summary, spell: Speller) -> str:
    worst = summary.worst
    told = _distribution(holds)
    if worst is not None:
        by = spell(worst.holder, LONGEST_NAME)
        return f"{told}; others waited longest, {ms(worst.waited_ns)}, while {by} held it"
    nobody = ", while nobody was seen to wait" if summary.contended is not None and summary.waits is None else ""
    return f"{told}; longest {ms(holds.longest_ns)} by {spell(holds.longest_by, LONGEST_NAME)}{nobody}"


def _distribution(holds: Holds) -> str:
    if holds.median_ns is None or holds.p99_ns is None:
        return "too few of the hand-offs were seen for a median"
    if holds.count < FEWEST_FOR_MEDIAN:
        return f"{count(holds.count, 'was', 'were')} seen from end to end"
    p99 = f", p99 {ms(holds.p99_ns)}" if holds.count >= FEWEST_FOR_P99 else ""
    return f"median {ms(holds.median_ns)}{p99}"


def _waits(waits: Waits, spell: Speller) -> str:
    has_median = waits.median_ns is not None and waits.whole >= FEWEST_FOR_MEDIAN
    median = f"median {ms(waits.median_ns)}, " if waits.median_ns is not None and has_median else ""
    upto = f"longest {longest(waits.longest_ns, waits.longest_is_whole)} by {spell(waits.longest_by, LONGEST_NAME)}"
    return f"{waits.count} for the GIL: {median}{upto}"


def finding(trace: Trace, summary: Summary, spell: Speller = shown) -> str:
    """The trace in one sentence, as the title of a picture."""
    if trace.gil_reason:
        return f"{_busy(trace, summary)}; no GIL was seen"
    if summary.held is None:
        return f"Too few looks at the GIL for a finding: {summary.polls}"
    held = f"GIL held {share(summary.held)} of the time"
    waiters = [lane for lane in summary.lanes if lane.waits is not None]
    if summary.contended is None or summary.waits is None:
        return held if trace.lanes_reason or summary.contended is None else f"{held}; nobody was seen to wait for it"
    who = spell(waiters[0].name, LONGEST_NAME) if len(waiters) == 1 else count(len(waiters), "thread")
    upto = longest(summary.waits.longest_ns, True)
    return f"{held}; {who} waited {share(summary.contended)} for it, up to {upto} at once"


def _busy(trace: Trace, summary: Summary) -> str:
    used = [lane.cpu_ns for lane in summary.lanes if lane.cpu_ns and lane.cpu_ns * 100 > trace.span_ns]
    cpus = sum(used) / trace.span_ns if trace.span_ns else 0
    return f"{count(len(used), 'thread')} used {cpus:.2g} CPUs" if used else "Nothing ran"


# -- what to know ----------------------------------------------------------------------------------------------------


def cautions(trace: Trace, spell: Speller = shown) -> Iterable[str]:
    """What to know before believing the rest."""
    if trace.lost.changes:
        yield f"the watch ran out of room: {trace.lost.changes} changes of the holder, the oldest, are lost"
    if trace.lost.turns:
        yield f"the watch ran out of room: {trace.lost.turns} changes of what threads did, the oldest, are lost"
    if trace.lost.threads or trace.lost.lanes:
        yield f"there were too many threads: {trace.lost.threads + trace.lost.lanes} have no lane"
    if trace.opened_anew:
        yield (
            f"the files of {count(trace.opened_anew, 'thread')} were opened anew for each look, lest the program run "
            "out of file descriptors: looking at them takes more time (ulimit -n)"
        )
    if trace.other_interpreters:
        yield (
            f"this process had {count(trace.other_interpreters, 'other interpreter')}: each may have a GIL of its own, "
            "which is not watched; what runs under it counts as without the GIL"
        )
    if _misses_much(trace):
        without = "" if seen_share(trace) >= FEWEST_SEEN else "; no median is given of holds and waits"
        yield (
            f"only {trace.handoffs_seen} of {trace.handoffs} hand-offs were seen: many holds were shorter "
            f"than the watch's period of {ms(trace.period_ns)}{without}; try a shorter one (--period)"
        )
    if trace.span_ns and trace.longest_gap_ns > max(MUCH_UNSEEN * trace.span_ns, FEWEST_LOOKS * trace.period_ns):
        yield f"the watch did not get to look for {ms(trace.longest_gap_ns)}: what happened meanwhile was not seen"
    yield from _unseen(trace, spell)


def _misses_much(trace: Trace) -> bool:
    """Whether enough hand-offs were missed, in a program that holds the GIL for long enough, to matter."""
    held = sum(end - begin for begin, end, holder in trace.holders if holder not in (FREE, OFF))
    is_much = (trace.handoffs or 0) >= FEWEST_HANDOFFS and held >= LEAST_HELD * trace.span_ns
    return is_much and not trace.lost.changes and seen_share(trace) < 0.9


def _unseen(trace: Trace, spell: Speller) -> Iterable[str]:
    """Threads are named by what was not seen of the time in which they were there."""
    worst, name = 0.0, ""
    for lane in trace.lanes:
        there = sum(end - begin for begin, end, _ in lane.pieces)
        unseen = sum(end - begin for begin, end, state in lane.pieces if state == "unknown")
        if unseen > MUCH_UNSEEN * trace.span_ns and unseen > worst * there:
            worst, name = unseen / there, lane.name
    if name:
        of_it = f"{share(worst)} of {spell(name, LONGEST_NAME)}'s time"
        yield (
            f"what threads did was not seen for up to {ms(trace.longest_unseen_ns)} at once, {of_it} in all: that is "
            f"left out of shares and blank in the lanes"
        )
