"""Daemon threads that wait on a lock, in a queue and in a pipe while the interpreter ends."""

import os
import queue
import threading

reader, writer = os.pipe()
begun = [threading.Event() for _ in range(3)]
lock = threading.Lock()
lock.acquire()


def wait(place, what):
    begun[place].set()
    what()


threading.Thread(target=wait, args=(0, lock.acquire), daemon=True).start()
threading.Thread(target=wait, args=(1, queue.Queue().get), daemon=True).start()
threading.Thread(target=wait, args=(2, lambda: os.read(reader, 1)), daemon=True).start()
for event in begun:
    event.wait()
print("the last line")
