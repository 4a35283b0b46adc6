"""A lesson's timeline as lanes of text, one for each process or thread. Readable at 80 columns and without colour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.text import Text

from gilstudy.recording.events import Event, Play, Track
from gilstudy.text import shown

FEWEST_COLUMNS: Final = 20
WIDEST_NAME: Final = 24
WIDEST_STEP: Final = 3
"""Most columns for one event: few events are not spread over the whole width."""
COLUMN_NS: Final = 1_000_000
"""What a column stands for where time is drawn to scale."""

STYLES: Final = {"running": "green", "waiting": "yellow", "said": "bold", "lock": "bold magenta", "killed": "bold red"}

Cell = tuple[str, str]
"""What a column holds: a state or mark, and the number of the line for ``said``."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters that stand for states and marks."""

    running: str
    waiting: str
    started: str
    ended: str
    killed: str
    lock: str = "L"
    unlock: str = "U"
    said: str = "1"
    none: str = " "
    cut: str = "…"
    """Where a name lost its middle."""


UNICODE: Final = Glyphs(running="━", waiting="╌", started="┣", ended="┫", killed="✗")
ASCII: Final = Glyphs(running="=", waiting=".", started="[", ended="]", killed="x", cut="~")


@dataclass(frozen=True, slots=True)
class Row:
    """A lane: its label and one cell for each column."""

    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """All lanes, and the times at the two ends in nanoseconds since the play began."""

    rows: tuple[Row, ...]
    begin_ns: int
    end_ns: int


def line_mark(number: int) -> str:
    """What stands for the line of this number, from 1: a digit, then a letter, then a dot."""
    marks = "123456789abcdefghijklmnopqrstuvwxyz"
    return marks[number - 1] if number <= len(marks) else "*"


def labels(lanes: Sequence[Track]) -> list[str]:
    """The name and id of each lane; threads are indented below their process. Long names lose their middle."""
    ids = [lane.thread_id if lane.thread else lane.pid for lane in lanes]
    names = [f"  {lane.thread}" if lane.thread else lane.process for lane in lanes]
    return [f"{shown(name, WIDEST_NAME)} {id_}" for name, id_ in zip(names, ids, strict=True)]


def by_process(play: Play) -> list[Track]:
    """The lanes, each process followed by its threads, in the order in which the processes began."""
    order = list(dict.fromkeys(lane.pid for lane in play.lanes))
    return sorted(play.lanes, key=lambda lane: (order.index(lane.pid), lane.thread != "", lane.began_ns))


# -- one step for each event -----------------------------------------------------------------------------------------


def order_chart(play: Play, columns: int) -> Chart:
    """Lanes in which every event takes a step to the right, so that the order is plain however close they were."""
    events = _visible(play.events)
    step = max(1, min(WIDEST_STEP, columns // max(1, len(events))))
    at = {id(event): min(place * step, place * columns // max(1, len(events))) for place, event in enumerate(events)}
    width = min(columns, step * len(events)) + 1
    said = {id(event): line_mark(number) for number, event in enumerate(play.said, 1)}
    lanes = by_process(play)
    rows = [
        Row(label, tuple(_cells([event for event in lane.events if id(event) in at], at, said, width)))
        for label, lane in zip(labels(lanes), lanes, strict=True)
    ]
    return Chart(tuple(rows), play.events[0].at_ns, play.events[-1].at_ns)


def _visible(events: Sequence[Event]) -> list[Event]:
    """The events without waits that ended before anything else happened, and without notes of the recorder."""
    shown: list[Event] = []
    for event in events:
        last = shown[-1] if shown else None
        if event.kind == "goes-on" and last and last.kind == "waits" and _who(last) == _who(event):
            shown.pop()
            if event.text.startswith("lock"):
                shown.append(event)
        elif event.kind != "deadlock":
            shown.append(event)
    return shown


def _who(event: Event) -> tuple[int, int]:
    return event.pid, event.thread_id


_PRIORITY: Final = ("said", "lock", "unlock", "ended", "started", "waiting", "running", "none")


def _cells(events: Sequence[Event], at: Mapping[int, int], said: Mapping[int, str], width: int) -> list[Cell]:
    cells: list[Cell] = [("none", "")] * width
    for event, after in zip(events, [*events[1:], None], strict=True):
        column = at[id(event)]
        end = at[id(after)] if after else width if event.kind != "ended" else column + 1
        state = "waiting" if event.kind == "waits" else "running"
        for place in range(column + 1, end):
            cells[place] = (state, "")
        mark = (_mark(event), said.get(id(event), ""))
        if _PRIORITY.index(mark[0]) <= _PRIORITY.index(cells[column][0]):
            cells[column] = mark
    if events and events[-1].kind != "ended":
        cells[-1] = ("killed", "")
    return cells


def _mark(event: Event) -> str:
    if event.kind in ("acquired", "goes-on", "released") and event.text.startswith("lock"):
        return "unlock" if event.kind == "released" else "lock"
    return {"said": "said", "started": "started", "ended": "ended", "waits": "waiting"}.get(event.kind, "running")


# -- to scale --------------------------------------------------------------------------------------------------------


def slices_chart(play: Play, slices: Mapping[str, Sequence[tuple[int, int]]], columns: int) -> Chart:
    """Lanes to scale, from the slices in which each process ran without a break (its own clock, in nanoseconds)."""
    begin = max(parts[0][0] for parts in slices.values())
    shown = [lane for lane in by_process(play) if lane.name in slices]
    rows = [
        Row(label, tuple(_covered(slices[lane.name], begin, columns)))
        for label, lane in zip(labels(shown), shown, strict=True)
    ]
    return Chart(tuple(rows), 0, columns * COLUMN_NS)


def _covered(parts: Iterable[tuple[int, int]], begin: int, columns: int) -> list[Cell]:
    ran = [0] * columns
    for start, end in parts:
        first, last = (start - begin) // COLUMN_NS, (end - begin) // COLUMN_NS
        for column in range(max(0, first), min(columns - 1, last) + 1):
            left = begin + column * COLUMN_NS
            ran[column] += min(end, left + COLUMN_NS) - max(start, left)
    return [("running" if 2 * time > COLUMN_NS else "waiting", "") for time in ran]


# -- drawing ---------------------------------------------------------------------------------------------------------


def label_width(play: Play) -> int:
    """Columns for the labels of a play."""
    return max(map(cell_len, labels(play.lanes)), default=0)


def drawn(chart: Chart, glyphs: Glyphs, width: int) -> list[Text]:
    """The chart's lanes as lines of text, with labels of ``width`` columns."""
    return [
        Text.assemble(
            (f"  {row.label.replace('…', glyphs.cut)}{' ' * (width - cell_len(row.label))}  ", "dim"),
            *((number or getattr(glyphs, state), _style(state)) for state, number in row.cells),
        )
        for row in chart.rows
    ]


def _style(state: str) -> str:
    return STYLES.get({"unlock": "lock", "started": "running", "ended": "running"}.get(state, state), "")


def states_in(charts: Iterable[Chart]) -> set[str]:
    """The states and marks that a legend has to explain."""
    return {state for chart in charts for row in chart.rows for state, _ in row.cells} - {"none"}
