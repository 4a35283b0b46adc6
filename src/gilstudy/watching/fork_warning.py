"""Python's warning of a fork beside threads (3.12), which counts the system's threads and so the watch's too.

A filter is put in front that lets it through where the program has another thread of its own, as ever, and holds it
back where ours is the only one.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Any, Final

_WARNING: Final = re.compile(r"This process \(pid=\d+\) is multi-threaded, use of ")


class _OursAlone:
    """In place of a filter's pattern: it matches the warning if the process has two threads, the watch's among them."""

    def __init__(self) -> None:
        self._pid = os.getpid()

    def match(self, text: str) -> bool:
        """Whether this text is to be held back."""
        if not _WARNING.match(text) or os.getpid() != self._pid:
            return False
        try:
            return len(os.listdir("/proc/self/task")) <= 2  # noqa: PTH208 (nothing more is imported in the program)
        except OSError:
            return False


def hold_back() -> None:
    """Put the filter in front of those that there are; what the program sets comes before it."""
    if sys.version_info < (3, 12) or not sys.platform.startswith("linux"):
        return
    import _warnings

    native: Any = _warnings
    native.filters.insert(0, ("ignore", _OursAlone(), DeprecationWarning, None, 0))
    if hasattr(native, "_filters_mutated_lock_held"):  # 3.14
        native._acquire_lock()
        try:
            native._filters_mutated_lock_held()
        finally:
            native._release_lock()
    else:
        native._filters_mutated()
