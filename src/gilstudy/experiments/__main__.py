"""``python -m gilstudy.experiments NAME``: measure in an interpreter of its own and write what was observed as JSON."""

from __future__ import annotations

import importlib
import json
import signal
import sys

from gilstudy._native import die_with_parent
from gilstudy.codec import encode

if __name__ == "__main__":
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the conductor's to handle
    module = importlib.import_module(f"gilstudy.experiments.{sys.argv[1]}")
    sys.stdout.write(json.dumps(encode(module.measure())) + "\n")
