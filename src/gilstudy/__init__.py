"""gilstudy: which execution model gives Python code multi-core speedup, measured on your own cores."""

from gilstudy._version import __version__

__all__ = ["__version__"]
