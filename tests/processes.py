"""Finding the processes that a command left behind: all its descendants work in the folder that it was started in."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil


def working_in(folder: Path) -> list[psutil.Process]:
    """The living processes, other than this one, whose working folder is ``folder``."""
    found = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        try:
            if Path(process.cwd()) == folder and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def left_in(folder: Path, patience_s: float = 20.0) -> list[str]:
    """What is still running in ``folder`` after the system had time to end what was told to end."""
    deadline = time.monotonic() + patience_s
    while (left := working_in(folder)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return [" ".join(process.cmdline()) for process in left if process.is_running()]


def workers_of(station: psutil.Process) -> list[psutil.Process]:
    """The worker processes of a station, however they were started: not what `multiprocessing` runs beside them."""
    found = []
    try:
        children = station.children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    for child in children:
        try:
            command, parent = " ".join(child.cmdline()), child.ppid()
        except psutil.Error:
            continue
        # What a fork server forks has the server's own command line.
        is_server = "forkserver" in command and parent == station.pid
        if not is_server and "resource_tracker" not in command:
            found.append(child)
    return found
