"""Programs that hang in one way or another, for tests/test_rescue.py: ``python stuck.py HOW OUT [SECONDS]``."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import gilstudy
from gilstudy.watching.lastreport import LastReport


def hold() -> None:
    ctypes.PyDLL(None).sleep(1000)  # keeps the GIL, if there is one


def holds_beside_others() -> None:
    for number in range(2):
        threading.Thread(target=spin, name=f"waiter {number}", daemon=True).start()
    time.sleep(0.01)
    say("ready")
    hold()


def spin() -> None:
    while True:
        pass


def deadlock() -> None:
    """One thread has a mutex and wants the GIL; the main thread has the GIL and wants the mutex."""
    mutex, has_it = ctypes.create_string_buffer(64), threading.Event()

    def other() -> None:
        ctypes.CDLL(None).pthread_mutex_lock(mutex)
        has_it.set()
        spin()

    threading.Thread(target=other, name="has the mutex", daemon=True).start()
    has_it.wait()
    say(f"{ctypes.addressof(mutex):#x}")
    ctypes.PyDLL(None).pthread_mutex_lock(mutex)


def swallow() -> None:
    begins = "ready"
    while True:
        try:
            say(begins)
            time.sleep(1000)
        except KeyboardInterrupt:
            begins = "swallowed"


def answer() -> None:
    say("ready")
    time.sleep(1000)


def handle() -> None:
    """Five times by itself; then it hangs."""
    count = 0

    def handler(*_: object) -> None:
        nonlocal count
        count += 1
        say(f"handled {count}")

    signal.signal(signal.SIGINT, handler)
    say("ready")
    while count < 5:
        time.sleep(0.01)
    mutex = ctypes.create_string_buffer(64)
    for _ in range(2):  # the second time it waits for itself; sleep() would end with a signal
        ctypes.PyDLL(None).pthread_mutex_lock(mutex)


def end_itself() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    say("after")


def be_interrupted_by_itself() -> None:
    for _ in range(5):
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1000)
        except KeyboardInterrupt:
            pass
    say("done")


def run_out_of_files() -> None:
    try:
        while True:
            os.open(os.devnull, os.O_RDONLY)
    except OSError:
        say("ready")
        hold()


def show_signals() -> None:
    """What a watch does to this process is undone in its children."""
    say(caught())
    child = os.fork()
    if not child:
        say(caught())
        os._exit(0)
    os.waitpid(child, 0)
    say(caught_in(subprocess.run(["cat", "/proc/self/status"], capture_output=True, text=True, check=True).stdout))


def caught() -> str:
    return caught_in(Path("/proc/self/status").read_text())


def caught_in(status: str) -> str:
    mask = int(next(line for line in status.splitlines() if line.startswith("SigCgt")).split()[1], 16)
    return " ".join(kind.name for kind in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM) if mask >> kind - 1 & 1)


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def main() -> None:
    how, out, seconds = sys.argv[1], sys.argv[2], sys.argv[3:]
    say("begins") if how != "show_signals" else say(caught())
    w = gilstudy.watch()
    w.start()
    limit = float(seconds[0]) if seconds else None
    assert w.arm(LastReport(what="stuck.py", out=(out,) if out else (), is_short=True, timeout_s=limit))
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    globals()[how]()
    w.stop()
    if how == "show_signals":
        say(caught())


if __name__ == "__main__":
    main()
