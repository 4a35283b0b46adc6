"""A second interpreter, and a fork after it."""

import os
import subprocess
import sys

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
run = interpreters.exec if sys.version_info >= (3, 13) else interpreters.run_string
one = interpreters.create()
run(one, "print('inside', flush=True)")
interpreters.destroy(one)
pid = os.fork()
if pid == 0:
    os._exit(3)
print(os.waitpid(pid, 0)[1])
print(subprocess.run(["true"], preexec_fn=lambda: None).returncode)
