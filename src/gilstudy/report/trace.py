"""A trace on the terminal: figures, a table of threads, and lanes, one a thread. Readable at 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gilstudy.report.wording import draws_unicode
from gilstudy.summary import Holds, LaneSummary, Summary
from gilstudy.trace import Lane, Span, State, Trace

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
    "running": "cyan",
    "waiting": "red",
    "ready": "yellow",
    "blocked": "bright_black",
    "off-cpu": "bright_black",
    "unknown": "bright_black",
}
GLYPHS: Final[dict[State, str]] = {
    "holding": "█", "running": "▓", "waiting": "─", "ready": "░", "blocked": "·", "off-cpu": "·", "unknown": " ",
}  # fmt: skip
PLAIN: Final[dict[State, str]] = {
    "holding": "#", "running": "=", "waiting": "-", "ready": "?", "blocked": ".", "off-cpu": ".", "unknown": " ",
}  # fmt: skip
"""For terminals that have only ASCII."""

MOST_LANES: Final = 16
CELLS_PER_HOLD: Final = 4
TOLD: Final[tuple[State, ...]] = ("waiting", "ready", "blocked")
"""The states in the table, in its order."""


def print_trace(console: Console, trace: Trace, summary: Summary, *, window: Span | None = None) -> None:
    """Print the whole report.

    Args:
        console: where to print.
        trace: what was seen.
        summary: its figures.
        window: the part of the trace that is drawn in detail; None for one that shows single holds.
    """
    for line in headlines(trace, summary):
        console.print(line)
    shown = busiest(trace, summary)
    if shown:
        console.print()
        console.print(_table(summary, shown))
        for part in _pictures(console, trace, shown, window):
            console.print(part, soft_wrap=True)
    if hidden := len(trace.lanes) - len(shown):
        console.print(Text(f"not shown: {hidden} thread{'s' * (hidden > 1)} that did less than these", style="dim"))
    for caution in cautions(trace):
        console.print(Text(f"caution: {caution}", style="magenta"))


def headlines(trace: Trace, summary: Summary) -> Iterable[Text]:
    """The figures of the whole process, a line each."""
    looks = f"{summary.polls} looks, longest gap {ms(summary.longest_gap_ns)}"
    interval = "" if trace.gil_reason else f"; switch interval {1000 * summary.switch_interval_s:g} ms"
    yield _line("watched", f"for {ms(summary.span_ns)}: {looks}{interval}")
    if trace.gil_reason:
        yield _line("GIL", trace.gil_reason)
    else:
        yield from gil_lines(summary)
    if trace.gil_wanted_by:
        yield Text(f"This is a free-threaded build; its GIL was turned on by {', '.join(trace.gil_wanted_by)}.")
    if trace.lanes_reason:
        yield _line("threads", f"not seen: {trace.lanes_reason}")


def gil_lines(summary: Summary) -> Iterable[Text]:
    """What was seen of the GIL in all, a line each."""
    contended = "" if summary.contended is None else f", while another thread waited {share(summary.contended)}"
    yield _line("GIL", f"held {share(summary.held or 0)} of the time{contended}")
    rate = f", {summary.handoffs_per_s:.0f} per s" if summary.handoffs_per_s is not None else ""
    yield _line("hand-offs", f"{summary.handoffs} by the interpreter's count ({summary.handoffs_seen} seen){rate}")
    yield _line("holds", "no complete hold was seen" if summary.holds is None else _distribution(summary.holds))


def _line(subject: str, told: str) -> Text:
    return Text.assemble((f"{subject:<9}", "bold"), f" {told}")


def _distribution(holds: Holds) -> str:
    return f"median {ms(holds.median_ns)}, p99 {ms(holds.p99_ns)}, longest {ms(holds.longest_ns)} by {holds.longest_by}"


def ms(ns: float) -> str:
    """A time in words, with three digits: 12.3 us, 5.12 ms, 1.20 s."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size * 0.9995:
            value = ns / size
            return f"{value:.{max(0, 2 - (value >= 10) - (value >= 100))}f} {unit}"
    return f"{ns:.0f} ns"


