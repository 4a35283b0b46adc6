"""Ctrl-C while Python waits for a thread at the end: it no longer waits."""

import os
import signal
import threading


def late():
    threading.main_thread().join()
    os.kill(os.getpid(), signal.SIGINT)
    threading.Event().wait()


threading.Thread(target=late).start()
