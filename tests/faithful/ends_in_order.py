"""The order of the end: threads, atexit, finalizers, what the globals hold, and what is buffered."""

import atexit
import os
import sys
import threading
import weakref


class Tells:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        os.write(1, f"{self.name} goes\n".encode())


def fails():
    raise ValueError("in an atexit function")


def late():
    threading.main_thread().join()
    os.write(1, b"the thread ends\n")


held = Tells("what a global holds")
weakref.finalize(held, os.write, 1, b"finalizer\n")
atexit.register(os.write, 1, b"atexit, registered first\n")
atexit.register(fails)
atexit.register(lambda: os.write(1, f"main is there: {'held' in globals()}\n".encode()))
atexit.register(lambda: sys.stdout.write("buffered in atexit\n"))
threading._register_atexit(os.write, 1, b"threading's atexit\n")
threading.Thread(target=late).start()
sys.stdout.write("buffered ")
os.write(1, b"not buffered\n")
if sys.argv[1:] == ["exit"]:
    atexit.register(lambda: sys.exit(9))
    sys.exit(8)
