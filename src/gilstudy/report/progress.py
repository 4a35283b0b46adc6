"""The live display of a running study. It draws only between trials, so that it never competes with one."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from gilstudy.measuring.conductor import Progress as StudyProgress
from gilstudy.text import shown

REDRAW_S = 0.25
"""Seconds between two redraws: drawing costs time of the budget."""


class Display:
    """A progress bar on a terminal; silent where the console is none."""

    def __init__(self, console: Console) -> None:
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[note]}", markup=False),
            console=console,
            auto_refresh=False,  # no thread of its own: it would run beside the trials
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("starting", total=1.0, note="")
        self._drawn_s = -REDRAW_S

    def __enter__(self) -> Display:
        """Begin to draw."""
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        self._bar.stop()

    def notice(self, progress: StudyProgress) -> None:
        """Show how far the study has come."""
        if progress.phase == "measuring" and progress.elapsed_s - self._drawn_s < REDRAW_S:
            return
        self._drawn_s = progress.elapsed_s
        note = f"round {progress.round}, {progress.elapsed_s:.0f} of at most {progress.budget_s:.0f} s"
        if progress.failed:
            note += f", failed: {shown(', '.join(progress.failed))}"
        share = min(1.0, progress.elapsed_s / progress.budget_s)
        self._bar.update(self._task, description=progress.phase, completed=share, note=note, refresh=True)

    def experiment(self, name: str, place: int, count: int) -> None:
        """Show which of ``count`` experiments runs, after ``place`` others."""
        self._bar.update(self._task, description="experiments", completed=place / count, note=name, refresh=True)
