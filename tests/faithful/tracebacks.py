"""Tracebacks of all kinds: a chain, a deep one, notes, a hook of its own, a hook that fails, what cannot be raised."""

import sys
import threading
import traceback


class Dies:
    def __del__(self):
        raise RuntimeError("cannot be raised")


def recurse(depth):
    return recurse(depth + 1)


def chained():
    try:
        {}["missing"]
    except KeyError as error:
        error.add_note("a note\nof two lines")
        raise ValueError("while another was handled: ünïcödé") from error


def hooked():
    sys.excepthook = lambda kind, error, trace: print("hook", kind.__name__, error, len(traceback.extract_tb(trace)))
    chained()


def bad_hook():
    sys.excepthook = lambda *words: 1 / 0
    chained()


def thread_hooked():
    threading.excepthook = lambda given: print("hook", given.exc_type.__name__, given.thread.name)
    thread = threading.Thread(target=chained)
    thread.start()
    thread.join()


def unraisable():
    Dies()
    sys.unraisablehook = lambda what: print("hook", what.exc_type.__name__, what.exc_value)
    Dies()


def deep():
    recurse(0)


def shown():
    try:
        chained()
    except ValueError:
        traceback.print_exc()
    print(sys.exc_info())


def from_file():
    exec(compile("def inside():\n    1 / 0\ninside()", "no such file", "exec"))


globals()[sys.argv[1]]()
print("last_type", getattr(sys, "last_type", "missing"))
