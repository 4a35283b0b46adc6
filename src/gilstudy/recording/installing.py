"""Has a process recorded: imported in every interpreter that imports a lesson's program, before the program itself."""

from __future__ import annotations

import atexit
import sys

from gilstudy.recording.recorder import Lines, Recorder
from gilstudy.system.children import end_with


def install(folder: str, limit_s: int, conductor: int) -> None:
    """Record this process and all that it starts. It is called in every interpreter that imports the lesson's program.

    Args:
        folder: for the files with the events.
        limit_s: every process ends after so many seconds.
        conductor: the id of the process that started the program; the program's first process ends with it.
    """
    recorder = Recorder(folder, limit_s)
    # Before multiprocessing is imported: it registers that the children are joined, and what is registered first is
    # called last.
    atexit.register(recorder.end)
    from gilstudy.recording import hooks

    sys.stdout = Lines(recorder)
    hooks.wrap_all(recorder)
    if recorder.process_name == "MainProcess":
        end_with(conductor)
        recorder.note("started")
