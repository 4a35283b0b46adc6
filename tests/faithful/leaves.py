"""All the ways to leave."""

import atexit
import os
import sys
import threading


def in_child(leave):
    pid = os.fork()
    if pid == 0:
        leave()
        os._exit(99)
    print("child left with", os.waitpid(pid, 0)[1])


class Odd(BaseException):
    pass


def in_thread(leave):
    thread = threading.Thread(target=leave)
    thread.start()
    thread.join()
    print("the thread has ended")


def raises(error):
    raise error


WAYS = {
    "os._exit": lambda: os._exit(7),
    "forked os._exit": lambda: in_child(lambda: os._exit(7)),
    "forked sys.exit": lambda: in_child(lambda: sys.exit(7)),
    "3": lambda: sys.exit(3),
    "words": lambda: sys.exit("words that go to standard error"),
    "nothing": lambda: sys.exit(),
    "true": lambda: sys.exit(True),
    "tuple": lambda: sys.exit((1, 2)),
    "none": lambda: sys.exit(None),
    "negative": lambda: sys.exit(-1),
    "large": lambda: sys.exit(259),
    "huge": lambda: sys.exit(2**70),
    "quit": lambda: quit(4),  # noqa: PLR1722
    "exception": lambda: raises(ValueError("one line\nand another")),
    "base": lambda: raises(Odd("odd")),
    "group": lambda: raises(ExceptionGroup("several", [ValueError(1), TypeError("two")])),
    "thread": lambda: in_thread(lambda: raises(ValueError("in a thread"))),
    "thread exit": lambda: in_thread(lambda: sys.exit(5)),
    "abort": os.abort,
}
atexit.register(print, "atexit")
print("leaves by", sys.argv[1], flush=True)
WAYS[sys.argv[1]]()
print("not reached, or a thread or child left")
