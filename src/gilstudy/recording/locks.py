"""Locks that tell who holds them and who waits for them, and see a deadlock at the moment when it closes.

A deadlock is a cycle in the wait-for graph: each thread of it waits for a lock that the next one holds (Coffman,
Elphick and Shoshani 1971, "System Deadlocks"). Nobody in the cycle can ever go on, so finding one is proof.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

Note = Callable[[str, str], None]


class Locks:
    """All locks of a program, who holds each, and who waits for which."""

    def __init__(self, note: Note) -> None:
        self._note = note
        self._mutex = threading.Lock()
        self._holders: dict[Lock, threading.Thread] = {}
        self._waits: dict[threading.Thread, Lock] = {}

    def new(self, real: Any) -> Lock:
        """A lock of this program around a real one."""
        return Lock(self, real)

    def waits(self, lock: Lock, *, for_ever: bool) -> None:
        """The calling thread is going to wait for ``lock``; if that closes a cycle, say so."""
        me = threading.current_thread()
        with self._mutex:
            self._waits[me] = lock
            cycle = self._cycle(me) if for_ever else []
        self._note("waits", f"lock {lock.name}")
        if cycle:
            links = [(who.name, cycle[place - 1][1].name, wanted.name) for place, (who, wanted) in enumerate(cycle)]
            self._note("deadlock", json.dumps(links))

    def _cycle(self, first: threading.Thread) -> list[tuple[threading.Thread, Lock]]:
        """Who waits for which lock, along the graph from ``first`` until it is reached again; empty if it is not."""
        links: list[tuple[threading.Thread, Lock]] = []
        thread: threading.Thread | None = first
        while thread is not None and (lock := self._waits.get(thread)) is not None:
            links.append((thread, lock))
            thread = self._holders.get(lock)
            if thread is first:
                return links
            if any(thread is known for known, _ in links):
                break  # a cycle that does not go through the first
        return []

    def gave_up(self) -> None:
        """The calling thread waits no longer."""
        with self._mutex:
            self._waits.pop(threading.current_thread(), None)

    def acquired(self, lock: Lock, *, waited: bool) -> None:
        """The calling thread holds ``lock`` now."""
        me = threading.current_thread()
        with self._mutex:
            self._waits.pop(me, None)
            self._holders[lock] = me
        self._note("goes-on" if waited else "acquired", f"lock {lock.name}")

    def released(self, lock: Lock) -> None:
        """The calling thread is about to release ``lock``."""
        with self._mutex:
            self._holders.pop(lock, None)
        self._note("released", f"lock {lock.name}")


class Lock:
    """Works like `threading.Lock`."""

    def __init__(self, locks: Locks, real: Any) -> None:
        self._locks = locks
        self._real = real

    @property
    def name(self) -> str:
        """The program's global variable that holds this lock."""
        names = vars(sys.modules["__main__"]).items()
        return next((name for name, value in list(names) if value is self), "lock")

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Acquire it, as `threading.Lock.acquire` does."""
        if self._real.acquire(blocking=False):
            self._locks.acquired(self, waited=False)
            return True
        if not blocking:
            return False
        self._locks.waits(self, for_ever=timeout < 0)
        got: bool = self._real.acquire(timeout=timeout)
        if got:
            self._locks.acquired(self, waited=True)
        else:
            self._locks.gave_up()
        return got

    def release(self) -> None:
        """Release it."""
        self._locks.released(self)
        self._real.release()

    def locked(self) -> bool:
        """Whether somebody holds it."""
        return bool(self._real.locked())

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
