"""Daemon threads that spin while the interpreter ends."""

import atexit
import threading

both_spin = threading.Barrier(3)


def spin():
    both_spin.wait()
    while True:
        pass


for _ in range(2):
    threading.Thread(target=spin, daemon=True).start()
both_spin.wait()
atexit.register(print, "atexit")
print("the last line")
