"""KeyboardInterrupt by SIGINT: caught, not caught, in a finally, twice, while a thread is waited for."""

import os
import signal
import sys
import threading
import time


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)  # the interrupt comes before


def caught():
    for _ in range(3):
        try:
            interrupt()
        except KeyboardInterrupt as error:
            print("caught", repr(error))


def uncaught():
    try:
        interrupt()
    finally:
        print("finally")


def turned_into_exit():
    try:
        interrupt()
    except KeyboardInterrupt:
        sys.exit(4)


def raised():
    raise KeyboardInterrupt("by itself")


def while_joining():
    go_on = threading.Event()
    thread = threading.Thread(target=go_on.wait)
    thread.start()
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        thread.join()
    except KeyboardInterrupt:
        print("caught while joining")
    go_on.set()
    thread.join()


def ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.kill(os.getpid(), signal.SIGINT)
    print("still here")


globals()[sys.argv[1]]()
print("the last line")
