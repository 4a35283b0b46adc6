"""A Ctrl-C, which reaches the whole group: the child dies of it, the parent catches it."""

import os
import signal
import subprocess

child = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
try:
    os.killpg(0, signal.SIGINT)
    signal.pause()
except KeyboardInterrupt:
    print("caught")
print(child.wait())
