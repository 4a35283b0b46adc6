"""A line on a terminal that says what is waited for, and since when; it goes when there is something to be seen."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import Progress, TextColumn

REDRAW_S = 1.0
FIRST_S = 2.0
"""What is done before is not worth a line."""


class Waiting:
    """The line; nothing where the console is no terminal."""

    def __init__(self, console: Console, *, is_on: bool = True) -> None:
        self._line = Progress(
            TextColumn("{task.description}", markup=False),
            console=console,
            auto_refresh=False,
            transient=True,
            disable=not (is_on and console.is_terminal),
        )
        self._task = self._line.add_task("", total=None)
        self._begin_s = time.monotonic()
        self._drawn_s = 0.0

    def __enter__(self) -> Waiting:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the line away."""
        if self._drawn_s:
            self._line.stop()

    def say(self, what: str) -> None:
        """Say what is waited for now."""
        now_s = time.monotonic()
        if now_s - self._begin_s < FIRST_S or now_s - self._drawn_s < REDRAW_S:
            return
        if not self._drawn_s:
            self._line.start()
        self._drawn_s = now_s
        self._line.update(self._task, description=f"{what}, {now_s - self._begin_s:.0f} s", refresh=True)
