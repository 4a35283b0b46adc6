"""It becomes another program."""

import os
import sys

if len(sys.argv) == 1:
    print("becomes another", flush=True)
    os.execv(sys.executable, [sys.executable, sys.argv[0], "again"])
print("became it", sys.argv, os.path.lexists("/proc/self/fd/3"))
