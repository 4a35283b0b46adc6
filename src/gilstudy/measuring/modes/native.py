"""The ceiling: the countdown in native threads, with no Python between them. It shows what the host can give now."""

from __future__ import annotations

from collections.abc import Sequence

from gilstudy import _native
from gilstudy.measuring.laps import Turn
from gilstudy.measuring.record import Edge, Span


class NativeCrew:
    """Native threads, started anew for every turn before it begins."""

    def run(self, turn: Turn, cpus: Sequence[int]) -> list[Span]:
        """Run one native thread per entry of ``cpus``."""
        crew = _native.crew(list(cpus), turn.lap, turn.begin_ns, turn.open_ns, turn.close_ns)
        return [Span(ready_ns, Edge(*opened), Edge(*closed)) for ready_ns, opened, closed in crew]

    def close(self) -> None:
        """Nothing to end: the threads end with their turn."""
