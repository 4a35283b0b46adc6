"""Handlers of its own for SIGTERM, SIGUSR1, SIGALRM, SIGCHLD, SIGHUP and SIGINT."""

import os
import signal
import subprocess
import threading

told = threading.Event()


def handler(number, frame):
    print("got", signal.Signals(number).name, "in", threading.current_thread().name, frame.f_globals["__name__"][:10])
    told.set()


def send(number):
    told.clear()
    before = signal.signal(number, handler)
    if number == signal.SIGALRM:
        signal.setitimer(signal.ITIMER_REAL, 0.001)
    elif number == signal.SIGCHLD:
        subprocess.run(["true"])
    else:
        os.kill(os.getpid(), number)
    told.wait()
    print("before", before)
    print("now", signal.signal(number, before) is handler)


for kind in ("SIGTERM", "SIGUSR1", "SIGALRM", "SIGCHLD", "SIGHUP", "SIGINT"):
    for _ in range(2):
        send(getattr(signal, kind))
