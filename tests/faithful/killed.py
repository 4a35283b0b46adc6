"""It kills itself by a signal."""

import atexit
import os
import signal
import sys

atexit.register(print, "atexit")
print("now", flush=True)
os.kill(os.getpid(), getattr(signal, sys.argv[1]))
signal.pause()
