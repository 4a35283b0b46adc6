"""The console that every command prints on: text is text, nothing in it is read as markup, emoji or numbers."""

from __future__ import annotations

from rich.console import Console


def console(*, stderr: bool = False, quiet: bool = False) -> Console:
    """A console on standard output.

    Styles come from `rich.text.Text` and from ``style=``, never from within a string.

    Args:
        stderr: whether it prints on standard error instead.
        quiet: whether it prints nothing.
    """
    return Console(stderr=stderr, quiet=quiet, markup=False, emoji=False, highlight=False)
