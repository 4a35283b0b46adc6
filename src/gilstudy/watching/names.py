"""The names of threads and child processes, told to the watch as they come: no thread object lives longer for it.

New threads are heard of where `threading` asks for a new thread's native id. That is within the new thread, before any
code of the program's: no public attribute is replaced, and no frame of ours is ever in a traceback.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from gilstudy.host.runtime import is_free_threaded

if TYPE_CHECKING:
    from gilstudy._gilwatch import Sampler

WHERE: Final = "_set_native_id"
"""The method of `threading.Thread` that is replaced while a watch runs; where there is none, present names are told."""
ORIGINAL: Final = "gilstudy_stands_for"
"""The attribute of our replacement that has what it replaces."""


def begin(sampler: Sampler) -> None:
    """From now on tell new threads' names to all watches that run, and the present ones to this one."""
    _match()
    _heed_forks()
    tell(sampler)


def end(sampler: Sampler) -> None:
    """Tell the present names, which may have changed; let new threads be if no watch runs any more."""
    tell(sampler)
    _match()


def tell(sampler: Sampler) -> None:
    """Tell a watch the present names of threads, and of multiprocessing's children."""
    known = sampler.names()
    for native_id, name in _present():
        if known.get(native_id) != name:
            sampler.tell(native_id, name)


def _present() -> Iterator[tuple[int, str]]:
    for thread in threading.enumerate():
        if thread.native_id is not None:
            yield thread.native_id, thread.name
    # active_children() would do more than tell: it waits for those that have ended.
    module = sys.modules.get("multiprocessing.process")
    for process in list(getattr(module, "_children", ())):
        started = getattr(process, "_popen", None)
        if started is not None:
            yield started.pid, process.name


def _match() -> None:
    """Replace `WHERE`, or put the original back, as the watches that run have it, whoever else does so meanwhile.

    It takes no lock, which a forked child might find taken; whoever writes last has seen that it fits.

    A free-threaded build has locks of its own, one of them for all that is set on types; a child that is forked while
    several threads want it may find it taken for ever. There ours is put in place once, and stays: it does the same.
    """
    from gilstudy._gilwatch import any_runs, telling

    while True:
        present = getattr(threading.Thread, WHERE, None)
        original = getattr(present, ORIGINAL, None)  # only ours have it; somebody else's may call ours: then both tell
        is_ours = original is not None
        if present is None or any_runs() == is_ours or (is_ours and is_free_threaded()):
            return
        setattr(threading.Thread, WHERE, original or telling(present))


_FORKS_HEEDED: Final[list[bool]] = []


def _heed_forks() -> None:
    """Have the original back in forked children, which have no watch; once per process."""
    if not _FORKS_HEEDED and hasattr(os, "register_at_fork"):
        _FORKS_HEEDED.append(True)
        os.register_at_fork(after_in_child=_match)
