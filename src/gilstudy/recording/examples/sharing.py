"""Threads share a variable; a process has a copy of its own."""

from multiprocessing import Process
from threading import Thread

balance = 0


def deposit():
    global balance
    balance = balance + 8
    print("balance where it was changed:", balance)


if __name__ == "__main__":
    for kind in (Thread, Process):
        balance = 0
        worker = kind(target=deposit)
        worker.start()
        worker.join()
        print("balance in the main thread after", kind.__name__, balance)
