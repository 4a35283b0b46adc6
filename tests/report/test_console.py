"""What is printed into a file or a pipe."""

from __future__ import annotations

import io

import pytest
from rich.table import Table
from rich.text import Text

from gilstudy.report.console import console
from gilstudy.system.streams import Output


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "trailing"), [(io.StringIO(), 0), (Terminal(), 1)])
def test_lines_end_where_their_text_does_unless_a_terminal_is_to_be_filled(stream: io.StringIO, trailing: int) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_row("long enough", "x")
    table.add_row("y", "")
    console(output=Output(stream)).print(table)
    assert sum(line.endswith(" ") for line in stream.getvalue().splitlines()) == trailing
    assert [line.split() for line in stream.getvalue().splitlines()] == [["long", "enough", "x"], ["y"]]


def test_what_has_no_end_yet_is_not_kept_back() -> None:
    stream = io.StringIO()
    out = console(output=Output(stream))
    out.print(Text("your guess: "), end="")
    assert stream.getvalue() == "your guess: "
    out.print("1")
    assert stream.getvalue() == "your guess: 1\n"
