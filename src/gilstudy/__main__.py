"""``python -m gilstudy``: the same as the command ``gilstudy``."""

from __future__ import annotations

import sys

from gilstudy.commands.entry import main

if __name__ == "__main__":
    sys.exit(main())
