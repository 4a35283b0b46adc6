"""The experiment of the text: count down alone, then in two threads; and what it leaves out."""

import sys
from multiprocessing import Process
from threading import Thread
from time import perf_counter

from gilstudy._kernels import countdown_nogil as nogil  # the same countdown in C, which releases the GIL


def decrement(n):
    while n > 0:
        n -= 1


def seconds(*workers):
    start = perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return perf_counter() - start


if __name__ == "__main__":
    work = {"args": (int(sys.argv[1]),)}
    start = perf_counter()
    decrement(*work["args"])
    print("alone", perf_counter() - start)
    print("two threads", seconds(Thread(target=decrement, **work), Thread(target=decrement, **work)))
    print("two processes", seconds(Process(target=decrement, **work), Process(target=decrement, **work)))
    print("C alone", seconds(Thread(target=nogil, **work)))
    print("C in two threads", seconds(Thread(target=nogil, **work), Thread(target=nogil, **work)))
