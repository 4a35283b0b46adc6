"""gilstudy: which execution model gives Python code multi-core speedup, measured on your own cores."""

import sys

from gilstudy._version import __version__

TYPE_CHECKING = False  # as in typing, which would take longer to import than all the rest
if TYPE_CHECKING:
    from gilstudy.probing.asking import probe
    from gilstudy.watching.watch import watch

BEFORE = frozenset(sys.modules)
"""The modules that were loaded before this one: see `gilstudy.watching.hiding`."""

__all__ = ["__version__", "probe", "watch"]

_LAZY = {"probe": "gilstudy.probing.asking", "watch": "gilstudy.watching.watch"}


def __getattr__(name: str) -> object:
    """Import what is asked for only when it is asked for, so that ``import gilstudy`` stays fast."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)
