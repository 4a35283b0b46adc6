"""``python -m gilstudy.experiments NAME PARENT``: measure in an interpreter of its own, for the process PARENT.

What was observed is written to the standard output as JSON.
"""

from __future__ import annotations

import importlib
import json
import signal
import sys

from gilstudy.children import end_with
from gilstudy.codec import encode

if __name__ == "__main__":
    end_with(int(sys.argv[2]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the conductor's to handle
    module = importlib.import_module(f"gilstudy.experiments.{sys.argv[1]}")
    sys.stdout.write(json.dumps(encode(module.measure())) + "\n")
