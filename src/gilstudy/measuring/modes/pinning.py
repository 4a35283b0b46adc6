"""Keeps a worker on the CPU that it is told, asking the system only when that changes."""

from __future__ import annotations

from gilstudy._native import pin


class Pin:
    """The pin of one worker thread; use it on that thread only."""

    __slots__ = ("_cpu",)

    def __init__(self) -> None:
        self._cpu = -1

    def move(self, cpu: int) -> None:
        """Move to ``cpu``; -1 leaves the thread where it is.

        Raises:
            OSError: the system refused, for example because the CPU was taken away from this process meanwhile.
        """
        if cpu in (-1, self._cpu):
            return
        if not pin(cpu):
            raise OSError(f"the system refused to keep a worker on CPU {cpu}")
        self._cpu = cpu
