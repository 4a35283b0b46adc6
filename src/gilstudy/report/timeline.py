"""Lanes of text, one a thread: what it did most of each column's time. Readable at 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from gilstudy.report.console import draws_unicode
from gilstudy.report.figures import ms
from gilstudy.report.labels import padded
from gilstudy.watching.contention import busiest_stretch, waits
from gilstudy.watching.summary import Group
from gilstudy.watching.trace import FREE, OFF, Lane, State, Stretch, Trace

WORDS: Final[dict[State, str]] = {
    "holding": "holds the GIL",
    "running": "runs without the GIL",
    "waiting": "waits for the GIL",
    "ready": "waits for a CPU",
    "blocked": "sleeps",
    "off-cpu": "does not run",
    "unknown": "not seen",
}
"""What each state is called."""
COLOURS: Final[dict[State, str]] = {
    "holding": "green",
    "running": "bright_blue",
    "waiting": "red",
    "ready": "yellow",
    "blocked": "bright_black",
    "off-cpu": "bright_black",
    "unknown": "bright_black",
}
"""The same in every form: see `picture.COLOURS` and `chrome.COLOURS`."""
GLYPHS: Final[dict[State, str]] = {
    "holding": "█", "running": "▓", "waiting": "─", "ready": "░", "blocked": "·", "off-cpu": "·", "unknown": " ",
}  # fmt: skip
PLAIN: Final[dict[State, str]] = {
    "holding": "#", "running": "=", "waiting": "-", "ready": "?", "blocked": ".", "off-cpu": ".", "unknown": " ",
}  # fmt: skip
"""For terminals that have only ASCII."""

FEWEST_CELLS: Final = 10
CELLS_PER_HOLD: Final = 4
MOST_OF_IT: Final = 0.8
"""A window that would show so much of the trace, or of the longest wait in it, is widened to all of that."""


def print_lanes(
    console: Console, trace: Trace, names: Sequence[str], groups: Sequence[Group], window: Stretch | None
) -> None:
    """Print all of the trace, a window of it in detail, and the legend.

    Args:
        console: where to print.
        trace: what was seen.
        names: the labels, one for each group, all of them short enough.
        groups: the threads that share a lane.
        window: the part that is drawn in detail; None for the one that `detail` chooses.
    """
    width = max(map(cell_len, names), default=0)
    cells = max(FEWEST_CELLS, console.width - width - 2)
    lanes = [_one_lane(trace, places) for _, places in groups]
    whole, drawn = (trace.begin_ns, trace.end_ns), window or detail(trace, cells)
    chosen = ""
    if drawn != whole:
        _print_strips(console, "All of it: what each thread did most of the time", names, lanes, whole, cells)
        if window is None and any(state == "waiting" for lane in trace.lanes for _, _, state in lane.pieces):
            chosen = ", where most waited for the GIL"
    start, long = drawn[0] - trace.begin_ns, drawn[1] - drawn[0]
    title = f"{ms(long)} from {ms(start)} on{chosen};" if drawn != whole else f"All of it, {ms(long)}:"
    column = f"{ms(long / cells)} a column"
    apart = " " if len(title) + 1 + len(column) <= console.width else "\n"
    _print_strips(console, title + apart + column, names, lanes, drawn, cells)
    _print_legend(console, trace, [place for _, places in groups for place in places])


def _one_lane(trace: Trace, places: Sequence[int]) -> Lane:
    first = trace.lanes[places[0]]
    if len(places) == 1:
        return first
    return replace(first, pieces=tuple(sorted(piece for place in places for piece in trace.lanes[place].pieces)))


def _print_strips(
    console: Console, title: str, names: Sequence[str], lanes: Sequence[Lane], window: Stretch, cells: int
) -> None:
    glyphs = GLYPHS if draws_unicode(console) else PLAIN
    console.print(Text(f"\n{title}", style="bold"))
    width = max(map(cell_len, names), default=0)
    for name, lane in zip(names, lanes, strict=True):
        row = Text(f"{padded(name, width)}  ")
        for state in strip(lane, *window, cells):
            row.append(glyphs[state], style=COLOURS[state]) if state else row.append(" ")
        console.print(row, soft_wrap=True)


def strip(lane: Lane, begin: int, end: int, cells: int) -> list[State | None]:
    """For each of ``cells`` equal parts of the window the state that takes most of it; None where the lane is not.

    Where threads share a lane it is ``holding`` if that takes half of the part, whatever the others do meanwhile.
    """
    step = (end - begin) / cells
    edges = [begin + round(number * step) for number in range(cells + 1)]
    totals: list[dict[State, int]] = [{} for _ in range(cells)]
    for piece_begin, piece_end, state in lane.pieces:
        if piece_end <= begin or piece_begin >= end:
            continue
        for number in range(max(0, int((piece_begin - begin) / step) - 1), cells):
            if edges[number] >= piece_end:
                break
            overlap = min(piece_end, edges[number + 1]) - max(piece_begin, edges[number])
            if overlap > 0:
                totals[number][state] = totals[number].get(state, 0) + overlap
    return [_most(total, step) for total in totals]


def _most(total: dict[State, int], step: float) -> State | None:
    if total.get("holding", 0) > step / 2:
        return "holding"
    return max(total, key=total.__getitem__, default=None)


# -- the window ------------------------------------------------------------------------------------------------------


def detail(trace: Trace, cells: int) -> Stretch:
    """The busiest stretch of contention, so long that single holds can be told apart in ``cells`` columns.

    A long wait in it is shown from end to end. It is all of the trace if that is short enough.
    """
    lengths = sorted(end - begin for begin, end, holder in trace.holders if holder not in (FREE, OFF))
    if not lengths:
        return trace.begin_ns, trace.end_ns
    column = max(trace.period_ns / 2, lengths[len(lengths) // 2] / CELLS_PER_HOLD)
    length = 2 * round(column * cells / 2)
    if length >= trace.span_ns * MOST_OF_IT:
        return trace.begin_ns, trace.end_ns
    begin, end = busiest_stretch(trace, length)
    inside = [
        wait
        for lane in trace.lanes
        for wait in waits(lane, trace.holders)
        if wait.begin_ns < end and wait.end_ns > begin
    ]
    longest = max(inside, key=lambda wait: wait.length_ns, default=None)
    if longest is None or longest.length_ns < MOST_OF_IT * length:
        return begin, end
    margin = longest.length_ns // 8
    begin, end = max(trace.begin_ns, longest.begin_ns - margin), min(trace.end_ns, longest.end_ns + margin)
    return (begin, end) if end - begin < trace.span_ns * MOST_OF_IT else (trace.begin_ns, trace.end_ns)


# -- the legend ------------------------------------------------------------------------------------------------------


def _print_legend(console: Console, trace: Trace, shown: Sequence[int]) -> None:
    glyphs = GLYPHS if draws_unicode(console) else PLAIN
    whole = trace.begin_ns, trace.end_ns
    entries = [
        Text.assemble((glyphs[state], COLOURS[state]), (f" {words}", "dim"))
        for state, words in legend_keys(glyphs, trace, shown, whole)
    ]
    if has_unseen(trace, shown, whole):
        entries.append(Text("blank: not seen, or not there", style="dim"))
    line = Text()
    for entry in entries:
        if line and len(line) + 3 + len(entry) > console.width:
            console.print(line, soft_wrap=True)
            line = Text()
        line = Text("   ").join([line, entry]) if line else entry
    console.print(line, soft_wrap=True)


def legend_keys(
    signs: Mapping[State, str], trace: Trace, shown: Sequence[int], window: Stretch
) -> Iterable[tuple[State, str]]:
    """For each sign that is drawn in the window a state that it stands for, and in words all of them."""
    words, (begin, end) = words_for(trace), window
    present = {s for place in shown for b, e, s in trace.lanes[place].pieces if b < end and e > begin}
    for sign in dict.fromkeys(signs.values()):
        meant = [state for state in WORDS if state != "unknown" and state in present and signs[state] == sign]
        if meant:
            yield meant[0], ", or ".join(words[state] for state in meant)


def has_unseen(trace: Trace, shown: Sequence[int], window: Stretch) -> bool:
    """Whether something in the window is blank because it was not seen."""
    begin, end = window
    return any(s == "unknown" and b < end and e > begin for place in shown for b, e, s in trace.lanes[place].pieces)


def words_for(trace: Trace) -> dict[State, str]:
    """What each state is called in this trace: who cannot have the GIL just runs."""
    runners = [lane for lane in trace.lanes if any(state == "running" for _, _, state in lane.pieces)]
    if trace.gil_reason or all(lane.is_process for lane in runners):
        return WORDS | {"running": "runs"}
    if trace.other_interpreters:
        return WORDS | {"running": "runs without this GIL, or has a GIL of its own (not watched)"}
    return WORDS
