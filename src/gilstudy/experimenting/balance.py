"""A balance that several threads change: as the tutorial does it, with a call in the middle, and with a lock.

Each function makes a number of passes. The tutorial's own adds 1 and takes it away again, so the balance must end where
it began, but losses of both kinds hide each other; the other two only add, so every lost update shows.
"""

from __future__ import annotations

import threading

balance = 0
lock = threading.Lock()


def as_written(passes: int) -> None:
    """The tutorial's own lines without its lock: each reads, computes and writes in one statement."""
    global balance
    for _ in range(passes):
        balance = balance + 1
        balance = balance - 1


def added(value: int) -> int:
    """A call: here the interpreter may switch to another thread."""
    return value + 1


def split_by_call(passes: int) -> None:
    """A function is called between the read and the write."""
    global balance
    for _ in range(passes):
        balance = added(balance)


def locked(passes: int) -> None:
    """The same with a lock around the read and the write."""
    global balance
    for _ in range(passes):
        with lock:
            balance = added(balance)
