"""How workers run a kernel: a file for each mode, and a line in the registry."""

from __future__ import annotations

from importlib import import_module
from typing import Final, cast

from gilstudy.measuring.modes.crew import Mode

REGISTRY: Final = {
    "single": "gilstudy.measuring.modes.single",
    "threads": "gilstudy.measuring.modes.threads",
    "processes": "gilstudy.measuring.modes.processes",
    "ceiling": "gilstudy.measuring.modes.ceiling",
}
"""Each mode's module, which calls it ``MODE``. A station loads only its own."""


def mode_named(name: str) -> Mode:
    """The mode of this name. Raises KeyError if there is none."""
    return cast(Mode, import_module(REGISTRY[name]).MODE)
