"""``python -m gilstudy.experimenting NAME PARENT``: measure in an interpreter of its own, for the process PARENT.

What was observed is written to the standard output as JSON.
"""

from __future__ import annotations

import importlib
import json
import signal
import sys

from gilstudy.codec import encode
from gilstudy.system.children import end_with

if __name__ == "__main__":
    end_with(int(sys.argv[2]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the conductor's to handle
    module = importlib.import_module(f"gilstudy.experimenting.{sys.argv[1]}")
    sys.stdout.write(json.dumps(encode(module.measure())) + "\n")
