"""Wraps the few methods of the standard library that begin, end and wait, so that they tell a recorder.

A lesson's program itself stays as plain as it would be in a book. Only what the program itself calls is recorded, not
what the standard library calls on its own.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import multiprocessing.pool
import multiprocessing.process
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final

from gilstudy.recording.locks import Locks
from gilstudy.recording.recorder import Recorder
from gilstudy.system.children import end_with

PROGRAM: Final = ("__main__", "__mp_main__")
"""The names under which the lesson's program runs, in the first process and in spawned ones."""


def wrap_all(recorder: Recorder) -> None:
    """Have the processes and threads of this interpreter, and what they wait for, recorded."""
    recorder.process_name = multiprocessing.current_process().name
    _wrap_processes(recorder)
    _wrap_threads(recorder)
    _wrap_waits(recorder)


def called_by_program(depth: int) -> bool:
    """Whether the function ``depth`` frames above the caller belongs to the lesson's program."""
    return sys._getframe(depth + 1).f_globals.get("__name__") in PROGRAM


# -- what begins and ends --------------------------------------------------------------------------------------------


def _wrap_processes(recorder: Recorder) -> None:
    process_class: Any = multiprocessing.process.BaseProcess
    bootstrap = process_class._bootstrap

    def recorded_bootstrap(self: Any, *args: Any, **kwargs: Any) -> int:
        recorder.process_name = self.name
        end_with(os.getppid())
        recorder.note("started")
        code: int = bootstrap(self, *args, **kwargs)
        recorder.end()
        return code

    process_class._bootstrap = recorded_bootstrap
    if hasattr(os, "fork"):
        fork = os.fork

        def recorded_fork() -> int:
            answer = fork()
            if answer == 0 and called_by_program(1):
                recorder.process_name = "child"
                recorder.note("started")
            return answer

        os.fork = recorded_fork


def _wrap_threads(recorder: Recorder) -> None:
    start = threading.Thread.start

    def recorded_start(self: threading.Thread) -> None:
        if not sys._getframe(1).f_globals.get("__name__", "").startswith("multiprocessing"):
            run = self.run

            def recorded_run() -> None:
                recorder.note("started")
                try:
                    run()
                finally:
                    recorder.note("ended")

            self.run = recorded_run  # type: ignore[method-assign]
        start(self)

    threading.Thread.start = recorded_start  # type: ignore[method-assign]


# -- what waits ------------------------------------------------------------------------------------------------------


def _wrap_waits(recorder: Recorder) -> None:
    waits: list[tuple[Any, str, Callable[[Any], str]]] = [
        (multiprocessing.process.BaseProcess, "join", lambda process: f"join {process.name}"),
        (threading.Thread, "join", lambda thread: f"join {thread.name}"),
        (multiprocessing.pool.Pool, "join", lambda pool: "join pool"),
        (multiprocessing.pool.Pool, "apply", lambda pool: "result"),
        (multiprocessing.pool.ApplyResult, "get", lambda result: "result"),
        (Future, "result", lambda future: "result"),
        (threading.Event, "wait", lambda event: "event"),
        (threading.Barrier, "wait", lambda barrier: "barrier"),
    ]
    with contextlib.suppress(ImportError):  # a system without shared semaphores
        from multiprocessing.synchronize import Event

        waits.append((Event, "wait", lambda event: "event"))
    for owner, method, what in waits:
        setattr(owner, method, _recorded_wait(recorder, getattr(owner, method), what))
    if hasattr(os, "waitpid"):
        os.waitpid = _recorded_wait(recorder, os.waitpid, lambda pid: f"wait {pid}")
    locks, real_lock = Locks(recorder.note), threading.Lock

    def lock() -> Any:
        return locks.new(real_lock()) if called_by_program(1) else real_lock()

    threading.Lock = lock  # type: ignore[assignment]


def _recorded_wait(recorder: Recorder, wait: Callable[..., Any], what: Callable[[Any], str]) -> Callable[..., Any]:
    @functools.wraps(wait)
    def recorded(subject: Any, *args: Any, **kwargs: Any) -> Any:
        # At its exit a process joins its children, though the program does not say so.
        if not (called_by_program(1) or sys._getframe(1).f_code.co_name == "_exit_function"):
            return wait(subject, *args, **kwargs)
        recorder.note("waits", what(subject))
        try:
            return wait(subject, *args, **kwargs)
        finally:
            recorder.note("goes-on", what(subject))

    return recorded
