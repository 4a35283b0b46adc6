"""Ctrl-C and requests to end: the first is KeyboardInterrupt, a second one ends the process at once.

A process that runs somebody's program hands all of it back first (`hand_back`): neither that program nor its children
are to meet handlers of ours.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final, NoReturn

from gilstudy.system import children

INTERRUPTED: Final = 130
"""The exit code of what was interrupted, as shells have it."""
ONE_WISH_NS: Final = 500_000_000
"""Signals within this time are one wish: a terminal sends Ctrl-C to all of a group, and who started us sends it on."""
KINDS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class _Interrupts:
    """Our handlers, from `install` to `remove`."""

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._show_dropped: Any = None
        self._first_ns = 0
        self._last = signal.SIGINT

    def install(self) -> None:
        """Put our handlers in place; what is ignored, as under nohup, stays ignored."""
        self._before = {kind: signal.getsignal(kind) for kind in KINDS}
        self._show_dropped, sys.unraisablehook = sys.unraisablehook, self._dropped
        for kind, handler in self._before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(kind, self._interrupt)

    def remove(self) -> None:
        """Put back what was there before; a second time it does nothing."""
        if not self._before:
            return
        sys.unraisablehook = self._show_dropped
        for kind, handler in self._before.items():
            signal.signal(kind, handler)
        self._before = {}

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self._last, now_ns = signal.Signals(number), time.monotonic_ns()
        if not self._first_ns:
            self._first_ns = now_ns
            raise KeyboardInterrupt
        if now_ns - self._first_ns > ONE_WISH_NS:
            _end_at_once()

    def _dropped(self, what: sys.UnraisableHookArgs) -> None:
        """Python drops an exception that is raised within a callback of its own, such as a finaliser.

        An interrupt that is dropped so is made again, or the user's Ctrl-C would do nothing.
        """
        if what.exc_type is not KeyboardInterrupt:
            self._show_dropped(what)
            return
        self._first_ns = 0
        # Not from here, where it would be dropped again.
        threading.Timer(0.05, _signal_main_thread, [self._last]).start()


_installed: list[_Interrupts] = []
_handed_back: list[bool] = []


@contextlib.contextmanager
def interrupted_once() -> Iterator[None]:
    """Turn the first Ctrl-C or request to end into KeyboardInterrupt; a second one ends this process at once.

    What is the same wish as the first is not a second one. Outside the main thread nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    interrupts = _Interrupts()
    interrupts.install()
    _installed.append(interrupts)
    try:
        yield
    finally:
        interrupts.remove()
        _installed.remove(interrupts)


def hand_back() -> None:
    """Take all that `interrupted_once` put in place away, for good: what comes next is a program's own."""
    for interrupts in reversed(_installed):
        interrupts.remove()
    _handed_back.append(True)


def are_handed_back() -> bool:
    """Whether `hand_back` was called: this process is a program's now, and ends as that does."""
    return bool(_handed_back)


def end_with(code: int) -> None:
    """Have any signal that comes from now on end the process with ``code``: there is nothing left to be done."""
    for kind in KINDS:
        if signal.getsignal(kind) is not signal.SIG_IGN:
            signal.signal(kind, lambda *_: os._exit(code))


def was_signalled(error: BaseException) -> bool:
    """Whether ``error`` is the interruption that a signal to this command raised, and nobody's own exception."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return isinstance(error, KeyboardInterrupt) and trace is not None and trace.tb_frame.f_globals is globals()


def _end_at_once() -> NoReturn:
    try:
        children.end_all()
    finally:
        os._exit(INTERRUPTED)


def _signal_main_thread(kind: signal.Signals) -> None:
    if hasattr(signal, "pthread_kill"):  # ends its waiting in a system call too
        signal.pthread_kill(threading.main_thread().ident or 0, kind)
    else:
        _thread.interrupt_main(kind)
