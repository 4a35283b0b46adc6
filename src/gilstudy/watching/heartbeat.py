"""A thread that asks for the GIL every half millisecond, and notes when it got it."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Final

BEAT_S: Final = 0.0005


class Heartbeat:
    """Beats from `__enter__` to `__exit__`. The first beat has been when `__enter__` returns."""

    def __init__(self) -> None:
        self._beats: list[int] = []
        self._ends = False
        self._first = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gilstudy heartbeat", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        self._first.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ends = True
        self._thread.join()

    @property
    def beats(self) -> list[int]:
        """The times of all beats, by `time.perf_counter_ns`."""
        return self._beats

    def _run(self) -> None:
        with contextlib.suppress(ImportError):
            from gilstudy._gilwatch import be_prompt

            be_prompt("gil-heartbeat")
        while not self._ends:
            self._beats.append(time.perf_counter_ns())  # with the GIL: this is the time at which it was got
            self._first.set()
            time.sleep(BEAT_S)


@contextlib.contextmanager
def switch_interval(seconds: float) -> Iterator[None]:
    """Set the interpreter's switch interval meanwhile.

    With one that is longer than what is measured nobody is made to give the GIL up: who gives it up does so by itself.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(seconds)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
