"""A process that eats a core, to measure beside."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator

# It ends when its input closes, so it cannot outlive the benchmark, whatever ends that.
CODE = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
while True:
    pass
"""


@contextlib.contextmanager
def hog(wanted: bool) -> Iterator[None]:
    """Keep one core busy meanwhile, if wanted."""
    if not wanted:
        yield
        return
    with subprocess.Popen([sys.executable, "-c", CODE], stdin=subprocess.PIPE) as process:
        try:
            yield
        finally:
            process.kill()
