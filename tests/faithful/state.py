"""All that a program can see of its own process before it has done anything."""

import builtins
import gc
import logging
import os
import resource
import signal
import socket
import sys
import threading
import warnings

import __main__


def told(value):
    return f"{type(value).__module__}.{type(value).__qualname__}"


def each(what, found):
    for one in found:
        print(what, one)


def status():
    """Not the caught ones: the watch stands in front of what Python has for Ctrl-C and the like, out of its sight."""
    wanted = ("SigBlk", "SigIgn", "SigPnd", "ShdPnd")
    with open("/proc/self/status") as file:
        lines = [line.split() for line in file]
    masks = {line[0]: int(line[1], 16) & ~(3 << 31) for line in lines if line[0][:-1] in wanted}
    return {name: [number for number in range(64) if mask >> number & 1] for name, mask in masks.items()}


print("argv", sys.argv)
each("path", sys.path)
print("main", sorted(vars(__main__)), __main__ is sys.modules["__main__"], __main__.__dict__ is globals())
for name in ("__name__", "__file__", "__package__", "__cached__", "__doc__", "__spec__"):
    print(name, repr(globals().get(name, "missing")))
print("__loader__", told(__loader__), "__builtins__", __builtins__ is builtins)
print("annotations", globals().get("__annotations__", "missing"))
print("flags", sys.flags, sys.warnoptions, sys._xoptions, sys.dont_write_bytecode, sys.pycache_prefix)
print("limits", sys.getrecursionlimit(), sys.getswitchinterval(), threading.stack_size())
print("hooks", sys.gettrace(), sys.getprofile(), threading.gettrace(), threading.getprofile())
print("hooks", sys.excepthook is sys.__excepthook__, sys.unraisablehook is sys.__unraisablehook__)
print("hooks", sys.displayhook is sys.__displayhook__, sys.breakpointhook is sys.__breakpointhook__)
print("hooks", threading.excepthook is threading.__excepthook__, sys.getsizeof(threading.Thread) > 0)
print("start", threading.Thread.start.__module__, threading.Thread.start.__qualname__, threading.Thread.start.__doc__)
print("meta_path", [told(finder) if not isinstance(finder, type) else finder for finder in sys.meta_path])
print("path_hooks", len(sys.path_hooks))
for stream in (sys.stdin, sys.stdout, sys.stderr):
    print(stream.name, stream.encoding, stream.errors, stream.line_buffering, stream.write_through, told(stream))
print("streams", sys.stdin is sys.__stdin__, sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__)
print("threads", [thread.name for thread in threading.enumerate()], threading.current_thread().name)
print("next thread", threading.Thread(target=print).name)
each("handler", ((number, signal.getsignal(number)) for number in sorted(signal.valid_signals())))
print("mask", signal.pthread_sigmask(signal.SIG_BLOCK, []), signal.sigpending(), signal.getitimer(signal.ITIMER_REAL))
print("wakeup", signal.set_wakeup_fd(-1))
each("status", status().items())
each("environment", sorted(os.environ.items()))
print("folder", os.getcwd(), os.umask(0o22))
print("limits", [resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")])
print("cpus", sorted(os.sched_getaffinity(0)), os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0))
print("group", os.getpgid(0) == os.getpid(), os.getsid(0) == os.getpid())
print("gc", gc.isenabled(), gc.get_threshold(), gc.get_freeze_count(), gc.callbacks, gc.get_debug())
# But for the one that keeps the watch's own thread out of the warning of forks beside threads.
each("warnings", [one for one in warnings.filters if "gilstudy" not in type(one[1]).__module__])
print("logging", logging.root.handlers, logging.root.level, logging.getLogger().disabled)
print("builtins", sorted(vars(builtins)))
print("socket", socket.getdefaulttimeout())
print("method", sys.modules["multiprocessing"] if "multiprocessing" in sys.modules else "not imported")
try:
    print("children", os.waitpid(-1, os.WNOHANG))
except ChildProcessError as error:
    print("children", error)
