"""The console that every command prints on: text is text, nothing in it is read as markup, emoji or numbers."""

from __future__ import annotations

from typing import IO, Any, cast

from rich.console import Console

from gilstudy.system import streams


class Trimmed:
    """An output whose lines end where their text does: tables are padded with blanks, which nobody wants in a file."""

    def __init__(self, output: streams.Output) -> None:
        self._output = output
        self._line = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._output, name)

    def write(self, text: str) -> int:
        """Write all whole lines; the rest waits for its end, or for `flush`."""
        *lines, self._line = (self._line + text).split("\n")
        self._output.write("".join(line.rstrip(" ") + "\n" for line in lines))
        return len(text)

    def flush(self) -> None:
        """Write what has no end yet, as it is."""
        self._output.write(self._line)
        self._line = ""
        self._output.flush()


def console(*, stderr: bool = False, quiet: bool = False, output: streams.Output | None = None) -> Console:
    """A console on standard output.

    Styles come from `rich.text.Text` and from ``style=``, never from within a string.

    Args:
        stderr: whether it prints on standard error instead.
        quiet: whether it prints nothing.
        output: where to print instead of either.
    """
    file = output or (streams.errors() if stderr else streams.output())
    shown = cast(IO[str], file if file.isatty() else Trimmed(file))
    return Console(file=shown, stderr=stderr, quiet=quiet, markup=False, emoji=False, highlight=False)


def draws_unicode(console: Console) -> bool:
    """Whether the terminal, or the file, can take more than ASCII: blocks and lines."""
    return console.encoding.lower().startswith("utf")
