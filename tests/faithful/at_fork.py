"""What it registered for forks, and a fork in an atexit function."""

import atexit
import os
import sys

os.register_at_fork(
    before=lambda: os.write(1, b"before\n"),
    after_in_parent=lambda: os.write(1, b"in the parent\n"),
    after_in_child=lambda: os.write(1, b"in the child\n"),
)


def fork(code):
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        os._exit(code)
    os.write(1, f"{os.waitpid(pid, 0)[1]}\n".encode())


fork(1)
atexit.register(fork, 2)
print("the last line")
