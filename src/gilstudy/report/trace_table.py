"""The threads of a trace as a table that fits: only names are cut, and columns that have no room go below."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.text import Text

from gilstudy.report.figures import ms, share
from gilstudy.report.labels import padded
from gilstudy.watching.summary import LaneSummary, Summary, Waits
from gilstudy.watching.trace import State

FEWEST_FOR_MEDIAN: Final = 5
HEADING: Final = "thread"
"""Of the names."""
WIDE: Final = 4
"""The gap before columns that belong together."""
NARROWEST_NAME: Final = 12
"""Columns that names can be cut to so that more figures fit beside them."""
TOLD: Final[tuple[tuple[str, State], ...]] = (("waits: GIL", "waiting"), ("CPU", "ready"), ("sleeps", "blocked"))
"""The states in the table, in its order, by their headings."""


@dataclass(frozen=True, slots=True)
class Column:
    """A heading and the figures below it, one a thread."""

    heading: str
    cells: tuple[str, ...]
    gap: int = 2

    @property
    def width(self) -> int:
        """What it takes with the gap before it."""
        return self.gap + max(len(cell) for cell in (self.heading, *self.cells))


Part = tuple[Column, ...]
"""Columns that belong together."""


def parts(summary: Summary, rows: Sequence[LaneSummary]) -> list[Part]:
    """The columns that have something in them."""
    given = [_holds(rows), _waits(rows), _shares(summary, rows)]
    told = [tuple(column for column in part if any(column.cells)) for part in given]
    return [part for part in told if part]


def _holds(rows: Sequence[LaneSummary]) -> Part:
    return (
        Column("holds", tuple(str(row.holds.count) if row.holds else "" for row in rows), WIDE),
        Column("median", tuple(median(row.holds.median_ns, row.holds.count) if row.holds else "" for row in rows)),
        Column("longest", tuple(ms(row.holds.longest_ns) if row.holds else "" for row in rows)),
    )


def _waits(rows: Sequence[LaneSummary]) -> Part:
    return (
        Column("waits", tuple(str(row.waits.count) if row.waits else "" for row in rows), WIDE),
        Column("median", tuple(median(row.waits.median_ns, row.waits.whole) if row.waits else "" for row in rows)),
        Column("longest", tuple(_longest_wait(row.waits) for row in rows)),
    )


def _longest_wait(waits: Waits | None) -> str:
    return longest(waits.longest_ns, waits.longest_is_whole) if waits else ""


def median(ns: float | None, count: int) -> str:
    """A median, if there are enough values for one and the watch saw most of what there was."""
    return "" if ns is None or count < FEWEST_FOR_MEDIAN else ms(ns)


def longest(ns: int, is_whole: bool) -> str:
    """The longest of several; if one end of it was not seen, it lasted longer than what was seen of it."""
    return ms(ns) if is_whole else f">{ms(ns)}"


def _shares(summary: Summary, rows: Sequence[LaneSummary]) -> Part:
    def held(row: LaneSummary) -> str:
        return "" if summary.held is None or row.is_process else share(row.held_ns / summary.span_ns)

    def told(row: LaneSummary, state: State) -> str:
        return "" if row.is_process else told_share(summary.share(row, state))

    return (
        Column("held", tuple(held(row) for row in rows), WIDE),
        Column("ran", tuple(told_share(summary.ran(row)) for row in rows)),
        *(Column(heading, tuple(told(row, state) for row in rows)) for heading, state in TOLD),
    )


def told_share(value: float | None) -> str:
    """A share, or nothing if it was not seen."""
    return "" if value is None else share(value)


def blocks(given: Sequence[Part], names: int, width: int) -> list[Part]:
    """The columns in as few blocks, one below the other, as ``width`` allows beside names of ``names`` columns.

    Those that belong together stay together, unless they have no room even so.
    """
    room = width - min(names, NARROWEST_NAME)
    found: list[Part] = []
    for part in given:
        whole = [part] if _width(part) <= room else [(column,) for column in part]
        for piece in whole:
            if found and _width(found[-1]) + _width(piece) <= room:
                found[-1] += piece
            else:
                found.append(piece)
    return found


def _width(part: Part) -> int:
    return sum(column.width for column in part)


def name_width(given: Sequence[Part], names: int, width: int) -> int:
    """How wide names of ``names`` columns can be beside every block."""
    return min([names, max(NARROWEST_NAME, width // 4), *(width - _width(block) for block in given)])


def lines(given: Sequence[Part], names: Sequence[str]) -> Iterable[Text]:
    """The blocks, line by line, each with the threads that it says something of.

    Args:
        given: the blocks.
        names: the labels, one for each row, all of them short enough.
    """
    width = max(map(cell_len, (HEADING, *names)))
    for block in given:
        yield Text("")
        yield Text(padded(HEADING, width) + "".join(c.heading.rjust(c.width) for c in block), style="bold")
        for number, name in enumerate(names):
            if any(column.cells[number] for column in block):
                yield Text((padded(name, width) + "".join(c.cells[number].rjust(c.width) for c in block)).rstrip())
