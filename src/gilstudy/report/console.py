"""The console that every command prints on: text is text, nothing in it is read as markup, emoji or numbers."""

from __future__ import annotations

from typing import IO, cast

from rich.console import Console

from gilstudy.system import streams


def console(*, stderr: bool = False, quiet: bool = False, output: streams.Output | None = None) -> Console:
    """A console on standard output.

    Styles come from `rich.text.Text` and from ``style=``, never from within a string.

    Args:
        stderr: whether it prints on standard error instead.
        quiet: whether it prints nothing.
        output: where to print instead of either.
    """
    file = output or (streams.errors() if stderr else streams.output())
    return Console(file=cast(IO[str], file), stderr=stderr, quiet=quiet, markup=False, emoji=False, highlight=False)


def draws_unicode(console: Console) -> bool:
    """Whether the terminal, or the file, can take more than ASCII: blocks and lines."""
    return console.encoding.lower().startswith("utf")