def share(value: float) -> str:
    """A share as a percentage; what is not quite nothing, or not quite all, does not look so."""
    if 0 < value < 0.005:
        return "<1 %"
    return ">99 %" if 0.995 <= value < 1 else f"{100 * value:.0f} %"


def busiest(trace: Trace, summary: Summary) -> list[int]:
    """The places of the lanes worth showing, in their order: those that ran or held, and Python's own threads."""

    def weight(place: int) -> int:
        lane = summary.lanes[place]
        return max(lane.held_ns, lane.cpu_ns or 0, lane.in_state_ns.get("waiting", 0))

    places = [p for p, lane in enumerate(summary.lanes) if weight(p) > trace.span_ns // 1000 or lane.is_python]
    kept = sorted(places, key=weight, reverse=True)[:MOST_LANES]
    return sorted(kept)


def cautions(trace: Trace) -> Iterable[str]:
    """What to know before believing the rest."""
    if trace.lost.changes:
        yield f"the watch ran out of room: {trace.lost.changes} changes of the holder, the oldest, are lost"
    if trace.lost.turns:
        yield f"the watch ran out of room: {trace.lost.turns} changes of what threads did, the oldest, are lost"
    if trace.lost.threads or trace.lost.lanes:
        yield f"there were too many threads: {trace.lost.threads + trace.lost.lanes} have no lane"
    if trace.handoffs and not trace.lost.changes and trace.handoffs_seen < 0.9 * trace.handoffs:
        yield (
            f"only {trace.handoffs_seen} of {trace.handoffs} hand-offs were seen: many holds were shorter than the "
            f"watch's period of {ms(trace.period_ns)}; try a shorter one (--period)"
        )


# -- the table -----------------------------------------------------------------------------------------------------


def _table(summary: Summary, shown: Sequence[int]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("thread", no_wrap=True, overflow="crop", max_width=20)
    names = ("holds", "median", "longest", "held", "ran", "waits: GIL", "CPU", "sleeps")
    for name in names:
        table.add_column(name, justify="right", no_wrap=True, overflow="crop")
    for place in shown:
        table.add_row(*_row(summary, summary.lanes[place]))
    return table


def _row(summary: Summary, lane: LaneSummary) -> Iterable[str]:
    def part(ns: float | None) -> str:
        return "" if ns is None or not summary.span_ns else share(ns / summary.span_ns)

    yield lane.name
    yield str(lane.holds.count) if lane.holds else ""
    yield ms(lane.holds.median_ns) if lane.holds else ""
    yield ms(lane.holds.longest_ns) if lane.holds else ""
    yield "" if lane.is_process or summary.gil_reason else part(lane.held_ns)
    yield part(lane.cpu_ns)
    told = bool(lane.in_state_ns) and not lane.is_process
    for state in TOLD:
        seen = summary.share(lane, state)
        yield share(seen) if told and seen is not None else ""


# -- the lanes -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Scale:
    begin: int
    end: int
    cells: int

    def cell(self, number: int) -> Span:
        step = (self.end - self.begin) / self.cells
        return self.begin + round(number * step), self.begin + round((number + 1) * step)


def _pictures(console: Console, trace: Trace, shown: Sequence[int], window: Span | None) -> Iterable[Text]:
    width = min(18, max(len(trace.lanes[place].name) for place in shown))
    cells = max(10, console.width - width - 2)
    window = window or detail(trace, cells)
    if window != (trace.begin_ns, trace.end_ns):
        yield Text("\nAll of it: what each thread did most of the time", style="bold")
        yield from _picture(console, trace, shown, _Scale(trace.begin_ns, trace.end_ns, cells), width)
    start, long = window[0] - trace.begin_ns, window[1] - window[0]
    yield Text(f"\n{ms(long)} from {ms(start)} on, {ms(long / cells)} a column", style="bold")
    yield from _picture(console, trace, shown, _Scale(*window, cells), width)
    yield _legend(console, trace, shown)


def detail(trace: Trace, cells: int) -> Span:
    """A window about the middle in which single holds can be told apart; all of the trace if it is short enough."""
    lengths = sorted(end - begin for begin, end, holder in trace.holders if holder >= 0)
    if not lengths:
        return trace.begin_ns, trace.end_ns
    column = max(trace.period_ns / 2, lengths[len(lengths) // 2] / CELLS_PER_HOLD)
    half = round(column * cells / 2)
    middle = (trace.begin_ns + trace.end_ns) // 2
    if 2 * half >= trace.span_ns * 0.8:
        return trace.begin_ns, trace.end_ns
    return middle - half, middle + half


def _picture(console: Console, trace: Trace, shown: Sequence[int], scale: _Scale, width: int) -> Iterable[Text]:
    glyphs = _glyphs(console)
    for place in shown:
        lane = trace.lanes[place]
        row = Text(f"{lane.name[:width]:<{width}}  ")
        for state in strip(lane, scale.begin, scale.end, scale.cells):
            row.append(glyphs[state], style=COLOURS[state]) if state else row.append(" ")
        yield row


def strip(lane: Lane, begin: int, end: int, cells: int) -> list[State | None]:
    """For each of ``cells`` equal parts of the window the state that takes most of it; None where the lane is not."""
    scale = _Scale(begin, end, cells)
    totals: list[dict[State, int]] = [{} for _ in range(cells)]
    for piece_begin, piece_end, state in lane.pieces:
        if piece_end <= begin or piece_begin >= end:
            continue
        first = max(0, int((piece_begin - begin) * cells / (end - begin)) - 1)
        for number in range(first, cells):
            cell = scale.cell(number)
            if cell[0] >= piece_end:
                break
            overlap = min(piece_end, cell[1]) - max(piece_begin, cell[0])
            if overlap > 0:
                totals[number][state] = totals[number].get(state, 0) + overlap
    return [_most(total) for total in totals]


def _most(total: dict[State, int]) -> State | None:
    most = sorted(total, key=total.__getitem__)
    return most[-1] if most else None


def _glyphs(console: Console) -> dict[State, str]:
    return GLYPHS if draws_unicode(console) else PLAIN


def _legend(console: Console, trace: Trace, shown: Sequence[int]) -> Text:
    legend, column = Text(), 0
    glyphs = _glyphs(console)
    for state, words in legend_keys(glyphs, trace, shown, (trace.begin_ns, trace.end_ns)):
        length = len(words) + 5
        if column and column + length - 3 > console.width:
            legend.append("\n")
            column = 0
        legend.append(glyphs[state], style=COLOURS[state]).append(f" {words}   ", style="dim")
        column += length
    return legend


def legend_keys(
    signs: Mapping[State, str], trace: Trace, shown: Sequence[int], window: Span
) -> Iterable[tuple[State, str]]:
    """For each sign that is drawn in the window a state that it stands for, and in words all of them."""
    words, (begin, end) = words_for(trace), window
    present = {s for place in shown for b, e, s in trace.lanes[place].pieces if b < end and e > begin}
    for sign in dict.fromkeys(signs.values()):
        meant = [state for state in WORDS if state != "unknown" and state in present and signs[state] == sign]
        if meant:
            yield meant[0], ", or ".join(words[state] for state in meant)


def words_for(trace: Trace) -> dict[State, str]:
    """What each state is called in this trace: who cannot have the GIL just runs."""
    runners = [lane for lane in trace.lanes if any(state == "running" for _, _, state in lane.pieces)]
    if trace.gil_reason or all(lane.is_process for lane in runners):
        return WORDS | {"running": "runs"}
    return WORDS
