"""Writes down what a lesson's processes and threads do, from outside of the lesson's own code.

Each process writes its own file of JSON lines, one event each: when, pid, thread, process name, thread name, kind,
text. Times are `time.perf_counter_ns`, one clock for all processes of the host. Only the standard library is used.
"""

from __future__ import annotations

import faulthandler
import io
import json
import os
import signal
import threading
import time
from pathlib import Path


class Recorder:
    """The file of this process. Safe to call from any thread: an event is one write to a file opened for appending."""

    def __init__(self, folder: str, limit_s: int) -> None:
        self._folder = Path(folder)
        self._limit_s = limit_s
        self._file = -1
        self._ended = False
        self._own = threading.local()
        self.process_name = "MainProcess"
        self.begin()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.begin)

    def begin(self) -> None:
        """Open the file of this process, and see to it that the process ends at the latest after its limit."""
        if hasattr(signal, "alarm"):
            signal.alarm(self._limit_s)  # a fork forgets it; first of all, since the file may be refused
        else:
            faulthandler.dump_traceback_later(self._limit_s, exit=True)
        path = self._folder / f"{os.getpid()}.events"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._own = threading.local()
        self._ended = False

    def end(self) -> None:
        """Write down that the process ends, if that was not done yet."""
        if not self._ended:
            self._ended = True
            self.note("ended")

    def note(self, kind: str, text: str = "") -> None:
        """Write down that the calling thread does something now."""
        now = time.perf_counter_ns()
        thread = threading.current_thread()
        name = "" if thread is threading.main_thread() else thread.name
        event = (now, os.getpid(), threading.get_native_id(), self.process_name, name, kind, text)
        os.write(self._file, json.dumps(event).encode() + b"\n")

    def say(self, text: str) -> None:
        """Record each line that the calling thread has completed, and pass it on to the real standard output."""
        *lines, self._own.begun = (getattr(self._own, "begun", "") + text).split("\n")
        for line in lines:
            self.note("said", line)
            os.write(1, f"{line}\n".encode())


class Lines(io.TextIOBase):
    """A standard output that tells a recorder of each line, whole, even if threads print at the same time."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def write(self, text: str) -> int:
        """Take text; a line is recorded when its end comes."""
        self._recorder.say(text)
        return len(text)
