"""The names of threads and child processes, kept as values: no thread object lives longer for it."""

from __future__ import annotations

import sys
import threading
from typing import Any, Final


class Names:
    """From `begin` to `end` it notes every thread that there is, or that `threading.Thread.start` starts."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}

    def begin(self) -> None:
        """Note the present threads, and from now on each new one."""
        _NEW_THREADS.add(self)
        self._note_all()

    def end(self) -> None:
        """Note the present names, which may have changed, and let new threads be."""
        self._note_all()
        _NEW_THREADS.remove(self)

    def all(self) -> dict[int, str]:
        """Names by native id, and of multiprocessing's children by process id."""
        self._note_all()
        return dict(self._names)

    def note(self, thread: threading.Thread) -> None:
        """Note the name of a thread that has begun."""
        if thread.native_id is not None:
            self._names[thread.native_id] = thread.name

    def _note_all(self) -> None:
        for thread in threading.enumerate():
            self.note(thread)
        multiprocessing = sys.modules.get("multiprocessing")
        if multiprocessing is not None:
            self._names |= {process.pid: process.name for process in multiprocessing.active_children()}


class _NewThreads:
    """Stands in for `threading.Thread.start` while anybody wants to hear of new threads; they may end in any order."""

    def __init__(self) -> None:
        self._listeners: tuple[Names, ...] = ()  # replaced, never changed: it may be gone through meanwhile
        self._lock = threading.RLock()  # a forgotten watch may be collected, and so end, while it is held
        self._original: Any = None
        self._hook: Any = None

    def add(self, names: Names) -> None:
        with self._lock:
            self._listeners += (names,)
            if self._hook is None:
                self._original, self._hook = threading.Thread.start, self._make_hook(threading.Thread.start)
                _replace_start(self._hook)

    def remove(self, names: Names) -> None:
        with self._lock:
            self._listeners = tuple(one for one in self._listeners if one is not names)
            # Somebody who came after us may have put his own in place, which calls ours: then ours stays.
            if not self._listeners and threading.Thread.start is self._hook:
                _replace_start(self._original)
                self._hook = None

    def _make_hook(self, original: Any) -> Any:
        def start(thread: threading.Thread) -> None:
            original(thread)
            for names in self._listeners:
                names.note(thread)

        return start


def _replace_start(start: Any) -> None:
    setattr(threading.Thread, "start", start)  # noqa: B010  (mypy would not have it otherwise)


_NEW_THREADS: Final = _NewThreads()
